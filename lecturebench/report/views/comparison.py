"""Methods beside each other on the same test examples: how much one errs more, and how sure that is."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from lecturebench.environment import cores
from lecturebench.judging.results import Results, RowResult
from lecturebench.judging.statistics import ALPHA, FEWEST_SEEDS, win_probability
from lecturebench.metrics import DEFAULT, METRICS, Metric
from lecturebench.report.intervals import Intervals
from lecturebench.report.predicted import Predictions
from lecturebench.report.views.rows import finite

ALL_PAIRS = 6  # so many rows are all compared; of more, each with the best one and with its neighbour
FEWEST_DATASETS = 3
MOST_THREADS = 4  # each has arrays of a few million numbers

LossesBySeed = Mapping[int, npt.NDArray[Any]]


def comparison_data(results: Results, saved: Predictions, intervals: Intervals) -> list[dict[str, Any]]:
    """One dict per benchmark, dataset, profile and backend with two rows to compare, best row first.

    rows: ids as in `rows_data`. pairs: a, b (b errs more often on average), difference b - a with its interval, the
    share of pairs of single runs that a wins with its interval, McNemar's p of each seed, and all of it in words.
    """
    ids = {row: i for i, row in enumerate(results.rows)}
    comparisons = []
    # Most of it is drawing random numbers, during which other threads can work.
    with ThreadPoolExecutor(min(cores(), MOST_THREADS)) as threads:
        for (benchmark, dataset, profile, backend), rows in _places(results.rows).items():
            summaries = {row: saved.of_row(row) for row in rows}
            losses = {row: summary.losses for row, summary in summaries.items() if summary and summary.losses}
            best = sorted(losses, key=lambda row: row.mean_of(_metric(row).name))
            pairs = [(a, b) for a, b in _chosen(best) if _comparable(a, b, losses[a], losses[b])]
            found = [threads.submit(compared, a, b, losses[a], losses[b], intervals) for a, b in pairs]
            if pairs:
                comparisons.append(
                    {
                        "benchmark": benchmark,
                        "dataset": dataset,
                        "profile": profile,
                        "backend": backend,
                        "metric": _metric(best[0]).name,
                        "rows": [ids[row] for row in best],
                        "pairs": [
                            {"a": ids[a], "b": ids[b], **pair.result()}
                            for (a, b), pair in zip(pairs, found, strict=True)
                        ],
                    }
                )
    return comparisons


def _metric(row: RowResult) -> Metric:
    """What methods are compared by, example by example: error or absolute error, whatever metric their rows show."""
    return METRICS[DEFAULT[row.benchmark.task]]


def _places(rows: Iterable[RowResult]) -> dict[tuple[str, str, str, str], list[RowResult]]:
    """Rows that can be compared: the networks of each backend, and beside all of them the baselines."""
    grouped: dict[tuple[str, str, str], list[RowResult]] = defaultdict(list)
    for row in rows:
        if row.values:
            grouped[row.benchmark.name, row.dataset, row.profile].append(row)
    return {
        (*place, backend): [row for row in together if row.backend == backend or not row.method.uses_backend]
        for place, together in grouped.items()
        for backend in dict.fromkeys(row.backend for row in together if row.method.uses_backend)
        or dict.fromkeys(row.backend for row in together)
    }


def _chosen(best: Sequence[RowResult]) -> list[tuple[RowResult, RowResult]]:
    if len(best) <= ALL_PAIRS:
        return list(itertools.combinations(best, 2))
    return list(dict.fromkeys([*((best[0], other) for other in best[1:]), *itertools.pairwise(best)]))


def _comparable(a: RowResult, b: RowResult, losses_a: LossesBySeed, losses_b: LossesBySeed) -> bool:
    sizes = {len(losses) for side in (losses_a, losses_b) for losses in side.values()}
    digests = {str(run.dataset.get("digests")) for row in (a, b) for run in row.runs}
    return len(sizes) == 1 and len(digests) == 1 and bool(_seeds(a, b, losses_a, losses_b))


def _seeds(a: RowResult, b: RowResult, losses_a: LossesBySeed, losses_b: LossesBySeed) -> list[tuple[int, int]]:
    """The seeds that are compared: equal ones, and the single run of a deterministic method with each."""
    if a.deterministic or b.deterministic:
        return list(itertools.product(losses_a, losses_b))
    return [(seed, seed) for seed in sorted(set(losses_a) & set(losses_b))]


def compared(
    a: RowResult, b: RowResult, losses_a: LossesBySeed, losses_b: LossesBySeed, intervals: Intervals
) -> dict[str, Any]:
    """A pair of rows by their losses on the same examples: difference, win probability, McNemar's test, a sentence."""
    seeds = _seeds(a, b, losses_a, losses_b)
    firsts = np.array([losses_a[i] for i in dict.fromkeys(i for i, _ in seeds)], dtype=float)
    seconds = np.array([losses_b[j] for j in dict.fromkeys(j for _, j in seeds)], dtype=float)
    enough = all(row.deterministic or len(seeds) >= FEWEST_SEEDS for row in (a, b))
    mean, low, high = float(seconds.mean() - firsts.mean()), math.nan, math.nan
    if enough:
        mean, low, high = intervals.of(firsts, seconds)
    metric = _metric(a)
    wins = win_probability(a.of(metric.name), b.of(metric.name))
    tests = [mcnemar(losses_a[i], losses_b[j]) for i, j in seeds] if metric.percent else []
    return {
        "n": len(seeds),
        "difference": finite(mean),
        "low": finite(low),
        "high": finite(high),
        "wins": [finite(value) for value in wins],
        "mcnemar": [finite(p) for p in tests],
        "words": _words(a, b, (mean, low, high), wins, tests),
    }


def mcnemar(wrong_a: npt.NDArray[Any], wrong_b: npt.NDArray[Any]) -> float:
    """The exact p of McNemar's test that two classifiers err equally often: of the examples that exactly one of them
    gets wrong, either should err on half: twice the smaller tail of that binomial. wrong_a, wrong_b: (n,) wrong or not.
    """
    from scipy.special import bdtr

    # bdtr alone: scipy.stats and its binomtest take most of the time that a page has.
    a, b = wrong_a.astype(bool), wrong_b.astype(bool)
    only_a, only_b = int(np.sum(a & ~b)), int(np.sum(b & ~a))
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def _words(
    a: RowResult,
    b: RowResult,
    difference: tuple[float, float, float],
    wins: tuple[float, float, float],
    tests: Sequence[float],
) -> str:
    """What the numbers mean, for a reader who knows no test."""
    mean, low, high = difference
    metric = _metric(a)
    error = metric.percent

    def text(value: float) -> str:
        return f"{100 * value:.2f}".replace("-", "−") if error else metric.show(value)

    unit = " points" if error else ""
    more = "errs more often than" if error else "is further off than"
    sentence = f"{b.method.title} {more} {a.method.title}, by {text(mean)}{unit} on average"
    if math.isnan(low):
        sentence += "; with so few runs that may be chance."
    else:
        chance = "more than chance explains" if low > 0 else "that may be chance"
        sentence += f" and between {text(low)} and {text(high)}{unit} at 95%: {chance}."
    sentences = [sentence]
    if len(a.values) > 1 or len(b.values) > 1:
        sentences.append(f"A single run of {a.method.title} beats one of {b.method.title} in {wins[0]:.0%} of pairs.")
    if tests:
        significant = sum(p < ALPHA for p in tests)
        sentences.append(
            f"Seed by seed, McNemar's test sees a difference at 5% in {significant} of {len(tests)}."
            if len(tests) > 1
            else f"McNemar's test gives {'p < 0.0001' if tests[0] < 1e-4 else f'p = {tests[0]:.2g}'}."
        )
    return " ".join(sentences)


def ranks_data(results: Results) -> list[dict[str, Any]]:
    """Average ranks over datasets: one dict per benchmark, profile and backend whose methods ran on several datasets.

    Fewer than three datasets or methods: only which there are. Else Friedman's test that all methods are alike
    (SciPy), and Nemenyi's of each pair (scikit-posthocs): methods whose p is above 5% are joined by a bar, as in the
    critical-difference diagram of Demsar (2006).
    """
    rankings = []
    for benchmark, profile, backend, table, titles in _tables(results):
        datasets, methods = list(table), list(titles)
        ranking: dict[str, Any] = {
            "benchmark": benchmark,
            "profile": profile,
            "backend": backend,
            "datasets": datasets,
            "methods": [titles[name] for name in methods],
            "names": methods,
        }
        if len(datasets) >= FEWEST_DATASETS and len(methods) >= 3:
            errors = np.array([[table[dataset][name] for name in methods] for dataset in datasets])
            ranking |= ranked(errors)
        rankings.append(ranking)
    return rankings


def ranked(errors: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Average ranks of the columns of errors (datasets, methods), 1 is best; Friedman's p; bars by Nemenyi's test."""
    from scipy.stats import friedmanchisquare, rankdata

    ranks = rankdata(errors, axis=1).mean(axis=0)
    same = bool((errors == errors[:, :1]).all())
    p = 1.0 if same else float(friedmanchisquare(*errors.T).pvalue)
    bars: list[list[int]] = []
    if p < ALPHA:
        from scikit_posthocs import posthoc_nemenyi_friedman

        alike = np.asarray(posthoc_nemenyi_friedman(errors)) > ALPHA
        order = np.argsort(ranks, kind="stable")
        for first in range(len(order)):
            last = max(k for k in range(first, len(order)) if k == first or alike[order[first], order[k]])
            if last > first and not any(first >= low and last <= high for low, high in bars):
                bars.append([first, last])
        bars = [[int(order[low]), int(order[high])] for low, high in bars]
    return {"ranks": [finite(float(rank)) for rank in ranks], "friedman": finite(p), "bars": bars}


def _tables(
    results: Results,
) -> Iterable[tuple[str, str, str, dict[str, dict[str, float]], dict[str, str]]]:
    """Means by dataset and method, turned round where higher is better, of the methods that ran on all of a benchmark's
    datasets, if several."""
    for (benchmark, profile, backend), rows in _by_benchmark(results.rows).items():
        table: dict[str, dict[str, float]] = defaultdict(dict)
        for row in rows:
            table[row.dataset][row.method.name] = row.measure.cost(row.mean)
        common = set.intersection(*(set(errors) for errors in table.values()))
        titles = {row.method.name: row.method.title for row in rows if row.method.name in common}
        if len(table) > 1 and len(titles) > 1:
            yield benchmark, profile, backend, dict(table), titles


def _by_benchmark(rows: Iterable[RowResult]) -> dict[tuple[str, str, str], list[RowResult]]:
    grouped: dict[tuple[str, str, str], list[RowResult]] = defaultdict(list)
    for (benchmark, _, profile, backend), together in _places(rows).items():
        grouped[benchmark, profile, backend] += [row for row in together if math.isfinite(row.mean)]
    return {place: together for place, together in grouped.items() if together}
