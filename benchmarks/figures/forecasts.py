"""Forecasts beside what came."""

from __future__ import annotations

from typing import Any

import numpy as np

from lecturebench.report.stock import Rows

SHOWN = 250  # trading days, about a year; six years at once are a carpet


def draw_forecasts(figure: Any, rows: Rows) -> str:
    """A year of test days, true and forecast; below, every test day's truth against its forecast."""
    from lecturebench.report.style import MUTED

    [series] = rows.values()
    forecasts, true = series.array("forecast"), series.array("true")[0]  # (runs, days), (days,)
    over, below = figure.subplots(2, 1, height_ratios=(3, 2))
    days = np.arange(len(true))[:SHOWN]
    over.plot(days, true[:SHOWN], color=MUTED, linewidth=1, label="truth")
    low, high = forecasts[:, :SHOWN].min(axis=0), forecasts[:, :SHOWN].max(axis=0)
    over.fill_between(days, low, high, color=series.style.colour, alpha=0.3, linewidth=0)
    mean = forecasts.mean(axis=0)
    runs = f", mean of {len(forecasts)} runs" if len(forecasts) > 1 else ""
    over.plot(days, mean[:SHOWN], color=series.style.colour, linewidth=1.4, label=f"forecast{runs}")
    over.set(xlabel=f"trading day, the first {len(days)} from January 1980", ylabel="log volume")
    below.scatter(mean, true, s=4, color=series.style.colour, alpha=0.4, linewidths=0)
    below.axline((0, 0), slope=1, color=MUTED, linewidth=1)
    below.set(xlabel="forecast of a test day; on the line it is the truth", ylabel="truth")
    figure.legend(*over.get_legend_handles_labels(), loc="outside lower left", ncols=2)
    spread = float(series.values("spread").mean())
    return (
        f"Over {len(true)} test days the forecasts vary {spread:.0%} as much as the truth: what five days do not tell "
        "is forecast as its mean."
    )
