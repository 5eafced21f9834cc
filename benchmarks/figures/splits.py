"""Test errors on random splits of the salaries, beside the book's one split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lecturebench.report.stock import Rows

BOOK = {"linear_splits": 254.7, "lasso_splits": 252.3, "network_splits": 257.4}
SHORT = {"linear_splits": "linear regression", "lasso_splits": "lasso", "network_splits": "network"}
MINUS = (("network_splits", "linear_splits"), ("lasso_splits", "linear_splits"))


def by_split(rows: Rows) -> dict[str, Any]:
    """Test errors of each method on the splits that all of them have, (splits,) each: entry i is of the same split."""
    errors = {name: {run.seed: run.value("mae") for run in series.runs} for name, series in rows.items()}
    common = sorted(set.intersection(*map(set, errors.values())))
    return {name: np.array([of_seed[seed] for seed in common], dtype=float) for name, of_seed in errors.items()}


def in_the_books_order(errors: Mapping[str, Any]) -> int:
    """On how many splits the errors stand as in Table 10.2: lasso below linear regression below network."""
    lasso, linear, network = (errors[name] for name in ("lasso_splits", "linear_splits", "network_splits"))
    return int(((lasso < linear) & (linear < network)).sum())


def draw_splits(figure: Any, rows: Rows) -> str:
    """Errors of the three methods over the random splits, and their differences on the same split."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    from lecturebench.report.style import INK, MUTED

    errors = by_split(rows)
    n = len(errors["linear_splits"])
    in_order = in_the_books_order(errors)
    above, below = figure.subplots(2, 1, height_ratios=(3, 2))
    phrases = _draw_lines(
        above,
        [(SHORT[name], errors[name], BOOK[name], rows[name].style) for name in BOOK],
        form="{:.1f}",
    )
    phrases += _draw_lines(
        below,
        [(f"{SHORT[a]} minus {SHORT[b]}", errors[a] - errors[b], BOOK[a] - BOOK[b], rows[a].style) for a, b in MINUS],
        form="{:+.1f}",
    )
    above.set_xlabel("test mean absolute error, thousands of dollars")
    below.axvline(0, color=INK, linewidth=1, zorder=0)
    below.set_xlabel("difference on the same split, thousands of dollars")
    below.set_title(f"lasso < linear < network on {in_order} of {n} splits", loc="left", fontsize=11)
    handles = [
        Patch(color=MUTED, alpha=0.45, linewidth=0, label="splits"),
        Line2D([], [], color=MUTED, marker="s", label="mean ± sd"),
        Line2D([], [], color=INK, marker="D", fillstyle="none", linestyle="none", label="the book's one split"),
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=3, columnspacing=1.4)
    spread = (errors["network_splits"] - errors["linear_splits"]).std(ddof=1) if n > 1 else 0.0
    worth = (
        f" Two points are {2 / spread:.2f} standard deviations of network minus linear regression." if spread else ""
    )
    return (
        f"Test mean absolute error over {n} random splits: {'; '.join(phrases)}. "
        f"The book's order, lasso below linear regression below network, comes out on {in_order} of {n} splits.{worth}"
    )


def _draw_lines(axes: Any, lines: Sequence[tuple[str, Any, float, Any]], form: str) -> list[str]:
    """A histogram for each (label, values, the book's, style), with mean and standard deviation; each in words."""
    from lecturebench.report.style import INK, MUTED, PAPER

    everything = np.concatenate([values for _, values, _, _ in lines])
    edges = np.linspace(everything.min(), everything.max(), 31)
    phrases = []
    for y, (label, values, book, style) in enumerate(lines):
        counts, _ = np.histogram(values, edges)
        mean, sd = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0
        axes.stairs(y - 0.36 * counts / counts.max(), edges, baseline=y, fill=True, color=style.colour, alpha=0.45)
        axes.plot([mean - sd, mean + sd], [y + 0.1] * 2, color=style.colour)
        axes.plot([mean], [y + 0.1], style.marker, color=style.colour, markersize=8)
        axes.plot([book], [y + 0.24], "D", markersize=7, markerfacecolor="none", markeredgecolor=INK, mew=1.6)
        summary = f"mean {form.format(mean)}".replace("-", "−") + (f", sd {sd:.1f}" if len(values) > 1 else "")
        look = {"transform": axes.get_yaxis_transform(), "va": "top", "bbox": {"color": PAPER, "pad": 1}, "zorder": 1}
        axes.text(0, y - 0.6, label, color=INK, **look)
        axes.text(1, y - 0.6, summary, ha="right", color=MUTED, **look)
        phrases.append(f"{label} {summary} (the book's one split: {form.format(book).replace('-', '−')})")
    axes.set(ylim=(len(lines) - 0.62, -0.66), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    return phrases
