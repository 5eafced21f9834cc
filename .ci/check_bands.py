"""Exit 1 unless every row of the error table lies in its band. Usage: check_bands.py TABLE.CSV

One seed, real MNIST, lecture profile: wide enough for any seed, narrow enough that a broken harness falls out on either
side. A result that is too good is as suspicious as one that is too bad.
"""

import csv
import sys

# Test error in percent, around the reference results' runs; LDA is deterministic.
BANDS = {
    "dropout": (1.5, 2.3),
    "ridge": (1.5, 2.9),
    "softmax": (6.9, 7.6),
    "logistic": (7.1, 7.8),
    "lda": (12.65, 12.75),
    "dummy": (88.0, 90.5),
}


def main(path: str) -> int:
    with open(path, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["method"] in BANDS and row["dataset"] == "mnist"]
    errors = {row["method"]: 100 * float(row["mean"]) for row in rows if row["metric"] == "error" and row["mean"]}
    outside = 0
    for method, (low, high) in BANDS.items():
        error = errors.get(method)
        inside = error is not None and low <= error <= high
        outside += not inside
        measured = "not in the table" if error is None else f"{error:.2f}%"
        print(f"{'ok  ' if inside else 'FAIL'} {method:9} {measured:>8}, band {low}% to {high}%")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
