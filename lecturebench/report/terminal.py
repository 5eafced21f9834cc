"""The results on a terminal: what was claimed first, verdicts as colour and word; and plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lecturebench.judging.changes import (
    SIGNS,
    ClaimChange,
    Comparison,
    RowChange,
    Side,
    Word,
    interval_text,
    signed,
    times,
)
from lecturebench.judging.changes import Block as Compared
from lecturebench.judging.results import Results, RowResult
from lecturebench.report.reasons import explained
from lecturebench.report.table import STALE_HEADING, Block, Line, blocks, summary
from lecturebench.report.tally import SIGNS as VERDICT_SIGNS
from lecturebench.report.tally import counts, false_alarms, sentences
from lecturebench.wording import clean

if TYPE_CHECKING:
    from lecturebench.report.style import MethodStyle

VERDICT_STYLES = {
    "reproduced": "green",
    "better": "cyan",
    "worse": "bold red",
    "contradicted": "bold red",
    "inconclusive": "yellow",
    "not run": "dim",
}
CHANGE_STYLES: dict[Word, str] = {"worse": "bold red", "better": "cyan", "same": "dim", "cannot tell": "yellow"}


NARROW = 80  # columns below which a table would lose its names or its numbers


def terminal_table(results: Results, width: int = 80) -> RenderableType:
    """A table per benchmark, dataset and profile, in 80 columns; the reasons under it; the tally last.

    Methods have the marks and colours of the page. width: of the terminal; a narrow one has lines in place of tables.
    """
    from lecturebench.report.sections import benchmarks_of, styles_of  # matplotlib, which plain lines do without

    styles = styles_of(benchmarks_of(results))
    parts: list[RenderableType] = []
    title = ""
    for block in blocks(results):
        if block.benchmark.title != title:
            title = block.benchmark.title
            parts += [Text(clean(title), style="bold"), Text()]
        parts.append(Text(clean(block.heading), style="dim"))
        parts += [_table(block, styles)] if width >= NARROW else _narrow(block, styles)
        parts += [Text(f"{clean(line.method)}: predicting takes another {line.predicting}") for line in _slow(block)]
        parts += [Text(clean(block.columns), style="dim")] if block.columns else []
        parts += [_coloured(reason, ": {}: ", VERDICT_STYLES) for reason in block.reasons]
        parts.append(Text())
    parts += [Text(clean(line), style="yellow") for line in _stale_lines(results)]
    parts += [Text(f"note: {clean(note)}", style="yellow") for note in results.notes]
    parts += [Text(line, style="dim") for line in _alarm_lines(results)]
    return Group(*parts, Text(summary(results), style="bold"))


def plain_lines(results: Results) -> list[str]:
    """The same without layout: one line per row, claim and note, then the tally."""
    lines: list[str] = []
    for block in blocks(results):
        about = f"{block.benchmark.name}, {block.heading}"
        lines += [f"{about}: {_sentence(line)}" for line in block.lines]
        lines += [f"{about}: {block.columns}"] if block.columns else []
        lines += [f"{about}: {result.claim.name}: {explained(result)}" for result in block.claims]
    lines += _stale_lines(results)
    lines += [f"note: {note}" for note in results.notes]
    return [clean(line) for line in [*lines, *_alarm_lines(results), summary(results)]]


def comparison_table(comparison: Comparison, width: int = 80) -> RenderableType:
    """A table per benchmark, dataset and profile; reasons under it; the outcome last. width: as of `terminal_table`."""
    parts: list[RenderableType] = [_named(f"{x}  ", side.name, side.about) for x, side in _sides(comparison)]
    parts.append(Text())
    title = ""
    alone = [block for block in comparison.blocks if not block.rows]
    for block in comparison.blocks:
        if block in alone:
            continue
        if block.benchmark.title != title:
            title = block.benchmark.title
            parts += [Text(clean(title), style="bold"), Text()]
        parts.append(Text(clean(block.heading), style="dim"))
        if width >= NARROW:
            parts.append(_change_table(block, wide=width >= 100))
        else:
            sentences_of = [_change_sentence(block, change) for change in block.rows]
            parts += [_coloured(sentence, ": {}: ", CHANGE_STYLES) for sentence in sentences_of]
        parts += [_coloured(reason, ": {}: ", CHANGE_STYLES) for reason in block.reasons]
        parts += [Text(clean(line)) for line in _one_sided(block)]
        parts.append(Text())
    for block in alone:
        about = f"{block.benchmark.name}, {block.heading}"
        parts += [Text(clean(f"{about}: {line}")) for line in _one_sided(block)]
    parts += [Text()] if alone else []
    if comparison.claims:
        parts.append(Text("Claims with another verdict", style="bold"))
        parts += [_coloured(_claim_sentence(change), "{}", VERDICT_STYLES) for change in comparison.claims]
        parts.append(Text())
    parts += [Text(clean(line), style="dim") for line in _explanations(comparison)]
    parts += [Text(f"note: {clean(note)}", style="yellow") for note in comparison.notes]
    parts += [Text(clean(line)) for line in _outcome(comparison)]
    return Group(*parts, Text(f"{comparison.headline}.", style="bold red" if comparison.worse else "bold"))


def comparison_lines(comparison: Comparison) -> list[str]:
    """The same without layout: one line per row, claim and note, then the outcome."""
    lines = [f"{x}: {side.name}: {side.about}" for x, side in _sides(comparison)]
    for block in comparison.blocks:
        about = f"{block.benchmark.name}, {block.heading}"
        lines += [f"{about}: {_change_sentence(block, change)}" for change in block.rows]
        lines += [f"{about}: {line}" for line in _one_sided(block)]
    lines += [f"claim of {_claim_sentence(change)}" for change in comparison.claims]
    lines += _explanations(comparison)
    lines += [f"note: {note}" for note in comparison.notes]
    return [clean(line) for line in [*lines, *_outcome(comparison), f"{comparison.headline}."]]


def _table(block: Block, styles: Mapping[str, MethodStyle]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("Method", overflow="fold")
    table.add_column("Published", justify="right", no_wrap=True)
    table.add_column("Measured", justify="right", no_wrap=True)
    table.add_column("n", justify="right")
    table.add_column("Interval", justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Time", justify="right", no_wrap=True)
    for line in block.lines:
        mark = VERDICT_SIGNS[line.result.judgement.verdict] if line.result else ""
        look = styles[line.method]
        method = Text.assemble((look.glyph, look.colour), f" {clean(line.method)}")
        cells = (line.published, line.measured, line.runs, line.interval)
        verdict = Text(f"{mark} {line.verdict}", VERDICT_STYLES.get(line.verdict, ""))
        table.add_row(method, *(Text(clean(cell)) for cell in cells), verdict, Text(line.time))
    return table


def _narrow(block: Block, styles: Mapping[str, MethodStyle]) -> list[Text]:
    """The rows as a line for the method and one for its numbers."""
    parts = []
    for line in block.lines:
        look = styles[line.method]
        parts.append(Text.assemble((look.glyph, look.colour), f" {clean(line.method)}"))
        mark = f": {VERDICT_SIGNS[line.result.judgement.verdict]} {line.verdict}" if line.result else ""
        parts.append(_coloured(f"  {_numbers(line)}{mark}", " {}", VERDICT_STYLES))
    return parts


def _slow(block: Block) -> list[Line]:
    """A line of each method whose predicting takes long beside fitting; a method with several claims has several."""
    return list({line.method: line for line in block.lines if line.predicting}.values())


def _stale_lines(results: Results) -> list[str]:
    head = [f"{STALE_HEADING}:"] if results.stale else []
    return head + [f"  {what}: {why}" for what, why in results.stale]


def _alarm_lines(results: Results) -> list[str]:
    alarms = false_alarms(counts(results.claims))
    return [alarms] if alarms else []


def _sentence(line: Line) -> str:
    verdict = f": {explained(line.result)}" if line.result else ""
    return f"{line.method}: {_numbers(line)}{verdict}"


def _numbers(line: Line) -> str:
    parts = [f"published {line.published}"] if line.published else []
    parts.append(f"measured {line.measured}" + (f", n = {line.runs}" if line.runs else ""))
    if line.interval:
        parts.append(f"interval {line.interval}")
    if line.time:
        parts.append(f"fitted in {line.time}" + (f", predicted in {line.predicting}" if line.predicting else ""))
    return ", ".join(parts)


def _sides(comparison: Comparison) -> tuple[tuple[str, Side], ...]:
    return (("A", comparison.a), ("B", comparison.b))


def _named(mark: str, name: str, about: str) -> Text:
    return Text.assemble((mark, "bold"), (clean(name), "bold"), (f"  {clean(about)}", "dim"))


def _change_table(block: Compared, *, wide: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("Method", overflow="fold")
    for name in ("A", "B", "B - A", "95% interval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("Error is", no_wrap=True)
    table.add_column("Time", justify="right", no_wrap=True)
    if wide:
        table.add_column("its range", justify="right", no_wrap=True)
    for change in block.rows:
        means = (_mean(change.a), _mean(change.b))
        difference = "" if change.word == "same" else signed(change.difference, change.b.measure)
        cells = (block.label(change.b), *means, difference, interval_text(change.alone, change.b.measure), _n(change))
        time = times(change.time.ratio)
        timed = [f"{time}*" if time and not change.time.same else time, *([_range(change)] if wide else [])]
        word = Text(f"{SIGNS[change.word]} {change.word}", CHANGE_STYLES.get(change.word, ""))
        table.add_row(*map(Text, map(clean, cells)), word, *map(Text, timed))
    return table


def _mean(row: RowResult) -> str:
    return row.measure.show(row.mean)


def _n(change: RowChange) -> str:
    """The runs of A and B, once if they are as many."""
    return str(change.b.n) if change.a.n == change.b.n else f"{change.a.n}/{change.b.n}"


def _range(change: RowChange) -> str:
    """The range of its ratio of times; "" where there is none."""
    low, high = times(change.time.low), times(change.time.high)
    return f"{low} to {high}" if low and high else ""


def _coloured(line: str, pattern: str, styles: Mapping[Any, str]) -> Text:
    """A line with the words in it in their colours, where they stand as the pattern says."""
    text = Text(clean(line))
    for word, style in styles.items():
        text.highlight_words([pattern.format(word)], style)
    return text


def _change_sentence(block: Compared, change: RowChange) -> str:
    of = _mean(change.a), _mean(change.b)
    text = f"{block.label(change.b)}: {change.word}: {of[0]} in A, {of[1]} in B, n = {_n(change)}: {change.reason}"
    time = change.time
    if times(time.ratio):
        spread = f" ({_range(change)})" if _range(change) else ""
        where = "" if time.same else f", on other machines ({time.machine_a}; {time.machine_b})"
        text += f"; time {times(time.ratio)}{spread}{where}"
    return f"{text}; changed: {', '.join(change.changed)}" if change.changed else text


def _one_sided(block: Compared) -> list[str]:
    return [
        f"only in {side}: {', '.join(map(block.label, rows))}"
        for side, rows in (("A", block.only_a), ("B", block.only_b))
        if rows
    ]


def _claim_sentence(change: ClaimChange) -> str:
    about = f"{change.b.benchmark.name}: {change.b.claim.name} on {change.place}"
    return f"{about}: {change.a.word} → {change.b.word}"


def _explanations(comparison: Comparison) -> list[str]:
    lines = [comparison.alarms] if comparison.alarms else []
    if comparison.other_machines:
        lines.append("* times of different machines or numbers of threads: they say nothing about the code")
    return lines


def _outcome(comparison: Comparison) -> list[str]:
    claims = [f"{x}: {sentences(counts(side.claims.values()))}" for x, side in _sides(comparison) if side.claims]
    worse = [f"worse: {', '.join(comparison.worse)}"] if comparison.worse else []
    return [*claims, comparison.summary, *worse]
