"""Twenty seeds of two rows of the error table: what a table with one number per row hides.

Slide "Why Neural Network?" prints one test error for dropout, 1.8%, and one for ridge, 2.3%; each comes from one run,
and no source says how far the next run would be from it. Here both networks are fitted with many seeds. A seed decides
the first weights, the batches, which units are removed and which fifth of the training images is held out; everything
else stays. Three questions have numbers for an answer.

How often does one run of ridge beat one run of dropout? By the share of pairs of runs in which it does, the
Mann-Whitney statistic over the number of pairs, with Newcombe's interval (2006, method 5),

    P(ridge < dropout) + P(ridge = dropout) / 2

How many runs n of each row put their means in the right order? With errors that scatter as a normal distribution with
standard deviation s does, means of n runs whose true difference is d are in order with probability

    Phi(d / (s sqrt(2 / n)))

How many until a t test at 95% says so? It does when T = d' / (s' sqrt(2 / n)), with measured d' and s', is above
t(0.975, 2n - 2), and T has the noncentral t distribution with 2n - 2 degrees of freedom around d / (s sqrt(2 / n)). If
runs with equal seeds are compared, s is the standard deviation of their differences, with n - 1 degrees of freedom and
s / sqrt(n) in place of s sqrt(2 / n).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from benchmarks.bench_error_table import BOOK, BOOK_NETWORK, RANDOM_SPLIT
from benchmarks.bench_error_table import CLAIMS as TABLE_CLAIMS
from lecturebench import Benchmark, Drawing, Network, OrderClaim, Profile, assumed, stated
from lecturebench.declare.claims import parse_printed
from lecturebench.judging.statistics import win_probability
from lecturebench.models.dense import two_layer

PUBLISHED = {"dropout": "1.8%", "ridge": "2.3%"}
# What the error table's rule chose on validation data with other seeds: reports/reference/error_table, row ridge.
PENALTY = 3e-6
MOST_SEEDS = 10_000

METHODS = (
    Network("dropout", "Neural Network + Dropout Regularization", two_layer, BOOK, units=(256, 128), rates=(0.4, 0.3)),
    Network("ridge", "Neural Network + Ridge Regularization", two_layer, BOOK, units=(256, 128), penalty=PENALTY),
)

CLAIMS = (
    *(claim for claim in TABLE_CLAIMS if claim.methods == ("dropout",)),
    OrderClaim(
        order=("dropout", "ridge"),
        dataset="mnist",
        source="ISLP (2023), Table 10.1, p. 406",
        slide="Why Neural Network?",
        protocol=BOOK_NETWORK
        | {
            "penalty": stated("lambda * sum theta^2 on W1 and W2; output weights free", "ISLP, eq. 10.31"),
            "lambda": assumed("3e-6", "no source prints it; the error table's rule took it on validation data"),
            "optimiser and epochs": assumed("RMSprop, rate 0.001, 30 epochs", "the dropout row's; no lab fits ridge"),
            "comparison": assumed("paired by seed on the same 10,000 test images", "the slide compares by eye"),
        },
        deviations=(RANDOM_SPLIT,),
    ),
)


def in_order(n: int, difference: float, sd: float, *, paired: bool = False) -> float:
    """The probability that means of n runs have the sign of their true difference, for normal errors.

    difference: above 0. sd: of one row's runs, the same in both; ``paired``: of the differences by seed.
    ValueError for a difference below 0, an sd that is not above 0, or n below 1.
    """
    from scipy.special import ndtr

    return float(ndtr(_noncentrality(n, 1, difference, sd, paired)))


def power(n: int, difference: float, sd: float, *, paired: bool = False) -> float:
    """The probability that a two-sided t test at 95% on n runs each finds the difference, on its true side.

    As `in_order`; n is at least 2. Source: the noncentral t distribution, see the top of this file.
    """
    from scipy.stats import nct, t

    noncentrality = _noncentrality(n, 2, difference, sd, paired)
    degrees = n - 1 if paired else 2 * (n - 1)
    return float(nct.sf(t.ppf(0.975, degrees), degrees, noncentrality))


def _noncentrality(n: int, fewest: int, difference: float, sd: float, paired: bool) -> float:
    """The true difference in standard errors of the difference of two means of n runs."""
    if not (difference >= 0 and 0 < sd < math.inf and n >= fewest):
        raise ValueError(
            f"difference is {difference!r}, sd {sd!r} and n {n!r}; they must be 0 or above, above 0, at least {fewest}"
        )
    return difference / (sd * math.sqrt((1 if paired else 2) / n))


def seeds_needed(chance: Callable[[int], float], target: float, fewest: int) -> int | None:
    """The smallest n from ``fewest`` on with chance(n), which rises with n, at the target; None above 10,000."""
    if chance(MOST_SEEDS) < target:
        return None
    low, high = fewest - 1, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= target else (middle, high)
    return high


class Needed(NamedTuple):
    """Seeds of each row until its readers conclude right, None above 10,000.

    by_mean: means are in order with probability 95%. by_test: a t test at 95% says so with probability 80%.
    by_pairs: the same, runs with equal seeds paired.
    """

    by_mean: int | None
    by_test: int | None
    by_pairs: int | None

    @classmethod
    def of(cls, difference: float, sd: float, sd_paired: float) -> Needed:
        """For a true difference, one row's standard deviation, and that of the differences by seed."""
        return cls(
            seeds_needed(lambda n: in_order(n, difference, sd), 0.95, 1),
            seeds_needed(lambda n: power(n, difference, sd), 0.8, 2),
            seeds_needed(lambda n: power(n, difference, sd_paired, paired=True), 0.8, 2),
        )


def paired_errors(rows: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The test errors of dropout and ridge, (seeds,) each, of the seeds that both have."""
    found = [{run.seed: run.value("error") for run in rows[name].runs} for name in ("dropout", "ridge")]
    common = sorted(set(found[0]) & set(found[1]))
    dropout, ridge = (np.array([errors[seed] for seed in common], dtype=float) for errors in found)
    return dropout, ridge


def published(rows: Mapping[str, Any]) -> dict[str, float]:
    """The published errors by row; none if the rows were fitted on other data than the slide's."""
    if {run.dataset["name"] for series in rows.values() for run in series.runs} != {"mnist"}:
        return {}
    return {name: float(parse_printed(printed)[0]) for name, printed in PUBLISHED.items()}


def percent(share: float) -> str:
    """A share as errors are written: 1.81%."""
    return f"{100 * share:.2f}%"


def points(difference: float) -> str:
    """A difference of two shares in percentage points."""
    return f"{100 * difference:.2f} points"


def count(n: int | None) -> str:
    """A number of seeds in words."""
    return f"{n}" if n is not None else f"more than {MOST_SEEDS:,}"


def draw_seeds(figure: Any, rows: Mapping[str, Any]) -> str:
    """Every run as a dot over the row's normal curve, the published number as a diamond, who wins in words."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    from lecturebench.report.style import INK, MUTED

    axes = figure.add_subplot()
    told = []
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
        told.append(f"{name}: n = {len(errors)}, {text}")
        if published(rows):
            axes.plot([published(rows)[name]], [-y + 0.45], "D", color=INK, fillstyle="none", markersize=9, mew=1.6)
            told[-1] += f"; published {PUBLISHED[name]}"
        axes.text(0, -y + 0.76, f"{name}, n = {len(errors)}", transform=axes.get_yaxis_transform(), va="top")
        axes.text(
            *(1, -y + 0.76, text), transform=axes.get_yaxis_transform(), ha="right", va="top", color=MUTED, fontsize=10
        )
        axes.axhline(-y, color=MUTED, linewidth=0.8)
    axes.set(ylim=(-1.08, 0.8), yticks=[], xlabel="test error" + (" (◇ published)" if published(rows) else ""))
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=(1, 2, 5, 10)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.6g}%"))
    said = wins(*(rows[name].values("error") for name in ("ridge", "dropout")))
    figure.suptitle(said.replace("dropout ", "dropout\n"), fontsize=11, color=INK, x=0.02, ha="left")
    return f"Test errors by seed. {'. '.join(told)}. {said}."


def wins(ridge: np.ndarray, dropout: np.ndarray) -> str:
    """In words: how often one run of ridge beats one of dropout."""
    share, low, high = win_probability(ridge, dropout)
    if math.isnan(low):
        return "How often one run of ridge beats one of dropout takes three runs of each to say"
    return f"One run of ridge beats one of dropout with probability {share:.0%} (95%: {low:.0%} to {high:.0%})"


def draw_order(figure: Any, rows: Mapping[str, Any]) -> str:
    """The chance of the right conclusion against the number of seeds, for the published and the measured difference."""
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
    told = [f"One row's runs scatter by {points(sd)}, the differences of runs with equal seeds by {points(sd_paired)}"]
    printed = published(rows)
    differences = {"published": printed["ridge"] - printed["dropout"]} if printed else {}
    differences["measured"] = abs(measured)
    needed = {name: Needed.of(difference, sd, sd_paired) for name, difference in differences.items()}
    drawn = [n for found in needed.values() for n in (found.by_mean, found.by_test) if n is not None and n <= 500]
    seeds = np.union1d(np.geomspace(1, 2 * max(10, *drawn), 150).round().astype(int), drawn).astype(int)
    for i, (name, difference) in enumerate(differences.items()):
        found, colour, marker = needed[name], TONES[i][0], "os"[i]
        order = "dropout below ridge" if name == "published" or measured >= 0 else "ridge below dropout"
        signed = f"{'+' if order.startswith('dropout') else '−'}{points(difference)}"
        for chance, first, dash, what, target, n in (
            (in_order, 1, "-", "means in order", "95%", found.by_mean),
            (power, 2, "--", "t test says so", "80%", found.by_test),
        ):
            at = seeds[seeds >= first]
            axes.plot(
                *(at, [chance(k, difference, sd) for k in at]), color=colour, linestyle=dash, marker=marker,
                markevery=np.flatnonzero(at == n).tolist(), markersize=8, markeredgecolor=INK,
                label=f"{name}, {signed}: {what}, {target} at n = {count(n)}",
            )  # fmt: skip
        told.append(
            f"the {name} difference, {points(difference)} with {order}: means in order with probability 95% from n = "
            f"{count(found.by_mean)} on, a t test says so in 80% of attempts from n = {count(found.by_test)} on, with "
            f"equal seeds paired from n = {count(found.by_pairs)} on"
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
    return "; ".join(told) + "."


DRAWINGS = (
    Drawing(
        "seeds",
        "Every run of each row",
        draw_seeds,
        methods=("dropout", "ridge"),
        caption="A dot is one run with a seed of its own, a diamond the published number; shaded is the normal "
        "distribution with the runs' mean and standard deviation.",
    ),
    Drawing(
        "seeds-needed",
        "How many seeds tell the rows apart",
        draw_order,
        methods=("dropout", "ridge"),
        caption="If ridge minus dropout truly is the difference shown and runs scatter normally, as widely as these: "
        "the probability that means of n runs of each row are in the right order, and that a t test at 95% says so.",
    ),
)

BENCHMARK = Benchmark(
    title="Seed variance: what one number per row hides",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("mnist", "fashion_mnist", "cifar10", "digits"),
    stand_in="digits",
    profiles={
        "smoke": Profile(seeds=1, dataset="digits", epochs=2, train_size=512, judges=False, time_limit=300),
        "lecture": Profile(seeds=20, time_limit=1800),
        "full": Profile(seeds=50, time_limit=3600),
    },
)
