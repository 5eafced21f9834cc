"""How a network is trained, and what of it validation data choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from lecturebench.declare.schedules import Schedule


@dataclass(frozen=True)
class Choice:
    """A parameter that no source prints, chosen on validation data by a rule fixed beforehand.

    It stands in place of a parameter of a `Network` or a `Baseline`, or of the learning rate of a `Training`.
    Each value of ``grid`` is fitted once per seed of ``seeds``; these are other seeds than the judged ones. The
    function is given a value as it is written here, 3 as 3 and not as 3.0.
    rule: "one standard error" takes the largest value whose mean validation error is within one standard error of the
    best (ISLP, sec. 6.1.3), which is for penalties, where larger is simpler; "least" takes the value with the least
    mean validation error, which is for learning rates, of which none is simpler.

    A method may leave several to choose. Then each combination of their values is fitted per seed, so that all have the
    same ``seeds``, and the combination with the least mean validation error is taken; of equally good ones that with
    the smallest values, in order of declaration. If one of them has the rule "one standard error", and at most one may,
    it then goes on among the combinations that share the best values of the others: the largest value whose mean is
    within one standard error of the best.
    """

    grid: tuple[float, ...]
    seeds: tuple[int, ...]
    rule: Literal["one standard error", "least"] = "one standard error"

    def __post_init__(self) -> None:
        if not self.grid or list(self.grid) != sorted(set(self.grid)):
            raise ValueError(f"grid is {self.grid!r}; it must be non-empty, increasing and without repeats")
        if len(self.seeds) < 2:
            raise ValueError(f"seeds is {self.seeds!r}; a standard error needs at least two")
        if self.rule not in ("one standard error", "least"):
            raise ValueError(f"rule is {self.rule!r}; it must be 'one standard error' or 'least'")


# Arguments of Keras' optimisers that this training loop would pass over or that are said elsewhere.
REFUSED_OPTIONS = {
    "learning_rate": "say it as Training(learning_rate=...), which recipe and page state",
    "use_ema": "averages of weights are not put in place at the end here; leave it out",
    "loss_scale_factor": "losses are not scaled here, so gradients would be divided by it; leave it out",
}


# The float type in which every network computes; a recipe says it.
PRECISION = "float32"


@dataclass(frozen=True)
class Training:
    """How a network is trained: everything of the recipe that is not the architecture.

    optimizer: name of a Keras optimiser; options: its further arguments, less `REFUSED_OPTIONS`. learning_rate: a
    `Choice` where no source prints it. schedule: the rate as a function of the step; None is constant. batch_size: the
    whole training set where it is larger. train_size: so many examples of the training split, drawn by the run's seed.
    validation: share of them held out, drawn likewise. looks: how often per epoch validation data are looked at.
    held_out: "random" draws the validation share by the run's seed; "last" takes the last of the published order, as
    Keras' ``validation_split`` does, or draws them where no such order is known, and says so. stopping: which epoch's
    weights are kept: the "last", or the "best", whose validation error is least (the first of equal ones). Rates and
    sizes are those of the source that the method cites.
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
    held_out: Literal["random", "last"] = "random"
    stopping: Literal["last", "best"] = "last"

    def __post_init__(self) -> None:
        for name in ("learning_rate", "batch_size", "epochs", "train_size", "looks"):
            value = getattr(self, name)
            if isinstance(value, int | float) and not value > 0:
                raise ValueError(f"{name} is {value!r}; it must be above 0")
        if not 0 <= self.validation < 1:
            raise ValueError(f"validation is {self.validation!r}; it must be in [0, 1)")
        if self.held_out not in ("random", "last"):
            raise ValueError(f"held_out is {self.held_out!r}; it must be 'random' or 'last'")
        if self.stopping not in ("last", "best"):
            raise ValueError(f"stopping is {self.stopping!r}; it must be 'last' or 'best'")
        if self.stopping == "best" and not self.validation:
            raise ValueError("stopping is 'best' and validation is 0; the best epoch is chosen on validation examples")
        for name, reason in REFUSED_OPTIONS.items():
            if self.options.get(name):
                raise ValueError(f"options has {name} {self.options[name]!r}: {reason}")
        # Keras' SGD says so itself; its RMSprop passes over a momentum below 0, which kernels do not.
        momentum = self.options.get("momentum", 0)
        if isinstance(momentum, int | float) and not 0 <= momentum <= 1:
            raise ValueError(f"options has momentum {momentum!r}; it must be in [0, 1]")
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))
