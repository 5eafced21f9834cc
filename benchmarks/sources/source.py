"""A place where something is printed: its claims share source, slide, data and protocol, which are said once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lecturebench import EquivalenceClaim, IdentityClaim, MinimumClaim, NumberClaim, OrderClaim

Protocol = Mapping[str, Any]

# A deviation of classifiers of two classes.
TWO_OUTPUTS = ("Two linear outputs and softmax where the source has one and a sigmoid: the same family of functions.",)


@dataclass(frozen=True, kw_only=True)
class Source:
    """source: where it stands. slide: which slide speaks of it. protocol, deviations: what holds for all of its claims.

    Each method makes one claim; a claim's own protocol and deviations are added to the common ones, and come first.
    """

    source: str
    slide: str
    dataset: str = "mnist"
    metric: str = "error"
    protocol: Protocol = field(default_factory=dict)
    deviations: tuple[str, ...] = ()

    def saying(self, source: str) -> Source:
        """The same, with what is printed there in other words or elsewhere."""
        return replace(self, source=source)

    def number(
        self,
        method: str,
        printed: str,
        protocol: Protocol,
        deviations: tuple[str, ...] = (),
        profiles: tuple[str, ...] = (),
    ) -> NumberClaim:
        """``method`` has the number printed as ``printed``. profiles: those alone that can follow its protocol."""
        common = self._common(protocol, deviations=deviations)
        return NumberClaim(method=method, printed=printed, profiles=profiles, **common)

    def order(
        self,
        *order: str,
        protocol: Protocol,
        metric: str = "",
        about: Literal["table", "statement"] = "statement",
        quantity: str = "",
        deviations: tuple[str, ...] = (),
    ) -> OrderClaim:
        """The methods stand in this order of the metric, the lowest first. quantity: the metric in words."""
        common = self._common(protocol, metric, deviations)
        return OrderClaim(order=order, about=about, quantity=quantity, **common)

    def alike(
        self,
        a: str,
        b: str,
        *,
        within: str,
        because: str,
        protocol: Protocol,
        about: Literal["table", "statement"] = "statement",
    ) -> EquivalenceClaim:
        """Two methods have the same metric within ``within``."""
        common = self._common(protocol)
        return EquivalenceClaim(pair=(a, b), delta=within, because=because, about=about, **common)

    def lowest_inside(self, *path: str, protocol: Protocol, metric: str) -> MinimumClaim:
        """Along the path the metric is lowest inside and not at an end."""
        return MinimumClaim(path=path, **self._common(protocol, metric))

    def holds(
        self,
        method: str,
        statement: str,
        tolerance: float,
        protocol: Protocol,
        metric: str = "deviation",
        *,
        unit: str,
        quantity: str = "",
    ) -> IdentityClaim:
        """``statement`` holds: what ``method`` measures is within ``tolerance``, in such units."""
        common = self._common(protocol, metric)
        return IdentityClaim(
            method=method, statement=statement, tolerance=tolerance, unit=unit, quantity=quantity, **common
        )

    def _common(self, protocol: Protocol, metric: str = "", deviations: tuple[str, ...] = ()) -> dict[str, Any]:
        return {
            "metric": metric or self.metric,
            "dataset": self.dataset,
            "source": self.source,
            "slide": self.slide,
            "protocol": {**protocol, **{name: value for name, value in self.protocol.items() if name not in protocol}},
            "deviations": (*deviations, *self.deviations),
        }
