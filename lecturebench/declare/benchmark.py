"""What a benchmark declares: methods, claims, profiles, figures. Nothing here fits, judges or imports Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from lecturebench.declare.claims import (
    Claim,
    EquivalenceClaim,
    IdentityClaim,
    MinimumClaim,
    NumberClaim,
    TimeToTargetClaim,
)
from lecturebench.declare.methods import Experiment, Method
from lecturebench.errors import UsageError, nearest
from lecturebench.metrics import DEFAULT, METRICS, Metric, named, of_task, split_of

PROFILES = ("smoke", "lecture", "full")
BACKENDS = ("tensorflow", "jax", "torch")
DEVICES = ("cpu", "gpu")


@dataclass(frozen=True)
class Drawing:
    """A figure of a benchmark's own: ``draw(figure, rows)`` fills a matplotlib figure and returns its content in words.

    rows: `lecturebench.report.series.Series` by method, those that have runs; the figure is left out if one of
    ``methods`` has none. size: inches. caption: what to see in it. shows: the metric that it shows of each of its
    methods, run by run or as a mean; the page then has no bars of its own of those rows.
    """

    name: str
    title: str
    draw: Callable[..., str]
    methods: tuple[str, ...]
    caption: str = ""
    size: tuple[float, float] = (5.6, 4.1)
    shows: str = ""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A budget. None leaves what the method declares.

    seeds: how many judged runs a stochastic method gets. splits: the same for methods with ``resplit``, None as seeds;
    of both, what the user asks for comes first. dataset: what is fitted unless the user names another.
    train_size: the first so many training examples after shuffling by the run's seed. grid, choice_seeds: how many
    values and seeds of a `Choice` are tried. judges: False where results say nothing about the claims.
    time_limit: seconds after which a run is stopped.
    """

    seeds: int = 5
    splits: int | None = None
    dataset: str | None = None
    epochs: int | None = None
    train_size: int | None = None
    grid: int | None = None
    choice_seeds: int | None = None
    judges: bool = True
    time_limit: float = 3600.0

    def runs(self, method: Method) -> int:
        """How many judged runs the method gets."""
        if method.deterministic:
            return 1  # one of which that is not known is asked for as many, if its first run draws random numbers
        return self.splits if method.resplit and self.splits else self.seeds


def profiles(
    seeds: int = 5,
    full: int = 20,
    *,
    splits: tuple[int | None, int | None] = (None, None),
    time_limit: float = 900.0,
    smoke: Profile | None = None,
) -> Mapping[str, Profile]:
    """The three profiles as most benchmarks have them: ``seeds`` and ``splits`` for lecture, then for full.

    smoke: one epoch on 512 scanned digits with one seed, which judges nothing, unless given.
    """
    digits = Profile(
        seeds=1, dataset="digits", epochs=1, train_size=512, grid=2, choice_seeds=2, judges=False, time_limit=300
    )
    return {
        "smoke": smoke or digits,
        "lecture": Profile(seeds=seeds, splits=splits[0], time_limit=time_limit),
        "full": Profile(seeds=full, splits=splits[1], time_limit=2 * time_limit),
    }


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One result of the lecture: its methods, what was claimed, and on which data.

    datasets: the first is the one that the claims speak of; the others give the same table without claims.
    task: what its methods can be fitted for. metric: that of its rows, "" is the error or, for values, the mean
    absolute error; metrics: a suite's own beside those of `lecturebench.metrics`. drawings: figures beside those that
    every benchmark has.
    stand_in: what is fitted when the first cannot be had. name, suite, path and about (the file's docstring) are
    filled in by `discover`.
    """

    title: str
    methods: tuple[Method, ...]
    claims: tuple[Claim, ...]
    datasets: tuple[str, ...]
    profiles: Mapping[str, Profile]
    task: Literal["classification", "regression"] = "classification"
    metric: str = ""
    metrics: tuple[Metric, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    stand_in: str | None = None
    name: str = ""
    suite: str = ""
    path: Path = Path()
    about: str = ""

    def __post_init__(self) -> None:
        names = [method.name for method in self.methods]
        if len(set(names)) < len(names):
            raise ValueError(f"benchmark {self.title!r} names a method twice: {names}")
        for what, of in [(f"claim {claim.name!r}", claim.methods) for claim in self.claims] + [
            (f"drawing {drawing.name!r}", drawing.methods) for drawing in self.drawings
        ]:
            for name in of:
                if name not in names:
                    raise ValueError(f"{what} speaks of {name!r}, which is no method: {names}")
        for what, profiles in [(f"claim {claim.name!r}", claim.profiles) for claim in self.claims] + [
            (f"method {method.name!r}", method.profiles) for method in self.methods
        ]:
            for profile in profiles:
                if profile not in PROFILES:
                    raise ValueError(nearest(f"profile of {what}", profile, PROFILES))
        if set(self.profiles) != set(PROFILES):
            raise ValueError(f"benchmark {self.title!r} declares profiles {sorted(self.profiles)}; it needs {PROFILES}")
        self._refuse_single_seeds()
        for metric in self.metrics:
            if metric.name in METRICS:
                raise ValueError(f"benchmark {self.title!r} declares a metric {metric.name!r}, which is one of ours")
        object.__setattr__(self, "metric", self.metric or DEFAULT[self.task])
        if self.metric not in self.known_metrics:
            raise ValueError(nearest(f"metric of {self.task}", self.metric, sorted(self.known_metrics)))
        for drawing in self.drawings:
            if drawing.shows and drawing.shows not in self.known_metrics:
                what = f"metric that drawing {drawing.name!r} shows"
                raise ValueError(nearest(what, drawing.shows, sorted(self.known_metrics)))
        object.__setattr__(self, "claims", tuple(map(self._filled_in, self.claims)))

    def _refuse_single_seeds(self) -> None:
        """ValueError where a profile leaves a single seed to a choice by one standard error."""
        single = [name for name, profile in self.profiles.items() if (profile.choice_seeds or 2) < 2]
        chosen = [
            f"{name} of {method.name!r}"
            for method in self.methods
            for name, choice in method.choices.items()
            if choice.rule == "one standard error"
        ]
        if single and chosen:
            raise ValueError(f"profile {single[0]!r} has choice_seeds 1; one standard error for {chosen[0]} needs two")

    def _filled_in(self, claim: Claim) -> Claim:
        """The claim with its metric filled in, and its dataset where that is not the first. ValueError if none of its
        methods can have the metric, or not as printed.
        """
        claim = replace(claim, elsewhere=claim.dataset if claim.dataset != self.datasets[0] else "")
        if not claim.metric:
            before = "validation " if isinstance(claim, TimeToTargetClaim) else ""
            claim = replace(claim, metric=before + self.metric)
        if isinstance(claim, IdentityClaim):
            return claim
        metric = self.measure(claim.metric)
        if isinstance(claim, MinimumClaim):
            claim = replace(claim, extreme="highest" if metric.higher_is_better else "lowest")
        name = split_of(claim.metric)[1]
        measured = any(map(_measures, map(self.method, claim.methods)))
        if name not in self.known_metrics and not measured:
            reason = nearest(f"metric of {self.task}", name, sorted(self.known_metrics))
            raise ValueError(f"claim {claim.name!r}: {reason}; and its methods measure nothing themselves")
        printed, value = _printed(claim)
        if printed and (why := metric.refusal(printed, value)):
            raise ValueError(f"claim {claim.name!r}: {why}")
        return claim

    @property
    def known_metrics(self) -> dict[str, Metric]:
        """The metrics that its methods' predictions have, by name."""
        return of_task(self.task, self.metrics)

    def is_metric(self, name: str) -> bool:
        """Whether a name, "validation error" among them, is that of a metric: of other numbers no way is better."""
        return split_of(name)[1] in self.known_metrics

    def measure(self, name: str) -> Metric:
        """The metric of a name, "validation error" among them, or what stands for a measured number of that name."""
        return named(name, self.known_metrics)

    def method(self, name: str) -> Method:
        """The method of that name; UsageError with the nearest name if there is none."""
        for method in self.methods:
            if method.name == name:
                return method
        raise UsageError(nearest(f"method of {self.name}", name, [method.name for method in self.methods]))


def _measures(method: Method) -> bool:
    """Whether the method may measure numbers that are no metrics."""
    return isinstance(method, Experiment) or getattr(method, "probe", None) is not None


def _printed(claim: Claim) -> tuple[str, float]:
    """What a claim prints as a value of its metric, and the number that it stands for; "" for none."""
    if isinstance(claim, NumberClaim):
        return claim.printed, claim.published
    if isinstance(claim, TimeToTargetClaim):
        return claim.target, claim.threshold
    return (claim.delta, claim.tolerance) if isinstance(claim, EquivalenceClaim) else ("", 0.0)
