"""Begin a store with the runs by which the reference chose. Usage: keep_choices.py REFERENCE OUT

The ridge's strength was chosen by 27 fits, five of the error table's six minutes. A run is found again by all that
decides it: where that has changed, `lecturebench run` finds none of these and chooses anew.
"""

import shutil
import sys
from pathlib import Path

from lecturebench.store import Store


def main(reference: str, out: str) -> int:
    store = Store(Path(reference))
    chosen_by = [record.key for record in store.read()[0] if record.role == "choice"]
    for key in chosen_by:
        shutil.copytree(store.runs / key, Path(out, "runs", key))
    print(f"{len(chosen_by)} runs by which {reference} chose are in {out}")
    return 0 if chosen_by else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
