"""The activation functions, their derivatives, and what the networks that use them achieve."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.formulas.activations import ACTIVATIONS
from lecturebench.report.stock import Rows


def draw_functions(figure: Any, rows: Rows) -> str:
    """Each activation function and its derivative, with the test error of the network that uses it."""
    from lecturebench.report.style import INK, MUTED, RULE

    grid = figure.subplots(2, 3, sharex=True, sharey=True)
    z, phrases, dash = np.linspace(-4.0, 4.0, 321), [], (0, (2, 1.4))
    for axes, (name, series) in zip(grid.flat, rows.items(), strict=False):
        activation = ACTIVATIONS[name]
        slope = activation.derivative(z)
        slope[1:][np.abs(np.diff(slope)) > 0.5] = np.nan  # no line where the derivative jumps
        error = f"{100 * float(series.values('error').mean()):.2f}%"
        axes.axhline(0, color=RULE, linewidth=0.8)
        axes.axvline(0, color=RULE, linewidth=0.8)
        axes.plot(z, slope, color=INK, linewidth=1.6, linestyle=dash)
        axes.plot(z, activation.function(z), color=series.style.colour, linewidth=2.8)
        axes.set_title(f"{series.title.partition(',')[0]}\n{error} wrong", fontsize=11, linespacing=1.25)
        axes.set(xlim=(-4, 4), ylim=(-1.5, 3.2), xticks=(-3, 0, 3), yticks=(-1, 0, 1, 2, 3))
        axes.tick_params(labelbottom=True)
        phrases.append(f"{series.title} {error}")
    for axes in grid[1, :2]:
        axes.set_xlabel("z")
    key = grid.flat[-1]
    key.axis("off")
    key.plot([], [], color=MUTED, linewidth=2.8, label="g(z)")
    key.plot([], [], color=INK, linewidth=1.6, linestyle=dash, label="g′(z)")
    key.legend(loc="center", fontsize=13, handlelength=2.2)
    return f"Functions and derivatives, with the test error of the network that uses each: {'; '.join(phrases)}."
