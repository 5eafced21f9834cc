"""How the claims came out: numbers, effects and formulas, each counted apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lecturebench.declare.claims import Group
from lecturebench.judging.results import ClaimResult, verdict_word
from lecturebench.judging.statistics import ALPHA, Verdict

GROUPS: Mapping[Group, str] = {"number": "numbers", "effect": "effects", "formula": "formulas"}
SIGNS: Mapping[Verdict, str] = {"reproduced": "✓", "better": "+", "worse": "✗", "inconclusive": "?", "not_run": "○"}


@dataclass(frozen=True)
class Count:
    """The claims of one group by verdict. undecided: judged, but so near an edge that other seeds may turn it."""

    group: Group
    verdicts: Mapping[Verdict, int]
    undecided: int = 0

    @property
    def total(self) -> int:
        return sum(self.verdicts.values())

    @property
    def judged(self) -> int:
        return self.total - self.verdicts["not_run"]

    @property
    def name(self) -> str:
        """The group's name for that many: "numbers", "effect"."""
        return GROUPS[self.group] if self.total != 1 else GROUPS[self.group].removesuffix("s")

    @property
    def shown(self) -> list[tuple[Verdict, int, str]]:
        """The verdicts that were given, how often, and the word for each; "reproduced" also where it never was."""
        return [(v, self.verdicts[v], self._word(v)) for v in SIGNS if self.verdicts[v] or v == "reproduced"]

    def _word(self, verdict: Verdict) -> str:
        if verdict == "reproduced" and self.group == "formula":
            return "hold" if self.total != 1 else "holds"
        return verdict_word(verdict, self.group)

    def __str__(self) -> str:
        """ "4 of 7 reproduced, 1 better, 2 inconclusive; 1 not yet decided" """
        (_, n, word), *others = self.shown
        text = f"{n} of {self.total} {word}" + "".join(f", {k} {other}" for _, k, other in others)
        return text + (f"; {self.undecided} not yet decided" if self.undecided else "")


def counts(claims: Iterable[ClaimResult]) -> tuple[Count, ...]:
    """One count per group that has claims. A claim that was judged elsewhere does not count as not run."""
    by_claim: dict[tuple[str, str], list[ClaimResult]] = {}
    for result in claims:
        by_claim.setdefault((result.benchmark.name, result.claim.name), []).append(result)
    by_group: dict[Group, list[ClaimResult]] = {group: [] for group in GROUPS}
    for same in by_claim.values():
        by_group[same[0].claim.group] += [item for item in same if item.judgement.verdict != "not_run"] or same[:1]
    return tuple(
        Count(
            group,
            Counter(result.judgement.verdict for result in results),
            sum(result.judgement.undecided for result in results),
        )
        for group, results in by_group.items()
        if results
    )


def sentences(tally: Iterable[Count]) -> str:
    """ "Numbers: 4 of 7 reproduced, 1 better. Effects: 3 of 5 reproduced. Formulas: 25 of 25 hold." """
    return " ".join(f"{GROUPS[count.group].capitalize()}: {count}." for count in tally) or "No claims."


def headline(tally: Iterable[Count]) -> str:
    """ "3 of 4 numbers and 0 of 1 effect reproduced, 25 of 25 formulas hold": the groups that were judged; or ""."""
    by_group = {count.group: count for count in tally if count.judged}
    measured = [
        f"{count.verdicts['reproduced']} of {count.total} {count.name}"
        for group, count in by_group.items()
        if group != "formula"
    ]
    parts = [f"{' and '.join(measured)} reproduced"] if measured else []
    if formulas := by_group.get("formula"):
        verb = "hold" if formulas.total != 1 else "holds"
        parts.append(f"{formulas.verdicts['reproduced']} of {formulas.total} {formulas.name} {verb}")
    return ", ".join(parts)


def false_alarms(tally: Iterable[Count]) -> str:
    """How many false alarms chance alone explains, over numbers and effects; "" where neither was judged.

    Formulas have none: they are held to what the arithmetic allows.
    """
    n = sum(count.judged for count in tally if count.group != "formula")
    if not n:
        return ""
    most = f"{ALPHA * n:.2g}"
    alarms = "false alarm is" if most == "1" else "false alarms are"
    return (
        f"Even if all of them hold, up to {most} {alarms} to be expected: "
        f"{ALPHA:.0%} of the {n} {'number or effect' if n == 1 else 'numbers and effects'} judged."
    )
