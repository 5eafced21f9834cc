"""Stock figures: what they say in words is what the runs have, and they can be drawn whatever a row lacks."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest

from lecturebench.report import stock
from lecturebench.report.figures import blank
from lecturebench.report.style import method_styles, styled


def row(title, values=(), curves=(), arrays=(), metric="error"):
    """A row as a drawing gets it: numbers by run, curves by run, arrays by run."""
    from lecturebench.report.series import Series

    n = max(len(values), len(curves), len(arrays))
    runs = [
        SimpleNamespace(
            seed=i,
            curve=curves[i] if i < len(curves) else [],
            value=lambda name, i=i: values[i] if name == metric and i < len(values) else None,
        )
        for i in range(n)
    ]
    series = Series(title, method_styles([title])[title], runs)
    if arrays:
        object.__setattr__(series, "array", lambda name: np.stack(arrays))
    return series


def drawn(draw, rows):
    """What a drawing says, once it could be saved, and its figure."""
    figure = blank(5.6, 4.1)
    with styled():
        words = draw(figure, rows)
        figure.savefig(io.BytesIO(), format="png")
    return words, figure


def test_curves_say_where_each_row_ends_and_draw_its_band():
    curve = [[{"epoch": e, "validation_error": 0.1 / e + shift} for e in (1, 2, 4)] for shift in (0.0, 0.01)]
    words, figure = drawn(stock.curves("validation_error", log="y"), {"a": row("A", curves=curve)})
    assert words == "Validation error by epoch: A ends at 3.00%."
    [axes] = figure.axes
    assert axes.get_yscale() == "log"
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [0.105, 0.055, 0.03])


def test_path_marks_the_lowest_mean_and_says_both_ends():
    values = {"p_1": (0.04, 0.06), "p_2": (0.02, 0.02), "p_3": (0.09, 0.07)}
    rows = {name: row(name, of) for name, of in values.items()}
    at = {"p_1": 0.001, "p_2": 0.01, "p_3": 0.1}
    words, figure = drawn(
        stock.path({"error": {"error": "test error"}}, at, xlabel="penalty", log=True, lowest="error"), rows
    )
    assert words == (
        "Against the penalty, from 0.001 to 0.1: test error from 5.00% to 8.00%; test error is lowest at 0.01, 2.00%."
    )
    assert [line.get_xdata()[0] for line in figure.axes[0].lines if len(set(line.get_xdata())) == 1] == [0.01]


def test_path_keeps_to_the_rows_that_have_a_place():
    rows = {"p_1": row("1", (1.0,)), "other": row("2", (9.0,)), "p_2": row("3", (2.0,))}
    words, _ = drawn(stock.path({"error": {"error": "test error"}}, {"p_1": 1, "p_2": 2}, xlabel="p"), rows)
    assert "9" not in words


def test_dots_show_every_run_and_the_published_number():
    rows = {"a": row("A", (0.018, 0.018, 0.02)), "b": row("B", (0.03,)), "c": row("C")}
    words, figure = drawn(stock.dots("error", published={"a": "1.8%"}), rows)
    assert "A 1.87% ± 0.12%, n = 3; published 1.8%" in words
    assert "B 3.00%, n = 1" in words
    assert "C n = 0" in words
    first = figure.axes[0].lines[0]
    assert sorted(first.get_xdata()) == [0.018, 0.018, 0.02]
    assert len(set(zip(*first.get_data(), strict=True))) == 3, "equal values stand on top of each other"


def test_heat_is_the_mean_over_the_runs_around_its_centre():
    tables = [np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[2.0, 1.0], [0.0, 1.0]])]
    words, figure = drawn(stock.heat("share", centre=1.0), {"a": row("A", arrays=tables)})
    assert words == "Share: A 1 to 2."
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), [[1, 1], [1, 2]])
    assert figure.axes[0].images[0].get_clim() == (0, 2)


@pytest.mark.parametrize("heads", [(), ("image", "epoch 1")])
def test_images_stand_side_by_side_pixel_by_pixel(heads):
    sheet = np.arange(3 * 2 * 4 * 5, dtype=float).reshape(3, 2, 4, 5)
    _, figure = drawn(stock.images("crops", columns=heads), {"a": row("A", arrays=[sheet])})
    shown = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(shown[:4, :5], sheet[0, 0])
    np.testing.assert_array_equal(shown[5:9, 6:11], sheet[1, 1])
    assert np.isnan(np.asarray(shown.filled(np.nan))[4]).all()
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == list(heads)


def test_curve_of_nothing_is_left_out():
    curve = [[{"epoch": 1, "loss": 1.0}]]
    words, _ = drawn(stock.curves("loss"), {"a": row("A", curves=curve), "b": row("B", values=(1.0,))})
    assert words == "Loss by epoch: A ends at 1."
