"""Exit 1 unless two result folders hold the same runs with the same bytes. Usage: check_same.py ONE OTHER

The same seed, threads, backend and versions give the same predictions, curves and weights, in whatever order and
company the runs were made. When each began and how long it took may differ.
"""

import sys
from pathlib import Path

from lecturebench.store import Record, Store


def files(record: Record) -> dict[str, str]:
    """Digests of what the run saved beside its record."""
    return {name: digest for name, digest in record.digests.items() if name != "record"}


def untimed(record: Record) -> dict[str, dict[str, object]]:
    """Its metrics but for times, of which a benchmark may measure some."""
    return {split: {k: v for k, v in values.items() if k != "seconds"} for split, values in record.metrics.items()}


def main(one: str, other: str) -> int:
    """Say which runs differ, and how many agree."""
    first, second = ({record.key: record for record in Store(Path(path)).read()[0]} for path in (one, other))
    wrong = []
    for key in sorted(first.keys() | second.keys()):
        a, b = first.get(key), second.get(key)
        if a is None or b is None:
            wrong.append((a or b, f"only in {other if a is None else one}"))
        elif (a.status, files(a), untimed(a)) != (b.status, files(b), untimed(b)):
            wrong.append((a, f"{a.status} {files(a)} {untimed(a)}, then {b.status} {files(b)} {untimed(b)}"))
        elif not files(a) and a.role != "choice" and a.metrics.keys() != {"measured"}:
            wrong.append((a, "nothing was saved"))
    for record, what in wrong:
        print(f"FAIL {record.benchmark} {record.method} on {record.dataset.get('name')}: {what}")
    print(f"{len(first)} runs in {one}, {len(second)} in {other}: {len(wrong)} are not the same bytes")
    return 1 if wrong or not first else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
