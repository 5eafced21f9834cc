"""The spread of two rows of the error table over many seeds, and how many seeds tell them apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from benchmarks.formulas.power import MOST_SEEDS, Needed, in_order, power
from lecturebench import win_probability
from lecturebench.report.stock import Draw, Rows


def paired_errors(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """The test errors of dropout and ridge, (seeds,) each, of the seeds that both have."""
    by_seed = [{run.seed: run.value("error") for run in rows[name].runs} for name in ("dropout", "ridge")]
    common = sorted(set(by_seed[0]) & set(by_seed[1]))
    dropout, ridge = (np.array([errors[seed] for seed in common], dtype=float) for errors in by_seed)
    return dropout, ridge


def known(rows: Rows, printed: Mapping[str, str]) -> dict[str, float]:
    """The published errors by row as shares; none if the rows were fitted on other data than the slide's."""
    if {run.dataset["name"] for series in rows.values() for run in series.runs} != {"mnist"}:
        return {}
    return {name: float(text.removesuffix("%")) / 100 for name, text in printed.items()}


def percent(share: float) -> str:
    """A share as errors are written: 1.81%."""
    return f"{100 * share:.2f}%"


def points(difference: float) -> str:
    """A difference of two shares in percentage points."""
    return f"{100 * difference:.2f} points"


def count(n: int | None) -> str:
    """A number of seeds in words."""
    return f"{n}" if n is not None else f"more than {MOST_SEEDS:,}"


def every_run(printed: Mapping[str, str]) -> Draw:
    """Every run as a dot over the row's normal curve, the published number as a diamond, who wins in words."""
    return partial(_draw_runs, printed)


def seeds_needed(printed: Mapping[str, str]) -> Draw:
    """The chance of the right conclusion against the number of seeds, for the published and the measured difference."""
    return partial(_draw_chances, printed)


def _draw_runs(printed: Mapping[str, str], figure: Any, rows: Rows) -> str:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    from lecturebench.report.style import INK, MUTED

    axes, published, phrases = figure.add_subplot(), known(rows, printed), []
    for y, (name, series) in enumerate(rows.items()):
        errors = series.values("error")
        mean, colour = float(errors.mean()), series.style.colour
        # Equal errors stand on top of each other, like the columns of a histogram with a test image for a bin.
        values, counts = np.unique(errors, return_counts=True)
        x = np.repeat(values, counts)
        height = np.concatenate([np.arange(k) for k in counts]) * min(0.09, 0.3 / counts.max())
        axes.plot(x, -y + 0.06 + height, series.style.marker, color=colour, markersize=6, alpha=0.85)
        text = f"mean {percent(mean)}"
        if len(errors) > 1:
            sd = float(errors.std(ddof=1))
            grid = np.linspace(mean - 3.5 * sd, mean + 3.5 * sd, 201)
            curve = 0.55 * np.exp(-0.5 * ((grid - mean) / max(sd, 1e-12)) ** 2)
            axes.fill_between(grid, -y, -y + curve, color=colour, alpha=0.16, linewidth=0)
            text += f" ± {percent(sd)}, {percent(errors.min())} to {percent(errors.max())}"
        phrases.append(f"{name}: n = {len(errors)}, {text}")
        if published:
            axes.plot([published[name]], [-y + 0.45], "D", color=INK, fillstyle="none", markersize=9, mew=1.6)
            phrases[-1] += f"; published {printed[name]}"
        axes.text(0, -y + 0.76, f"{name}, n = {len(errors)}", transform=axes.get_yaxis_transform(), va="top")
        axes.text(
            *(1, -y + 0.76, text), transform=axes.get_yaxis_transform(), ha="right", va="top", color=MUTED, fontsize=10
        )
        axes.axhline(-y, color=MUTED, linewidth=0.8)
    axes.set(ylim=(-1.08, 0.8), yticks=[], xlabel="test error" + (" (◇ published)" if published else ""))
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=(1, 2, 5, 10)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.6g}%"))
    conclusion = wins(*(rows[name].values("error") for name in ("ridge", "dropout")))
    figure.suptitle(conclusion.replace("dropout ", "dropout\n"), fontsize=11, color=INK, x=0.02, ha="left")
    return f"Test errors by seed. {'. '.join(phrases)}. {conclusion}."


def wins(ridge: np.ndarray, dropout: np.ndarray) -> str:
    """In words: how often one run of ridge beats one of dropout."""
    share, low, high = win_probability(ridge, dropout)
    if math.isnan(low):
        return "How often one run of ridge beats one of dropout takes three runs of each to say"
    return f"One run of ridge beats one of dropout with probability {share:.0%} (95%: {low:.0%} to {high:.0%})"


def _draw_chances(printed: Mapping[str, str], figure: Any, rows: Rows) -> str:
    from matplotlib.ticker import NullLocator, PercentFormatter

    from lecturebench.report.style import INK, MUTED, TONES

    dropout, ridge = paired_errors(rows)
    axes = figure.add_subplot()
    if len(dropout) < 2 or min(dropout.std(), ridge.std(), (ridge - dropout).std()) == 0:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "takes two different runs of each row", ha="center", color=MUTED)
        return "How many seeds are needed takes at least two different runs of each row."
    sd = math.sqrt((dropout.var(ddof=1) + ridge.var(ddof=1)) / 2)
    sd_paired = float((ridge - dropout).std(ddof=1))
    measured = float(ridge.mean() - dropout.mean())
    phrases = [
        f"One row's runs scatter by {points(sd)}, the differences of runs with equal seeds by {points(sd_paired)}"
    ]
    published = known(rows, printed)
    differences = {"published": published["ridge"] - published["dropout"]} if published else {}
    differences["measured"] = abs(measured)
    needed = {name: Needed.of(difference, sd, sd_paired) for name, difference in differences.items()}
    drawn = [n for sizes in needed.values() for n in (sizes.by_mean, sizes.by_test) if n is not None and n <= 500]
    seeds = np.union1d(np.geomspace(1, 2 * max(10, *drawn), 150).round().astype(int), drawn).astype(int)
    for i, (name, difference) in enumerate(differences.items()):
        sizes, colour, marker = needed[name], TONES[i][0], "os"[i]
        order = "dropout below ridge" if name == "published" or measured >= 0 else "ridge below dropout"
        signed = f"{'+' if order.startswith('dropout') else '−'}{points(difference)}"
        for chance, first, dash, what, target, n in (
            (in_order, 1, "-", "means in order", "95%", sizes.by_mean),
            (power, 2, "--", "t test says so", "80%", sizes.by_test),
        ):
            at = seeds[seeds >= first]
            axes.plot(
                *(at, [chance(k, difference, sd) for k in at]), color=colour, linestyle=dash, marker=marker,
                markevery=np.flatnonzero(at == n).tolist(), markersize=8, markeredgecolor=INK,
                label=f"{name}, {signed}: {what}, {target} at n = {count(n)}",
            )  # fmt: skip
        phrases.append(
            f"the {name} difference, {points(difference)} with {order}: means in order with probability 95% from n = "
            f"{count(sizes.by_mean)} on, a t test says so in 80% of attempts from n = {count(sizes.by_test)} on, with "
            f"equal seeds paired from n = {count(sizes.by_pairs)} on"
        )
    for level in (0.8, 0.95):
        axes.axhline(level, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
    ticks = [n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if n <= seeds[-1]]
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(n) for n in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set(xlabel="seeds n of each row", ylabel="probability", ylim=(0, 1.03), yticks=(0, 0.25, 0.5, 0.8, 0.95))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    figure.legend(loc="outside lower left", handlelength=3)
    return "; ".join(phrases) + "."
