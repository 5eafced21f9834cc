"""What was published: numbers, orders, equivalences, times to a target and identities, each with source and protocol.

These are declarations. `lecturebench.judging.statistics` has the rules that judge them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import ClassVar, Literal


@dataclass(frozen=True)
class ProtocolField:
    """One part of how a published number was obtained: printed by a source, or assumed by us, and why.

    ``selected``: the number is the best of several runs, or was picked by its test error. best_of: of how many, None
    where no source says.
    """

    value: str
    status: Literal["stated", "assumed", "selected"]
    source: str
    best_of: int | None = None


def stated(value: str, source: str) -> ProtocolField:
    """A protocol field that ``source`` prints."""
    return ProtocolField(value, "stated", source)


def assumed(value: str, why: str) -> ProtocolField:
    """A protocol field that no source prints, and why we take this value."""
    return ProtocolField(value, "assumed", why)


def selected(value: str, source: str, best_of: int | None = None) -> ProtocolField:
    """That the published number was selected by test error: the best of ``best_of`` runs, None if nobody says."""
    if best_of is not None and best_of < 2:
        raise ValueError(f"best_of is {best_of!r}; a selection is of at least 2 runs")
    return ProtocolField(value, "selected", source, best_of)


Group = Literal["number", "effect", "formula"]
About = Literal["table", "statement"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Something published, with where it stands and how it was obtained. Use one of the kinds below.

    metric: its name in `lecturebench.metrics` or the benchmark's ``metrics``, on test; "validation error" and the like
    of another split; or what a method measured. "" is the benchmark's own ``metric``.
    profiles: those alone that can judge it, it is not_run on others; () is all that judge anything. A protocol field
    that was `selected` is judged as the best of so many runs. Numbers, effects and formulas are counted apart:
    ``group`` says which it is. elsewhere: its dataset where that is not its benchmark's first, filled in by that.
    """

    kind: ClassVar[str] = ""
    group: ClassVar[Group] = "effect"
    profiles: tuple[str, ...] = ()
    metric: str = ""
    source: str
    slide: str
    dataset: str
    protocol: Mapping[str, ProtocolField]
    deviations: tuple[str, ...] = ()
    elsewhere: str = ""

    @property
    def name(self) -> str:
        """What it says, and on which dataset where that is another one than its benchmark's first."""
        return self._name + (f" on {self.elsewhere}" if self.elsewhere else "")

    @property
    def _name(self) -> str:
        raise NotImplementedError

    @property
    def methods(self) -> tuple[str, ...]:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class NumberClaim(Claim):
    """``method`` has the test ``metric`` printed as ``printed`` ("2.3%" stands for 2.25% to 2.35%)."""

    kind: ClassVar[str] = "number"
    group: ClassVar[Group] = "number"
    method: str
    printed: str

    def __post_init__(self) -> None:
        parse_printed(self.printed)

    @property
    def _name(self) -> str:
        return " ".join(filter(None, (self.method, self.metric, self.printed)))

    @property
    def methods(self) -> tuple[str, ...]:
        return (self.method,)

    @property
    def published(self) -> float:
        """The printed value; percentages as shares in [0, 1]."""
        return float(parse_printed(self.printed)[0])

    @property
    def unit(self) -> float:
        """The last printed digit's worth (0.001 for "2.3%"): the true value may be half of it off either way."""
        return float(parse_printed(self.printed)[1])


@dataclass(frozen=True, kw_only=True)
class OrderClaim(Claim):
    """The methods stand in increasing order of the test metric: order[0] < order[1] < …

    about: "table" for what a printed table shows on its test set, judged over seeds alone; "statement" for what is said
    in general, judged over seeds and test examples. quantity: the metric in words, where its name does not say it.
    """

    kind: ClassVar[str] = "order"
    order: tuple[str, ...]
    about: About = "statement"
    quantity: str = ""

    def __post_init__(self) -> None:
        if len(self.order) < 2 or len(set(self.order)) < len(self.order):
            raise ValueError(f"order is {self.order!r}; it needs at least two different methods")

    @property
    def _name(self) -> str:
        by = "" if self.metric in ("", "error") else f" by {self.metric}"
        return f"order {' < '.join(self.order)}{by}"

    @property
    def methods(self) -> tuple[str, ...]:
        return self.order


@dataclass(frozen=True, kw_only=True)
class EquivalenceClaim(Claim):
    """Two methods have the same test metric within ``delta``, written as numbers are printed ("0.5%").

    because: why a difference of that size is none, fixed before anything was fitted; never a published difference, on
    whose border an exact reproduction would lie, where no number of seeds decides.
    about: as of `OrderClaim`.
    """

    kind: ClassVar[str] = "equivalence"
    pair: tuple[str, str]
    delta: str
    because: str
    about: About = "statement"

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise ValueError(f"delta is {self.delta!r}; it must be above 0: no two methods are exactly equal")

    @property
    def _name(self) -> str:
        return f"{self.pair[0]} = {self.pair[1]} within {self.delta}"

    @property
    def methods(self) -> tuple[str, ...]:
        return self.pair

    @property
    def tolerance(self) -> float:
        """delta as a number; percentages as shares in [0, 1]."""
        return float(parse_printed(self.delta)[0])


@dataclass(frozen=True, kw_only=True)
class MinimumClaim(Claim):
    """Along ``path``, methods in the order of one parameter, the metric is best inside and not at an end.

    Best is lowest, and highest where higher is better: ``extreme`` says which; the benchmark fills it in. A general
    statement: judged over seeds and test examples.
    """

    kind: ClassVar[str] = "minimum"
    path: tuple[str, ...]
    extreme: Literal["lowest", "highest"] = "lowest"

    def __post_init__(self) -> None:
        if len(self.path) < 3 or len(set(self.path)) < len(self.path):
            raise ValueError(f"path is {self.path!r}; it needs at least three different methods to have an inside")

    @property
    def _name(self) -> str:
        return f"{self.metric} {self.extreme} between {self.path[0]} and {self.path[-1]}"

    @property
    def methods(self) -> tuple[str, ...]:
        return self.path


@dataclass(frozen=True, kw_only=True)
class TimeToTargetClaim(Claim):
    """``faster`` needs fewer steps than ``slower`` until its metric on validation data is as good as ``target`` ("3%").

    metric: "" is "validation error", with the benchmark's own metric in place of the error. Runs are paired by seed; it
    takes five pairs. A run that never gets there is slower than all that did.
    """

    kind: ClassVar[str] = "time to target"
    faster: str
    slower: str
    target: str

    def __post_init__(self) -> None:
        parse_printed(self.target)

    @property
    def _name(self) -> str:
        return f"{self.faster} before {self.slower} at {self.metric} {self.target}"

    @property
    def methods(self) -> tuple[str, ...]:
        return (self.faster, self.slower)

    @property
    def threshold(self) -> float:
        """target as a number; percentages as shares in [0, 1]."""
        return float(parse_printed(self.target)[0])


@dataclass(frozen=True, kw_only=True)
class IdentityClaim(Claim):
    """What ``statement`` says holds exactly: the ``metric`` that ``method`` measures is within ``tolerance``.

    The largest value over the seeds counts. tolerance: what the arithmetic allows, and why is in the protocol. unit:
    what the metric is measured in, as it follows a number: "of the gradient's length", "base rates". quantity: what it
    is where it is no deviation: "the share that is left".
    """

    kind: ClassVar[str] = "identity"
    group: ClassVar[Group] = "formula"
    method: str
    statement: str
    tolerance: float
    metric: str = "deviation"
    unit: str = ""
    quantity: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < float("inf"):
            raise ValueError(f"tolerance is {self.tolerance!r}; it must be finite and not negative")

    @property
    def _name(self) -> str:
        return f"{self.method}: {self.statement}"

    @property
    def methods(self) -> tuple[str, ...]:
        return (self.method,)


def parse_printed(printed: str) -> tuple[Decimal, Decimal]:
    """The value and the worth of its last digit: "2.3%" gives (0.023, 0.001). ValueError if it is no number."""
    text = printed.strip()
    percent = text.endswith("%")
    try:
        value = Decimal(text.removesuffix("%").strip())
    except InvalidOperation:
        raise ValueError(
            f"{printed!r} is no printed number; write it as the source does, say '2.3%' or '254.7'"
        ) from None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{printed!r} is not finite")
    unit = Decimal(1).scaleb(exponent)
    return (value / 100, unit / 100) if percent else (value, unit)
