"""What crops are worth with few and with many training images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from lecturebench.report.stock import Draw, Rows


def by_size(crops: Mapping[str, str], sizes: Sequence[str]) -> Draw:
    """Test error against the number of training images, a line per crop through the means, runs as points.

    crops: a title by name; the rows are called "name_size".
    """
    return partial(_draw, crops, sizes)


def _draw(crops: Mapping[str, str], sizes: Sequence[str], figure: Any, rows: Rows) -> str:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes = figure.add_subplot()
    phrases = []
    ticks: dict[int, str] = {}
    for k, (name, title) in enumerate(crops.items()):
        line = [rows[f"{name}_{size}"] for size in sizes]
        style = line[0].style
        n_train = [int(series.runs[0].dataset["n_train"]) for series in line]
        errors = [series.values("error") for series in line]
        ticks |= {n: f"{n:,}" for n in n_train}
        at = [n * 1.06 ** (k - 1) for n in n_train]  # side by side
        for x, values in zip(at, errors, strict=True):
            axes.plot([x] * len(values), values, style.marker, color=style.colour, markerfacecolor="none", alpha=0.75)
        means = [float(values.mean()) for values in errors]
        axes.plot(at, means, color=style.colour, marker=style.marker, label=title)
        phrases.append(
            f"{title} " + ", ".join(f"{100 * mean:.2f}% with {n:,}" for n, mean in zip(n_train, means, strict=True))
        )
    axes.set(xscale="log", yscale="log", xlabel="training images", ylabel="test error")
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", which="minor", bottom=False)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=3)
    return f"Test error against the number of training images: {'; '.join(phrases)}."
