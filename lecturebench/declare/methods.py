"""The kinds of method: a Keras network, a classical baseline, an experiment. Nothing here fits or imports Keras."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from lecturebench.declare.training import Choice, Training
from lecturebench.declare.views import AsStored, Standardized, View
from lecturebench.declare.word_views import CleanedText, WordIndices, WordView


class Method:
    """A named way to arrive at a result. Use `Network`, `Baseline` or `Experiment`.

    uses_backend: whether Keras and its backend compute it. deterministic: it is run once, without a seed; None where
    its first run tells. resplit:
    train and test are drawn anew by the run's seed, in their sizes. datasets: those alone that it can take; () is all.
    profiles: those alone that have the time for it; () is all.
    view: what it sees of a dataset; None is pixels in [0, 1], and the columns of a table standardised over the training
    examples. `AsStored` leaves a table as it is; `ShuffledPixels` and `Hog` are of images; of texts one sees
    `WordIndices`, `WordPresence` or `CleanedText`.
    """

    name: str
    title: str
    function: Callable[..., Any]
    parameters: Mapping[str, Any]
    training: Training | None = None
    view: View | None = None
    uses_backend: bool = True
    deterministic: bool | None = False
    resplit: bool = False
    datasets: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __init__(
        self, name: str, title: str, function: Callable[..., Any], notes: tuple[str, ...], parameters: Mapping[str, Any]
    ) -> None:
        self.name, self.title, self.function, self.notes = name, title, function, notes
        self.parameters = MappingProxyType(dict(parameters))

    def may_run(self, dataset: str, profile: str) -> bool:
        """Whether it can take the dataset, and has the time for it on that profile."""
        return (not self.datasets or dataset in self.datasets) and (not self.profiles or profile in self.profiles)

    def view_of(self, kind: str) -> View | None:
        """What it sees of a dataset of that kind; None is the features as stored, pixels in [0, 1]."""
        if self.view is None and kind == "table":
            return Standardized("train")
        return None if isinstance(self.view, AsStored) else self.view

    @property
    def choices(self) -> Mapping[str, Choice]:
        """The parameters that are chosen on validation data, and how, as they are declared; the learning rate last."""
        given = dict(self.parameters)
        if self.training is not None:
            given["learning_rate"] = self.training.learning_rate
        return {name: value for name, value in given.items() if isinstance(value, Choice)}

    def _check(self) -> None:
        """ValueError for choices that cannot be made, or not together, and for texts in another split."""
        if self.resplit and isinstance(self.view, WordView):
            raise ValueError(f"method {self.name!r} draws its split anew, which is not done with texts")
        choices = self.choices
        if choices and self.training is not None and not self.training.validation:
            raise ValueError(
                f"method {self.name!r} leaves {' and '.join(choices)} to choose, but its training holds out no "
                "examples to choose by: give it a validation share above 0"
            )
        for name, choice in choices.items():
            # Of another type, such as NumPy's, a recipe would not say the value.
            if odd := [value for value in choice.grid if type(value) not in (int, float)]:
                raise ValueError(
                    f"method {self.name!r} has {odd[0]!r} in the grid of {name}; it must hold ints and floats of Python"
                )
        if len({tuple(choice.seeds) for choice in choices.values()}) > 1:
            stated = ", ".join(f"{name} on {choice.seeds}" for name, choice in choices.items())
            raise ValueError(
                f"method {self.name!r} chooses {stated}: each run is of one value of each, so give them equal seeds"
            )
        simplest = [name for name, choice in choices.items() if choice.rule == "one standard error"]
        if len(simplest) > 1:
            raise ValueError(
                f"method {self.name!r} chooses {' and '.join(simplest)} by 'one standard error'; one at most may be: "
                "of two that can both be larger none says which is the simpler fit, so give the others rule='least'"
            )


class Network(Method):
    """A Keras network: ``function(input_shape, outputs, **parameters)`` builds it, the harness trains it.

    The network ends in linear outputs (logits); softmax and cross-entropy belong to the loss. Its weights start from
    the run's seed: a seed inside an initialiser, ``GlorotUniform(seed=1)``, gives its distribution and no numbers.
    probe: ``probe(trained, dataset)`` is called with the `Trained` network and returns named numbers, or `Measured`
    with arrays too, of which claims and figures may speak.
    """

    def __init__(
        self,
        name: str,
        title: str,
        function: Callable[..., Any],
        training: Training,
        view: View | None = None,
        notes: tuple[str, ...] = (),
        probe: Callable[..., Measured | Mapping[str, float]] | None = None,
        resplit: bool = False,
        datasets: tuple[str, ...] = (),
        profiles: tuple[str, ...] = (),
        **parameters: Any,
    ) -> None:
        super().__init__(name, title, function, notes, parameters)
        self.training, self.probe, self.resplit = training, probe, resplit
        self.datasets, self.profiles, self.view = datasets, profiles, view
        if resplit and training.held_out == "last":
            raise ValueError(f"method {name!r} draws its split anew, which has no published order to hold the last of")
        if isinstance(view, CleanedText):
            raise ValueError(f"method {name!r} sees texts, and a network takes numbers: give it WordIndices()")
        if isinstance(view, WordIndices) and parameters.get("vocabulary", view.vocabulary) != view.vocabulary:
            raise ValueError(
                f"method {name!r} sees a vocabulary of {view.vocabulary!r} words, and its network is given "
                f"{parameters['vocabulary']!r}: some words would have no row in its embedding, or rows no word"
            )
        self._check()


class Baseline(Method):
    """A classical method: ``function(X, y, **parameters)`` returns a fitted scikit-learn estimator.

    X: (n, p) float32, in [0, 1] for images; float64 for tables, standardised unless its view says otherwise. y: (n,)
    integers, or values for regression.
    It is fitted on the whole training split; only to choose a parameter on four fifths of it, drawn by the run's seed,
    and measured on the rest. What it predicts is its ``predict``; probabilities are those of its ``predict_proba``,
    where it has one. A function with a parameter ``seed`` gets the run's. deterministic: None finds out: a method whose
    first run draws random numbers, and predicts otherwise with others, gets all seeds. True is checked, and such a run
    ends as an error. ValueError for True where the function cannot do without a ``seed``.
    """

    uses_backend = False

    def __init__(
        self,
        name: str,
        title: str,
        function: Callable[..., Any],
        deterministic: bool | None = None,
        view: View | None = None,
        notes: tuple[str, ...] = (),
        resplit: bool = False,
        datasets: tuple[str, ...] = (),
        profiles: tuple[str, ...] = (),
        **parameters: Any,
    ) -> None:
        super().__init__(name, title, function, notes, parameters)
        self.deterministic, self.resplit = False if resplit else deterministic, resplit
        self.datasets, self.profiles, self.view = datasets, profiles, view
        self._check()
        if deterministic and "seed" not in parameters and takes_seed(function, required=True):
            raise ValueError(
                f"baseline {name!r} is declared deterministic, but its function asks for a seed: give it one as a "
                "parameter, or leave deterministic out"
            )


@dataclass(frozen=True)
class Measured:
    """What an experiment found. values: named numbers. curve: what its figures draw, a dict of numbers per point.

    arrays: by name, what no list of points holds: an image, a grid; NumPy arrays of numbers, kept as they are.
    """

    values: Mapping[str, float]
    curve: tuple[Mapping[str, float], ...] = ()
    arrays: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trained:
    """A network after its training. weights: its trainable arrays, in the order of the layers; first: as they were
    before it. outputs: from X as stored to logits (n, outputs).
    """

    weights: Sequence[Any]
    first: Sequence[Any]
    outputs: Callable[[Any], Any]


class Experiment(Method):
    """A calculation that shows a formula or an effect: ``function(dataset, rng, **parameters)`` returns `Measured`.

    It predicts nothing. dataset: as `lecturebench.datasets.load` gives it. rng: a NumPy generator from the run's seed.
    quantity: the number of its row; identity claims speak of any. backend: whether it computes with Keras; the others
    load no backend and have no use for one.
    """

    def __init__(
        self,
        name: str,
        title: str,
        function: Callable[..., Measured],
        quantity: str = "deviation",
        deterministic: bool = False,
        backend: bool = False,
        notes: tuple[str, ...] = (),
        **parameters: Any,
    ) -> None:
        super().__init__(name, title, function, notes, parameters)
        self.quantity, self.deterministic, self.uses_backend = quantity, deterministic, backend
        if self.choices:
            raise ValueError(f"experiment {name!r} leaves a parameter to choose; only a Network or a Baseline may")

    def view_of(self, kind: str) -> View | None:
        """None: it is given the dataset itself."""
        return None


def takes_seed(function: Callable[..., Any], *, required: bool = False) -> bool:
    """Whether a function has a parameter ``seed``. required: and no default for it."""
    try:
        seed = inspect.signature(function).parameters.get("seed")
    except (TypeError, ValueError):  # what is written in C has no signature
        return False
    return seed is not None and (seed.default is inspect.Parameter.empty or not required)
