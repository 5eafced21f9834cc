"""Whether two result folders hold the same runs with the same bytes: `python -m tests.same_runs ONE OTHER`.

The same seed, threads, backend and versions give the same predictions, curves and weights, in whatever order and
company the runs were made. When each began and how long it took may differ. Exit code 1: something else does.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lecturebench.store import Record, Store


def differing(one: Store, other: Store) -> list[str]:
    """Each run that is not the same in both, and in what."""
    first, second = ({record.key: record for record in store.read()[0]} for store in (one, other))
    found = []
    for key in sorted(first.keys() | second.keys()):
        a, b = first.get(key), second.get(key)
        known = a or b
        assert known is not None
        where = f"{known.benchmark} {known.method} on {known.dataset.get('name')}"
        if a is None or b is None:
            found.append(f"{where}: only in {(other if a is None else one).folder}")
        elif _kept(a) != _kept(b):
            found.append(f"{where}: {_kept(a)}, then {_kept(b)}")
        elif not _files(a) and a.role != "choice" and a.metrics.keys() != {"measured"}:
            found.append(f"{where}: nothing was saved")
    return found


def _kept(record: Record) -> tuple[object, ...]:
    """What has to be the same: all but times, of which a benchmark may measure some."""
    metrics = {split: {k: v for k, v in values.items() if k != "seconds"} for split, values in record.metrics.items()}
    return record.status, _files(record), metrics


def _files(record: Record) -> dict[str, str]:
    """Digests of what the run saved beside its record."""
    return {name: digest for name, digest in record.digests.items() if name != "record"}


def main(one: str, other: str) -> int:
    stores = Store(Path(one)), Store(Path(other))
    wrong = differing(*stores)
    for line in wrong:
        print(f"FAIL {line}")
    n = len(stores[0].read()[0])
    print(f"{n} runs in {one}: {len(wrong)} are not the same bytes in {other}")
    return 1 if wrong or not n else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
