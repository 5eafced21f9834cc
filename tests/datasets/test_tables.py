"""The book's tables: which rows and columns are kept, and what is for test."""

import numpy as np

from lecturebench.datasets import tables


def test_hitters_drops_players_without_a_salary_and_makes_factors_indicators():
    header = "Hits,League,Division,Salary,NewLeague\n"
    rows = ["66,A,E,,A\n", *(f"{i},N,W,{i}.5,A\n" if i % 2 else f"{i},A,E,{i}.5,N\n" for i in range(7))]
    decoded = tables.read_hitters((header + "".join(rows)).encode())
    assert decoded.columns == ("Hits", "LeagueN", "DivisionW", "NewLeagueN")
    # Positions 4 and 6 among those with a salary are among the book's test players.
    assert decoded.test.X.tolist() == [[4, 0, 0, 1], [6, 0, 0, 1]]
    assert decoded.train.X[:, 0].tolist() == [0, 1, 2, 3, 5]
    assert decoded.train.X[1].tolist() == [1, 1, 1, 0]
    assert decoded.train.y.tolist() == [0.5, 1.5, 2.5, 3.5, 5.5]
    assert decoded.task == "regression"


def test_the_books_test_players_are_a_third_of_those_with_a_salary():
    assert len(set(tables.HITTERS_TEST)) == 263 // 3
    assert list(tables.HITTERS_TEST) == sorted(tables.HITTERS_TEST)
    assert max(tables.HITTERS_TEST) < 263


def test_nyse_splits_by_its_own_column_and_keeps_the_order_of_time():
    content = b'"date","day_of_week","DJ_return","log_volume","log_volatility","train"\n'
    content += b'"1979-12-31","mon",1,2,3,TRUE\n"1980-01-02","wed",4,5,6,FALSE\n"1980-01-03","thur",7,8,9,FALSE\n'
    decoded = tables.read_nyse(content)
    assert decoded.columns == ("DJ_return", "log_volume", "log_volatility", "mon", "tues", "wed", "thur", "fri")
    assert decoded.train.X.tolist() == [[1, 2, 3, 1, 0, 0, 0, 0]]
    assert decoded.test.X.tolist() == [[4, 5, 6, 0, 0, 1, 0, 0], [7, 8, 9, 0, 0, 0, 1, 0]]
    assert decoded.test.y.tolist() == [5, 8]
    assert decoded.test.X.dtype == np.float64
