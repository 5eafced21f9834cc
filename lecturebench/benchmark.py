"""What a benchmark declares: methods, profiles, figures. Nothing here fits, judges or imports Keras.

A suite is a folder of ``bench_<name>.py`` files, each with one ``BENCHMARK``. ``discover`` reads such a folder.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from lecturebench.errors import UsageError, nearest
from lecturebench.published import Claim
from lecturebench.schedules import Schedule

LECTURE_SUITE = Path(__file__).resolve().parent.parent / "benchmarks"
PROFILES = ("smoke", "lecture", "full")
BACKENDS = ("tensorflow", "jax", "torch")
DEVICES = ("cpu", "gpu")


@dataclass(frozen=True)
class Choice:
    """A parameter that no source prints, chosen on validation data by a rule fixed beforehand.

    Each value of ``grid`` is fitted once per seed of ``seeds``; these are other seeds than the judged ones. The rule
    takes the largest value whose mean validation error is within one standard error of the best (ISLP, sec. 6.1.3).
    """

    grid: tuple[float, ...]
    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.grid or list(self.grid) != sorted(set(self.grid)):
            raise ValueError(f"grid is {self.grid!r}; it must be non-empty, increasing and without repeats")
        if len(self.seeds) < 2:
            raise ValueError(f"seeds is {self.seeds!r}; a standard error needs at least two")


@dataclass(frozen=True)
class Training:
    """How a network is trained: everything of the recipe that is not the architecture.

    optimizer: name of a Keras optimiser; options: its further arguments. learning_rate: a `Choice` where no source
    prints it. schedule: the rate as a function of the step; None is constant. batch_size: the whole training set where
    it is larger. train_size: so many examples of the training split, drawn by the run's seed. validation: share of
    them held out, drawn likewise. looks: how often per epoch validation data are looked at. standardize: features less
    their mean over the training examples, divided by their standard deviation. Rates and sizes are those of the source
    that the method cites.
    """

    optimizer: str
    learning_rate: float | Choice
    batch_size: int
    epochs: int
    validation: float = 0.2
    options: Mapping[str, Any] = field(default_factory=dict)
    schedule: Schedule | None = None
    train_size: int | None = None
    looks: int = 1
    standardize: bool = False

    def __post_init__(self) -> None:
        for name in ("learning_rate", "batch_size", "epochs", "train_size", "looks"):
            value = getattr(self, name)
            if isinstance(value, int | float) and not value > 0:
                raise ValueError(f"{name} is {value!r}; it must be above 0")
        if not 0 <= self.validation < 1:
            raise ValueError(f"validation is {self.validation!r}; it must be in [0, 1)")
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))


class Method:
    """A named way to arrive at a result. Use `Network`, `Baseline` or `Experiment`.

    uses_backend: whether Keras and its backend compute it. deterministic: it is run once, without a seed. resplit:
    train and test are drawn anew by the run's seed, in their sizes. datasets: those alone that it can take; () is all.
    """

    name: str
    title: str
    function: Callable[..., Any]
    parameters: Mapping[str, Any]
    training: Training | None = None
    uses_backend: bool = True
    deterministic: bool = False
    resplit: bool = False
    datasets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __init__(
        self, name: str, title: str, function: Callable[..., Any], notes: tuple[str, ...], parameters: Mapping[str, Any]
    ) -> None:
        self.name, self.title, self.function, self.notes = name, title, function, notes
        self.parameters = MappingProxyType(dict(parameters))

    @property
    def choice(self) -> tuple[str, Choice] | None:
        """The parameter that is chosen on validation data, and how; None where nothing is left to choose."""
        return next(iter(self._choices), None)

    @property
    def _choices(self) -> list[tuple[str, Choice]]:
        given = dict(self.parameters)
        if self.training is not None:
            given["learning_rate"] = self.training.learning_rate
        return [(name, value) for name, value in given.items() if isinstance(value, Choice)]


class Network(Method):
    """A Keras network: ``function(input_shape, outputs, **parameters)`` builds it, the harness trains it.

    The network ends in linear outputs (logits); softmax and cross-entropy belong to the loss.
    probe: ``probe(weights, outputs, dataset)`` is called with the trained network and returns named numbers, which
    claims and figures may speak of. weights: its trainable arrays in the order of the layers. outputs: a function from
    X as stored to logits (n, outputs).
    """

    def __init__(
        self,
        name: str,
        title: str,
        function: Callable[..., Any],
        training: Training,
        notes: tuple[str, ...] = (),
        probe: Callable[..., Mapping[str, float]] | None = None,
        resplit: bool = False,
        datasets: tuple[str, ...] = (),
        **parameters: Any,
    ) -> None:
        super().__init__(name, title, function, notes, parameters)
        self.training, self.probe, self.resplit, self.datasets = training, probe, resplit, datasets
        if len(self._choices) > 1:
            raise ValueError(f"method {name!r} leaves several parameters to choose; one at most")


class Baseline(Method):
    """A classical method: ``function(X, y, **parameters)`` returns a fitted scikit-learn estimator.

    X: (n, p) float32, in [0, 1] for images; float64 as they are for tables. y: (n,) integers, or values for regression.
    It is fitted on the whole training split: no choice is left that validation data could make. ``deterministic``
    methods are fitted once; others get ``seed``.
    """

    uses_backend = False

    def __init__(
        self,
        name: str,
        title: str,
        function: Callable[..., Any],
        deterministic: bool = True,
        notes: tuple[str, ...] = (),
        resplit: bool = False,
        **parameters: Any,
    ) -> None:
        super().__init__(name, title, function, notes, parameters)
        self.deterministic, self.resplit = deterministic and not resplit, resplit
        self.takes_seed = not deterministic
        if self._choices:
            raise ValueError(f"baseline {name!r} leaves a parameter to choose; only a Network may")


@dataclass(frozen=True)
class Measured:
    """What an experiment found. values: named numbers. curve: what its figures draw, a dict of numbers per point."""

    values: Mapping[str, float]
    curve: tuple[Mapping[str, float], ...] = ()


class Experiment(Method):
    """A calculation that shows a formula or an effect: ``function(dataset, rng, **parameters)`` returns `Measured`.

    It predicts nothing. dataset: as `lecturebench.datasets.load` gives it. rng: a NumPy generator from the run's seed.
    quantity: the number of its row; identity claims speak of any.
    """

    def __init__(
        self,
        name: str,
        title: str,
        function: Callable[..., Measured],
        quantity: str = "deviation",
        deterministic: bool = False,
        notes: tuple[str, ...] = (),
        **parameters: Any,
    ) -> None:
        super().__init__(name, title, function, notes, parameters)
        self.quantity, self.deterministic = quantity, deterministic
        if self._choices:
            raise ValueError(f"experiment {name!r} leaves a parameter to choose; only a Network may")


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


def load_benchmark(path: Path) -> Benchmark:
    """The ``BENCHMARK`` of one ``bench_<name>.py``. UsageError if the file has none or fails to import."""
    path = path.resolve()
    suite = path.parent
    module_name = f"{suite.name}.{path.stem}"
    if str(suite.parent) not in sys.path:
        sys.path.insert(0, str(suite.parent))
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    benchmark = getattr(module, "BENCHMARK", None)
    if not isinstance(benchmark, Benchmark):
        raise UsageError(f"{path} declares no BENCHMARK = Benchmark(…)")
    name = path.stem.removeprefix("bench_")
    return replace(benchmark, name=name, suite=suite.name, path=path, about=(module.__doc__ or "").strip())


def discover(suite: Path = LECTURE_SUITE) -> dict[str, Benchmark]:
    """All benchmarks of a suite by name, in the order of their names. UsageError if the folder holds none."""
    paths = sorted(suite.glob("bench_*.py")) if suite.is_dir() else []
    if not paths:
        raise UsageError(f"no suite at {str(suite)!r}: it must be a folder with bench_<name>.py files")
    return {benchmark.name: benchmark for benchmark in map(load_benchmark, paths)}
