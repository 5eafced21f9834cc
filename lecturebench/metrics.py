"""The metrics by name: which way is better, how each is computed from predictions and printed, what it is the mean of.

The formulas are scikit-learn's, under its names; it is imported when something is computed. What is no metric is a
number that a method measured: the lower the better, shown to three digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np

Task = Literal["classification", "regression"]
SPLITS = ("train", "validation", "test", "measured")
DEFAULT: Mapping[str, str] = MappingProxyType({"classification": "error", "regression": "mae"})


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a method predicts for n examples. predicted: (n,) classes as whole numbers, or values.

    probabilities: (n, classes), or None where a method has none. The class need not be the likeliest one: for
    scikit-learn's ``SVC(probability=True)`` it is not.
    """

    predicted: np.ndarray
    probabilities: np.ndarray | None = None


@dataclass(frozen=True)
class Metric:
    """A metric of predictions. A suite's own: ``Metric("kappa", "higher", lambda y, p: kappa(y, p.predicted))``.

    better: which way. of: its value from y (n,) and `Predictions`; NaN where it has none. title: in words. percent: it
    is a share in [0, 1], and printed as a percentage. digits: printed after the point of numbers from 1 on; None: three
    digits that count. losses: (n,) numbers of which it is the mean, so that methods are compared example by example;
    None where it is no mean. task: the only one that has it. needs_probabilities: of a class, for each example.
    """

    name: str
    better: Literal["lower", "higher"]
    of: Callable[[Any, Predictions], float]
    title: str = ""
    percent: bool = False
    digits: int | None = None
    losses: Callable[[Any, Predictions], Any] | None = None
    task: Task | None = None
    needs_probabilities: bool = False

    def __post_init__(self) -> None:
        if not self.name or len(self.name.split()) != 1:
            raise ValueError(f"a metric's name is {self.name!r}; it must be one word, say 'balanced_accuracy'")
        if self.better not in ("lower", "higher"):
            raise ValueError(f"better is {self.better!r} for {self.name}; it must be 'lower' or 'higher'")

    @property
    def higher_is_better(self) -> bool:
        return self.better == "higher"

    @property
    def words(self) -> str:
        """The name as people write it."""
        return self.title or self.name.replace("_", " ")

    def show(self, value: float) -> str:
        """A value as people write it: "2.31%", "254.7", "1.2e-16"; "–" for none."""
        if not math.isfinite(value):
            return "–" if math.isnan(value) else str(value)
        if self.percent:
            return f"{100 * value:.{2 if self.digits is None else self.digits}f}%"
        whole = self.digits is not None and (abs(value) >= 1 or value == 0)
        return f"{value:.{self.digits}f}" if whole else f"{value:.3g}"

    def reached(self, value: float, target: float) -> bool:
        """Whether a value is as good as the target."""
        return value >= target if self.higher_is_better else value <= target

    def cost(self, value: float) -> float:
        """The value, turned round where higher is better: of costs the lowest is the best."""
        return -value if self.higher_is_better else value

    def refusal(self, printed: str, value: float) -> str:
        """Why this is not printed as a value of this metric is; "" if it is. value: the number that it stands for."""
        if self.percent and not 0 <= value <= 1:
            return f"{self.name} is a share in [0, 1] and {printed!r} is {value:g}: write it as a percentage, '93.8%'"
        if printed.strip().endswith("%") and not self.percent and self.name in METRICS:
            return f"{self.name} is no share, but {printed!r} is a percentage: write the number, or name another metric"
        return ""


def _error(y: Any, p: Predictions) -> float:
    """A share of counts: exact, which 1 - accuracy is not."""
    from sklearn.metrics import zero_one_loss

    return float(zero_one_loss(y, p.predicted, normalize=False)) / len(y)


def _accuracy(y: Any, p: Predictions) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(y, p.predicted))


def _macro_f1(y: Any, p: Predictions) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(y, p.predicted, average="macro", zero_division=0))


def _top5_error(y: Any, p: Predictions) -> float:
    """NaN for five classes or fewer: no example could be outside."""
    import numpy as np
    from sklearn.metrics import top_k_accuracy_score

    probabilities = _probabilities(p)
    classes = probabilities.shape[1]
    if classes <= 5:
        return math.nan
    inside = top_k_accuracy_score(y, probabilities, k=5, labels=np.arange(classes), normalize=False)
    return (len(y) - float(inside)) / len(y)


def _log_loss(y: Any, p: Predictions) -> float:
    import numpy as np
    from sklearn.metrics import log_loss

    probabilities = _adding_up(_probabilities(p))
    return float(log_loss(y, probabilities, labels=np.arange(probabilities.shape[1])))


def _adding_up(probabilities: np.ndarray) -> np.ndarray:
    """With rows that add up to 1 exactly, as log_loss asks for: those in single or half precision do not."""
    import numpy as np

    sums = probabilities.sum(axis=1, keepdims=True)
    if (abs(sums - 1) < 1e-9).all():
        return probabilities
    return np.asarray(probabilities / np.where(sums > 0, sums, 1.0))


def _probabilities(p: Predictions) -> np.ndarray:
    """In double precision: scikit-learn clips at the precision that it is given. ValueError where there are none."""
    import numpy as np

    if p.probabilities is None:
        raise ValueError("there are no probabilities")
    return np.asarray(p.probabilities, dtype=np.float64)


def _mae(y: Any, p: Predictions) -> float:
    from sklearn.metrics import mean_absolute_error

    return float(mean_absolute_error(y, p.predicted))


def _mse(y: Any, p: Predictions) -> float:
    from sklearn.metrics import mean_squared_error

    return float(mean_squared_error(y, p.predicted))


def _rmse(y: Any, p: Predictions) -> float:
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(y, p.predicted))


def _r2(y: Any, p: Predictions) -> float:
    from sklearn.metrics import r2_score

    return float(r2_score(y, p.predicted)) if len(y) > 1 else math.nan


def _wrong(y: Any, p: Predictions) -> Any:
    return (p.predicted != y).astype(float)


def _right(y: Any, p: Predictions) -> Any:
    return (p.predicted == y).astype(float)


def _outside_top5(y: Any, p: Predictions) -> Any:
    import numpy as np

    last = np.argsort(_probabilities(p), axis=1, kind="mergesort")[:, -5:]  # ties as scikit-learn breaks them
    return (last != np.asarray(y)[:, None]).all(axis=1).astype(float)


def _surprise(y: Any, p: Predictions) -> Any:
    """-log of the true class's probability, clipped as scikit-learn's log_loss does."""
    import numpy as np

    probabilities = _adding_up(_probabilities(p))
    of_label = probabilities[np.arange(len(y)), np.asarray(y).astype(int)]
    return -np.log(np.clip(of_label, np.finfo(np.float64).eps, 1 - np.finfo(np.float64).eps))


def _absolute(y: Any, p: Predictions) -> Any:
    return abs(p.predicted - y)


def _squared(y: Any, p: Predictions) -> Any:
    return (p.predicted - y) ** 2


_CLASSES = (
    Metric("error", "lower", _error, percent=True, losses=_wrong, task="classification"),
    Metric("accuracy", "higher", _accuracy, percent=True, losses=_right, task="classification"),
    Metric(
        "top5_error",
        "lower",
        _top5_error,
        "top-5 error",
        percent=True,
        losses=_outside_top5,
        task="classification",
        needs_probabilities=True,
    ),
    Metric("macro_f1", "higher", _macro_f1, "macro F1", percent=True, task="classification"),
)
_VALUES = (
    Metric("mae", "lower", _mae, "mean absolute error", digits=1, losses=_absolute, task="regression"),
    Metric("rmse", "lower", _rmse, "root mean squared error", digits=1, task="regression"),
    Metric("r2", "higher", _r2, "R²", task="regression"),
)
# Mean cross-entropy of classes, mean squared error of values: what a network is trained on.
_CLASSES_LOSS = Metric("loss", "lower", _log_loss, losses=_surprise, needs_probabilities=True)
_VALUES_LOSS = Metric("loss", "lower", _mse, losses=_squared)

METRICS: Mapping[str, Metric] = MappingProxyType({m.name: m for m in (*_CLASSES, *_VALUES, _CLASSES_LOSS)})


def of_task(task: str, own: Iterable[Metric] = ()) -> dict[str, Metric]:
    """The metrics that a task has, by name; a suite's own among them, which may not take the name of one of ours."""
    ours = (*_CLASSES, _CLASSES_LOSS) if task == "classification" else (*_VALUES, _VALUES_LOSS)
    return {metric.name: metric for metric in (*ours, *own) if metric.task in (None, task)}


def measured_number(name: str) -> Metric:
    """What stands for the metric of a number that a method measured."""

    def of(y: Any, predictions: Predictions) -> float:
        raise ValueError(f"{name} is measured by a method and cannot be had from predictions")

    return Metric(name, "lower", of)


def split_of(name: str) -> tuple[str, str]:
    """Split and metric of a name: "validation error" gives ("validation", "error"), "error" ("test", "error")."""
    split, _, metric = name.rpartition(" ")
    return split or "test", metric


def named(name: str, known: Mapping[str, Metric] = METRICS) -> Metric:
    """The metric of a name, "validation error" among them; where it is none, what stands for a measured number."""
    split, metric = split_of(name)
    if split in SPLITS and metric in known:
        return known[metric]
    return measured_number(metric or "number")


def measure(y: Any, predictions: Predictions, known: Mapping[str, Metric]) -> dict[str, float]:
    """All of the known metrics that these predictions have, by name.

    Those of probabilities are left out where there are none; so is what is not defined here.
    """
    values = {
        metric.name: float(metric.of(y, predictions))
        for metric in known.values()
        if predictions.probabilities is not None or not metric.needs_probabilities
    }
    return {name: value for name, value in values.items() if not math.isnan(value)}


def headline(values: Mapping[str, float], name: str = "") -> str:
    """A run's test metrics in a few words, "test error 2.31%": that of the name, else the first known; "" for none."""
    for metric in (name, *METRICS):
        if metric in values:
            known = named(metric)
            return f"test {known.words} {known.show(values[metric])}"
    return ""
