"""Speed on a terminal: what `lecturebench.report.speed.summary` found, as tables or, in narrow ones, as lines."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from lecturebench.report.speed import Curve, Goal, Row, Speed, Table, library
from lecturebench.wording import clean

NARROW = 80  # columns below which a table would lose its names or its numbers
WORDS = {"met": ("✓ met", "green"), "not met": ("✗ not met", "bold red")}


def speed_table(speed: Speed, width: int = 80) -> RenderableType:
    """For each work a table of its ways and one of its targets, then the exponents, then machine and date."""
    parts: list[RenderableType] = []
    for table in speed.tables:
        heading = Text.assemble((table.title, "bold"), (f"  {clean(table.heading)}", "dim"))
        parts += [Text(), heading, Text(table.about, style="dim"), Text()]
        parts += [_ways(table)] if width >= NARROW else [_way_in_words(row) for row in table.rows]
        if table.goals:
            parts += [Text(), *([_goals(table.goals)] if width >= NARROW else map(_goal_in_words, table.goals))]
        parts += [Text(clean(line), style="bold red") for line in table.unequal]
        parts += [Text(), *(Text(clean(line), style="dim") for line in table.remarks)]
    if speed.curves:
        about = "exponent b of a·x^b with its standard error: 1 is in proportion, 0 not at all"
        parts += [Text(), Text("Growth", style="bold"), Text(about, style="dim"), Text()]
        parts += [_growth(speed.curves)] if width >= NARROW else [_curve_in_words(curve) for curve in speed.curves]
    return Group(*parts, Text(), *(Text(clean(line), style="dim") for line in speed.made))


def _table(left: Sequence[str], right: Sequence[str]) -> RichTable:
    """An empty table with columns of words and of numbers."""
    table = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in left:
        table.add_column(name, overflow="fold")
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _ways(table: Table) -> RichTable:
    shown = _table(("Way", "Library"), ("Seconds", "Spread", "As fast", "Error", "Start", "MiB"))
    for row in table.rows:
        name = clean(f"{row.title}: {row.note}" if row.note else row.title)
        numbers = (row.time or "–", row.spread, row.times, row.error, row.start, row.memory)
        style = "dim" if row.floor or not row.time else ""
        shown.add_row(Text(name), Text(clean(row.library)), *numbers, style=style)
    if table.usual:
        shown.caption = f"As fast: against {table.usual}."
        shown.caption_justify = "left"
    return shown


def _goals(goals: Sequence[Goal]) -> RichTable:
    shown = _table(("Ours", "against"), ("Ratio", "Range", "Target"))
    shown.add_column("")
    for goal in goals:
        own = goal.title.removeprefix("lecturebench, ")
        texts = (Text(clean(own)), Text(clean(goal.against)), goal.shown or "–", goal.range, goal.target)
        shown.add_row(*texts, _word(goal))
    return shown


def _word(goal: Goal) -> Text:
    word, style = WORDS.get(goal.word, (goal.word, "dim"))
    return Text(clean(word), style)


def _growth(curves: Sequence[Curve]) -> RichTable:
    shown = _table(("With", "Library"), ("From", "to", "Seconds", "Memory"))
    by_place: dict[tuple[str, str, str], dict[str, Curve]] = {}
    for curve in curves:
        by_place.setdefault((curve.title, curve.backend, curve.device), {})[curve.quantity] = curve
    for (title, backend, _), of in by_place.items():
        first = next(iter(of.values()))
        ends = (f"{first.points[0][0]:,.0f}", f"{first.points[-1][0]:,.0f}")
        exponents = (of[quantity].shown if quantity in of else "–" for quantity in ("seconds", "MiB"))
        shown.add_row(title, Text(clean(library(backend))), *ends, *exponents)
    return shown


def _way_in_words(row: Row) -> Text:
    parts = [f"{row.time} s"] if row.time else []
    parts += [f"error {row.error}"] if row.error else []
    parts += [f"{row.times} as fast"] if row.times else []
    parts += [row.note] if row.note else []
    return Text(clean(f"{row.title}, {row.library}: {', '.join(parts)}"))


def _goal_in_words(goal: Goal) -> Text:
    return Text.assemble(clean(f"{goal.title} against {goal.against}: {goal.shown} {goal.target} "), _word(goal))


def _curve_in_words(curve: Curve) -> Text:
    return Text(clean(f"{curve.quantity} with {curve.title}, {library(curve.backend)}: {curve.shown}"))
