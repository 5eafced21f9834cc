"""What a benchmark declares: methods, claims, profiles, figures. Nothing here fits, judges or imports Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lecturebench.declare.claims import Claim
from lecturebench.declare.methods import Method
from lecturebench.errors import UsageError, nearest

PROFILES = ("smoke", "lecture", "full")
BACKENDS = ("tensorflow", "jax", "torch")
DEVICES = ("cpu", "gpu")


@dataclass(frozen=True)
class Drawing:
    """A figure of a benchmark's own: ``draw(figure, rows)`` fills a matplotlib figure and returns its content in words.

    rows: `lecturebench.report.series.Series` by method, those that have runs; the figure is left out if one of
    ``methods`` has none. size: inches. caption: what to see in it.
    """

    name: str
    title: str
    draw: Callable[..., str]
    methods: tuple[str, ...]
    caption: str = ""
    size: tuple[float, float] = (5.6, 4.1)


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
            return 1
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
    task: what its methods can be fitted for. drawings: figures beside those that every benchmark has.
    stand_in: what is fitted when the first cannot be had. name, suite, path and about (the file's docstring) are
    filled in by `discover`.
    """

    title: str
    methods: tuple[Method, ...]
    claims: tuple[Claim, ...]
    datasets: tuple[str, ...]
    profiles: Mapping[str, Profile]
    task: Literal["classification", "regression"] = "classification"
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
        if set(self.profiles) != set(PROFILES):
            raise ValueError(f"benchmark {self.title!r} declares profiles {sorted(self.profiles)}; it needs {PROFILES}")

    def method(self, name: str) -> Method:
        """The method of that name; UsageError with the nearest name if there is none."""
        for method in self.methods:
            if method.name == name:
                return method
        raise UsageError(nearest(f"method of {self.name}", name, [method.name for method in self.methods]))
