"""All that is shown of the lines of ``speed.csv``: `summary` computes it, once, for the terminal and for the page.

Medians, ratios, shares of the floor and exponents are worked out here.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lecturebench.judging.noise import welch
from lecturebench.judging.statistics import Interval
from lecturebench.report.speed_lines import Line
from lecturebench.report.works import FLOORS, LIBRARIES, WORKS, Target, Work
from lecturebench.wording import expected_duration

LEVEL = 0.99  # of the interval of a difference between a peer's errors and ours
APART = 0.005  # half a point of error: rounds whose noise hides as much cannot compare errors
UNEQUAL = "another error: no peer"
UNKNOWN = "errors cannot be compared"
NAN = math.nan


@dataclass(frozen=True)
class Row:
    """A way as it is shown. Seconds: the median over the rounds with its range; NaN where there are none.

    times: how many times as fast as the usual way, the median over the rounds; NaN where that has no meaning.
    note: why there are no seconds, or no ratio. floor: it is no way, but a bound. own: it is lecturebench's. length: of
    its seconds, in percent of the slowest way's; 0 for none.
    """

    title: str
    library: str
    seconds: float
    low: float
    high: float
    start_seconds: float
    error_share: float
    mib: float
    ratio: float
    note: str
    floor: bool
    own: bool
    length: float

    @property
    def unequal(self) -> bool:
        """Whether it reached another error."""
        return self.note == UNEQUAL

    @property
    def time(self) -> str:
        """Its seconds."""
        return _time(self.seconds)

    @property
    def spread(self) -> str:
        """Half their range over the rounds, in percent of them; "" for a single one."""
        same = math.isnan(self.low) or self.low == self.high
        return "" if same else f"±{50 * (self.high - self.low) / self.seconds:.0f}%"

    @property
    def times(self) -> str:
        """How many times as fast as the usual way."""
        return "" if math.isnan(self.ratio) else f"{self.ratio:.2f}×"

    @property
    def error(self) -> str:
        """Its error, in percent."""
        return "" if math.isnan(self.error_share) else f"{self.error_share:.2%}"

    @property
    def start(self) -> str:
        """Its seconds until data are in memory."""
        return _time(self.start_seconds)

    @property
    def memory(self) -> str:
        """MiB of its largest process."""
        return "" if math.isnan(self.mib) else f"{self.mib:,.0f}"


@dataclass(frozen=True)
class Goal:
    """A ratio of seconds, the median over the rounds with its range, beside its target; NaN where there is none.

    share: of a floor. word: "met", "not met", or why nobody can tell; "" where there is no target.
    """

    title: str
    against: str
    ratio: float
    low: float
    high: float
    share: bool
    at_least: float
    word: str

    @property
    def shown(self) -> str:
        """The ratio, in so many digits that it is seen on which side of its target it lies; "" for none."""
        if math.isnan(self.ratio):
            return ""
        reached = self.ratio >= self.at_least
        digits = next(d for d in range(2, 18) if (round(self.ratio, d) >= self.at_least) == reached)
        return f"{self.ratio:.{digits}f}" + ("" if self.share else "×")

    @property
    def range(self) -> str:
        """Its range over the rounds; "" for a single one."""
        same = math.isnan(self.low) or self.low == self.high
        return "" if same else f"{self.low:.2f}–{self.high:.2f}"

    @property
    def target(self) -> str:
        """At least how much."""
        return "" if math.isnan(self.at_least) else f"≥ {self.at_least:g}" + ("" if self.share else "×")


@dataclass(frozen=True)
class Table:
    """A work on a device. heading: device and rounds. remarks: what a reader has to know of its numbers."""

    title: str
    heading: str
    about: str
    usual: str
    rows: tuple[Row, ...]
    goals: tuple[Goal, ...]
    remarks: tuple[str, ...]
    unequal: tuple[str, ...]


@dataclass(frozen=True)
class Curve:
    """How seconds, or MiB, grow with x on one backend: points, and the exponent b of a·x^b with its standard error."""

    of: str
    title: str
    backend: str
    device: str
    quantity: str
    points: tuple[tuple[float, float], ...]
    exponent: float
    error: float
    commits: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The exponent as people read it."""
        if math.isnan(self.exponent):
            return "–"
        return f"{self.exponent:.2f}" + ("" if math.isnan(self.error) else f" ± {self.error:.2f}")


@dataclass(frozen=True)
class Speed:
    """All that is shown. made: machine, versions, commit and date of the lines, a sentence for each that differs."""

    tables: tuple[Table, ...]
    curves: tuple[Curve, ...]
    made: tuple[str, ...]

    @property
    def unequal(self) -> tuple[str, ...]:
        """A line for each way that reached another error."""
        return tuple(line for table in self.tables for line in table.unequal)


def _time(seconds: float) -> str:
    """Seconds in three digits; "" for none."""
    return "" if math.isnan(seconds) else f"{seconds:,.0f}" if seconds >= 99.95 else f"{seconds:#.3g}"


def library(backend: str) -> str:
    """A backend in words."""
    return LIBRARIES[backend][1] if backend in LIBRARIES else backend


def summary(lines: Sequence[Line]) -> Speed:
    """All that is shown of these lines."""
    tables = []
    curves: list[Curve] = []
    for name, work in WORKS.items():
        own = [line for line in lines if line.work == name]
        if any(way.xs for way in work.ways):
            for device in dict.fromkeys(line.device for line in own):
                curves += _curves(work, device, [line for line in own if line.device == device])
        else:
            for device, x in dict.fromkeys((line.device, line.x) for line in own):
                tables.append(_table(work, device, [line for line in own if (line.device, line.x) == (device, x)]))
    return Speed(tuple(tables), tuple(curves), _made(lines))


Place = tuple[str, str]  # a way and its backend


def _table(work: Work, device: str, lines: Sequence[Line]) -> Table:
    order = [way.name for way in work.ways]
    by_place: dict[Place, list[Line]] = {}
    for line in sorted(lines, key=lambda line: order.index(line.way) if line.way in order else len(order)):
        by_place.setdefault((line.way, line.backend), []).append(line)
    seconds = {place: {line.round: _of_one(line) for line in of if line.seconds} for place, of in by_place.items()}
    measure = next((place for place, of in by_place.items() if place[0] == work.ours and _errors(of)), None)
    unequal = {
        place: why
        for place, of in by_place.items()
        if measure is not None and (why := _unequal(by_place[measure], of, work.way(place[0]).allowance))
    }
    usual = next((p for p in by_place if p[0] == work.usual and seconds[p] and p not in unequal), None)
    longest = max((_median(of.values()) for of in seconds.values() if of), default=NAN)

    def row(place: Place) -> Row:
        own, of, floor = seconds[place], by_place[place], place[0] in FLOORS
        base = seconds[usual] if usual and not floor and place not in unequal else {}
        return Row(
            work.way(place[0]).called(device),
            library(place[1]),
            _median(own.values()),
            min(own.values(), default=NAN),
            max(own.values(), default=NAN),
            _median(line.start_seconds for line in of),
            _median(line.error for line in of),
            _median(line.peak_rss_mib for line in of),
            _median(base[r] / own[r] for r in own if r in base),
            UNEQUAL
            if place in unequal
            else next((line.note for line in of if line.note), _doubt(measure, by_place, place)),
            floor,
            work.way(place[0]).script.startswith("ours"),
            round(100 * _median(own.values()) / longest, 2) if own else 0.0,
        )

    rounds = len({line.round for line in lines})
    return Table(
        work.title,
        f"{_device(device, lines[-1])}, {rounds} {'round' if rounds == 1 else 'rounds'}",
        work.about.format(x=lines[-1].x or "some"),
        named(work, usual, device) if usual else "",
        tuple(map(row, by_place)),
        tuple(_goal(work, target, device, by_place, seconds, unequal, measure) for target in work.targets),
        tuple(_remarks(work, device, lines, rounds, measure)),
        tuple(f"{named(work, place, device)}: {why}" for place, why in unequal.items()),
    )


def named(work: Work, place: Place, device: str) -> str:
    """A way and its library in words."""
    return f"{work.way(place[0]).called(device)}, {library(place[1])}"


def _device(device: str, line: Line) -> str:
    return line.gpu or "GPU" if device == "gpu" else f"{line.cores} {'core' if line.cores == 1 else 'cores'}"


def _of_one(line: Line) -> float:
    """Seconds of a run. A floor is measured on one thread; as many work beside each other as there are cores."""
    assert line.seconds is not None
    beside = line.cores if line.way in FLOORS and line.device == "cpu" else 1
    return line.seconds / max(1, beside)


def _errors(lines: Iterable[Line]) -> list[float]:
    return [line.error for line in lines if line.error is not None]


def _median(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else NAN


def _difference(ours: Sequence[Line], theirs: Sequence[Line]) -> Interval | None:
    """The interval of the difference between the mean errors of two ways; None where one has fewer than two."""
    a, b = _errors(ours), _errors(theirs)
    return welch(a, b).interval(LEVEL) if min(len(a), len(b)) > 1 else None


def _comparable(ours: Sequence[Line], theirs: Sequence[Line]) -> bool:
    """Whether the rounds could tell an error that is half a point off."""
    interval = _difference(ours, theirs)
    return interval is not None and (interval.high - interval.low) / 2 <= APART


def _doubt(measure: Place | None, by_place: Mapping[Place, Sequence[Line]], place: Place) -> str:
    """That a way's errors cannot be compared with those of ``measure``; "" where they can, or need not be."""
    if place == measure or place[0] in FLOORS:
        return ""
    return "" if measure and _comparable(by_place[measure], by_place[place]) else UNKNOWN


def _unequal(ours: Sequence[Line], theirs: Sequence[Line], allowance: float) -> str:
    """Why a way reached another error than ours; "" if it did not, or if nobody can tell.

    The 99% interval of the difference of the means over the rounds (Welch's t) must meet what is allowed beside noise:
    nothing, or as much as the way's own allowance on both sides of 0.
    """
    interval = _difference(ours, theirs)
    if interval is None or (interval.low <= allowance and interval.high >= -allowance):
        return ""
    of_both = f"error {statistics.fmean(_errors(theirs)):.2%}, ours {statistics.fmean(_errors(ours)):.2%}"
    return f"{of_both}: they differ by {100 * interval.low:.2f} to {100 * interval.high:.2f} points at {LEVEL:.0%}"


def _goal(
    work: Work,
    target: Target,
    device: str,
    by_place: Mapping[Place, Sequence[Line]],
    seconds: Mapping[Place, Mapping[int, float]],
    unequal: Mapping[Place, str],
    measure: Place | None,
) -> Goal:
    """The ratio of ours to what it is measured against, of each round its own; of several ways to the best of them.

    It meets its target only where ours and all that it is measured against ended in every round that ours was in, and
    where their errors can be told apart from those of ``measure``. A floor has none.
    """
    ours = (target.way, target.backend)
    there = [place for way in target.against if seconds.get(place := (way, target.of))]
    equal = [place for place in there if place not in unequal]
    against = min(equal, key=lambda place: _median(seconds[place].values()), default=None)
    own = seconds.get(ours, {})
    ratios: list[float] = []
    if against is not None and ours not in unequal:
        ratios = [seconds[against][r] / own[r] for r in own if r in seconds[against]]
    at_least = target.at_least if device == "cpu" else NAN
    ratio = _median(ratios)
    measured = [place for way in target.against if (place := (way, target.of)) in by_place and place not in unequal]
    begun = {line.round for line in by_place.get(ours, ())}
    if ratios and not all(begun <= seconds[place].keys() for place in (ours, *measured)):
        word = "rounds are lacking"
    elif ratios and any(_doubt(measure, by_place, place) for place in (ours, *measured)):
        word = UNKNOWN
    elif ratios:
        word = "" if math.isnan(at_least) else "met" if ratio >= at_least else "not met"
    elif ours in unequal or (there and against is None):
        word = UNEQUAL
    else:
        lacking = [*(by_place.get(ours, ()) if not own else ()), *by_place.get((target.against[0], target.of), ())]
        word = next((line.note for line in lacking if line.note), "not measured")
    other = named(work, against or (target.against[0], target.of), device)
    low, high = min(ratios, default=NAN), max(ratios, default=NAN)
    return Goal(named(work, ours, device), other, ratio, low, high, target.share, at_least, word)


def _remarks(work: Work, device: str, lines: Sequence[Line], rounds: int, measure: Place | None) -> Iterable[str]:
    if rounds < 2:
        yield "After one round nothing can be said of equal errors, nor of spread."
    elif measure is not None:
        allowed = [
            f" {way.called(device)} may be off by another {100 * way.allowance:g} points, since {way.because}."
            for way in work.ways
            if way.allowance and any(line.way == way.name and line.error is not None for line in lines)
        ]
        same = (
            f"Errors are compared with those of {named(work, measure, device)}: the same where the {LEVEL:.0%} interval"
        )
        yield f"{same} of the difference over the rounds holds 0.{''.join(allowed)}"
    if any(line.way in FLOORS and line.seconds is not None for line in lines):
        whole = "the whole card" if device == "gpu" else "a run per core, each on one thread"
        yield (
            f"The floor is of {whole}: its products at the rate that one of 2048 × 2048 numbers reaches in the same "
            "library. What RMSprop has to move is a bound only where the weights fit in no cache."
        )
    if device == "cpu" and work.targets and {line.cores for line in lines} != {2}:
        yield "The targets are meant for two cores."


def _curves(work: Work, device: str, lines: Sequence[Line]) -> Iterable[Curve]:
    for way in work.ways:
        for backend in dict.fromkeys(line.backend for line in lines):
            own = [line for line in lines if line.way == way.name and line.backend == backend and line.x is not None]
            for quantity, name in (("seconds", "seconds"), ("MiB", "peak_rss_mib")):
                values: dict[int, list[float]] = {}
                for line in own:
                    value = getattr(line, name)
                    if line.x is not None and value is not None and line.seconds is not None:
                        values.setdefault(line.x, []).append(value)
                points = tuple((float(x), statistics.median(values[x])) for x in sorted(values))
                if points:
                    made = tuple(sorted({line.commit for line in own if line.commit}))
                    yield Curve(way.name, way.title, backend, device, quantity, points, *exponent(points), made)


def exponent(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """b of a·x^b through these points by least squares of the logarithms, and its standard error; NaN where unknown."""
    if len({x for x, _ in points}) < 2:
        return NAN, NAN
    x, y = np.log(np.array(points, dtype=float)).T
    x = x - x.mean()
    spread = float(x @ x)
    slope = float(x @ y) / spread
    if len(points) < 3:
        return slope, NAN
    left = y - y.mean() - slope * x
    return slope, math.sqrt(float(left @ left) / (len(points) - 2) / spread)


def _made(lines: Sequence[Line]) -> tuple[str, ...]:
    """For each machine and commit: what the lines were measured on and when."""
    grouped: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        grouped.setdefault((line.cpu, str(line.cores), line.gpu, line.commit), []).append(line)
    sentences = []
    for (cpu, cores, gpu, commit), own in grouped.items():
        versions = sorted({part for line in own for part in line.versions.split(", ") if part})
        days = sorted({line.started[:10] for line in own if line.started})
        parts = [cpu or "unnamed processor", f"{cores} {'core' if cores == '1' else 'cores'}", gpu, *versions]
        sentence = ", ".join(part for part in parts if part)
        sentence += f"; commit {commit}" if commit else ""
        sentence += f"; {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "") if days else ""
        sentences.append(sentence)
    return tuple(sentences)


def takes(work: Work, rounds: int) -> str:
    """How long a work takes, in words."""
    return expected_duration(60 * work.minutes * rounds)
