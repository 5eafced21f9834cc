"""The book's two tables, Hitters and NYSE, out of their CSV files (ISLP, chapter 10)."""

from __future__ import annotations

import csv
import io

import numpy as np

from lecturebench.datasets.decoded import Decoded, Split

# The book's 87 test players, as 0-based positions among the 263 with a salary, in file order: R's `set.seed(13)`,
# `sample(263, 87)` (Mersenne Twister with rejection sampling). Least squares on the others has the mean absolute error
# 254.66865 on these, the book's 254.7.
HITTERS_TEST = (
    4, 6, 10, 13, 14, 16, 22, 30, 31, 41, 46, 47, 48, 50, 52, 53, 54, 59, 60, 61, 65, 67, 73, 75, 76, 77, 80, 83, 86,
    96, 104, 112, 114, 116, 117, 118, 119, 120, 123, 124, 126, 128, 130, 131, 135, 138, 139, 141, 142, 145, 146, 152,
    156, 158, 159, 165, 175, 178, 181, 183, 184, 187, 189, 194, 196, 198, 204, 215, 220, 221, 222, 226, 227, 231, 232,
    235, 238, 241, 243, 246, 247, 249, 250, 252, 257, 258, 262,
)  # fmt: skip

# What R's `lm` makes of the three factors: the alphabetically first level is the reference.
HITTERS_FACTORS = {"League": "N", "Division": "W", "NewLeague": "N"}
NYSE_COLUMNS = ("DJ_return", "log_volume", "log_volatility")
NYSE_DAYS = ("mon", "tues", "wed", "thur", "fri")


def read_hitters(content: bytes) -> Decoded:
    """Hitters: 176 and 87 players, 19 features; y is the salary of 1987 in thousands of dollars.

    The 59 players without a salary are dropped, as in the book. League, Division and NewLeague are 0/1 indicators.
    """
    rows = [row for row in csv.DictReader(io.StringIO(content.decode())) if row["Salary"]]
    names = [name for name in rows[0] if name != "Salary"]
    X = np.array([[_hitters_value(name, row[name]) for name in names] for row in rows])
    y = np.array([float(row["Salary"]) for row in rows])
    is_test = np.isin(np.arange(len(rows)), HITTERS_TEST)
    columns = tuple(name + HITTERS_FACTORS.get(name, "") for name in names)
    return _regression(X, y, is_test, columns)


def _hitters_value(name: str, cell: str) -> float:
    return float(cell == HITTERS_FACTORS[name]) if name in HITTERS_FACTORS else float(cell)


def read_nyse(content: bytes) -> Decoded:
    """NYSE: 4,281 trading days until 1979 for training and 1,770 after, in the order of time.

    X: the day's DJ_return, log_volume and log_volatility, then which day of the week it is, as five indicators; y: the
    same day's log_volume, so that a forecast takes the series of earlier rows and never those of y's own.
    """
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    series = [[float(row[name]) for name in NYSE_COLUMNS] for row in rows]
    days = [[float(row["day_of_week"] == day) for day in NYSE_DAYS] for row in rows]
    X = np.hstack([series, days])
    is_test = np.array([row["train"] == "FALSE" for row in rows])
    return _regression(X, X[:, NYSE_COLUMNS.index("log_volume")], is_test, NYSE_COLUMNS + NYSE_DAYS)


def _regression(X: np.ndarray, y: np.ndarray, is_test: np.ndarray, columns: tuple[str, ...]) -> Decoded:
    train, test = Split(X[~is_test], y[~is_test]), Split(X[is_test], y[is_test])
    return Decoded(kind="table", task="regression", train=train, test=test, columns=columns)
