"""The folder ``figures/``: what the page needs is drawn first, all formats after it, and nothing twice.

A figure is drawn again unless what it is made of is known and still the same: the runs and verdicts of its section, and
the code, as `basis` has them. Its caption and words stand in ``figures/manifest.json``, its drawing in the SVG file;
and the manifest has a digest over all of them, so that a figure that is not as it was drawn is drawn anew.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

from markupsafe import Markup

from lecturebench.environment import cores
from lecturebench.report.beside import FORMATS, Beside, Draw, Drawn, fault
from lecturebench.report.beside import kept as kept_as
from lecturebench.report.style import Picture, styled, themed
from lecturebench.store import parse, read_whole, write_whole

MANIFEST = "manifest.json"
TEXTS = ("basis", "title", "caption", "alt")
FEW = 4  # figures that are drawn here before a process beside has started
WIDE = 500.0  # points; figures of fewer stand side by side
HELD = 64  # pictures kept drawn between the page and the files, so that memory does not grow with the number of runs


@dataclass(frozen=True, eq=False)
class Plate:
    """A figure that can be drawn. draw: None if there is nothing to draw.

    basis: digest of what it is made of; "" where that cannot be named, and the figure is drawn each time.
    main: whether the page and the slides show it; others lie in the folder alone.
    """

    name: str
    basis: str
    draw: Draw
    main: bool = True


@dataclass(frozen=True)
class Shown:
    """A figure as the page shows it."""

    name: str
    title: str
    caption: str
    alt: str
    svg: bytes

    @property
    def wide(self) -> bool:
        """Whether it needs the width of the page."""
        found = re.search(rb'<svg[^>]* width="([0-9.]+)pt"', self.svg)
        return found is not None and float(found[1]) > WIDE

    @property
    def inline(self) -> Markup:
        """The SVG for the page, following its theme."""
        return themed(self.svg, self.alt)


class Album:
    """The figures of one report folder; without one, all are drawn anew. Faults of a drawing are lines in ``notes``."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder / "figures" if folder else None
        self._entries: set[str] = set()
        self._known = self._read()
        self._drawn: dict[str, Picture] = {}
        self._faulty: set[str] = set()
        self._sound: set[str] = set()  # found as they were drawn: not read and parsed again
        self._asked: dict[str, Beside] = {}
        self.notes: list[str] = []

    def shown(self, plate: Plate) -> Shown | None:
        """The figure for the page, from its file where that is up to date; None if there is nothing to see."""
        files = self._current(plate)
        if files:
            self._sound.add(plate.name)
            texts = self._known[plate.name]
            return Shown(plate.name, texts["title"], texts["caption"], texts["alt"], files["svg"])
        picture = self._picture(plate)
        if picture is None:
            return None
        return Shown(plate.name, picture.title, picture.caption, picture.alt, picture.svg)

    @contextmanager
    def beside(self, plates: Iterable[Plate]) -> Iterator[None]:
        """Inside, those of the figures that are not up to date are drawn by another process, for `finish`.

        On a single core, or of few, they are drawn here when it is their turn. ValueError without a folder.
        """
        lacking = {plate.name: plate.draw for plate in plates if not self._is_sound(plate)}
        if cores() == 1 or len(lacking) <= FEW:
            yield
            return
        with Beside(lacking) as process:
            self._asked = dict.fromkeys(lacking, process)
            try:
                yield
            finally:
                self._asked = {}

    def finish(self, plates: Iterable[Plate], settled: Callable[[], bool] = lambda: True) -> tuple[int, int]:
        """Write every figure that is not up to date, in all formats, and delete those that are no more.

        Returns how many were drawn and how many kept. Other files in the folder stay. ValueError without a folder.
        settled: whether what was drawn by now is of the code that its basis is of; else the next album draws it again.
        """
        if self._folder is None:
            raise ValueError("this album has no folder; give it one to write its figures")
        every = list(plates)
        manifest = {plate.name: self._known[plate.name] for plate in every if self._is_sound(plate)}
        kept = len(manifest)
        lacking = [plate for plate in reversed(every) if plate.name not in manifest]
        # Those drawn beside come last, and of them the last one first: so both have something to do until the end.
        for plate in sorted(lacking, key=lambda plate: plate.name in self._asked):
            drawn = self._finished(plate)
            if drawn is None:
                continue
            for ending, content in drawn.files.items():
                write_whole(self._file(plate.name, ending), content)
            entry = {"basis": plate.basis if settled() else "", **drawn.texts}
            manifest[plate.name] = {**entry, "digest": _digest(entry, drawn.files)}
        for name in set(self._known) - set(manifest):
            for ending in FORMATS:
                with suppress(OSError, ValueError):  # names that a manifest may have been given
                    self._file(name, ending).unlink(missing_ok=True)
        write_whole(self._folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
        return len(manifest) - kept, kept

    def _finished(self, plate: Plate) -> Drawn | None:
        """The figure in all formats, from the process beside where that has begun it; None if there is none."""
        with suppress(LookupError):
            drawn = self._asked[plate.name].take(plate.name)
            if isinstance(drawn, str):
                self._note(plate, drawn)
                return None
            return drawn
        picture = self._picture(plate)
        self._drawn.pop(plate.name, None)
        return None if picture is None else kept_as(picture)

    def _note(self, plate: Plate, what: str) -> None:
        self._faulty.add(plate.name)
        self.notes.append(f"figure {plate.name} could not be drawn: {what}")

    def _picture(self, plate: Plate) -> Picture | None:
        if plate.name in self._faulty:
            return None
        if plate.name not in self._drawn:
            try:
                with styled():
                    picture = plate.draw()
                    if picture is None:
                        return None
                    picture.svg  # noqa: B018 - a fault of its texts shows only now
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # also what calls sys.exit: it must not end the report
                self._note(plate, fault(error))
                return None
            if len(self._drawn) >= HELD:
                return picture
            self._drawn[plate.name] = picture
        return self._drawn[plate.name]

    def altered(self) -> list[str]:
        """The names of figures that are not as they were drawn; that of the manifest where it cannot tell of one."""
        unknown = [MANIFEST] if self._folder and self._entries != set(self._known) else []
        return unknown + [name for name in self._known if not self._kept(name)]

    def differing(self, plates: Iterable[Plate]) -> list[str]:
        """The names of figures here that are not what these plates draw; those that `altered` names are left to it.

        What is not known to be up to date is drawn again and compared.
        """
        by_name = {plate.name: plate for plate in plates}
        return [name for name in self._known if self._kept(name) and not self._is_drawn_by(name, by_name.get(name))]

    def _is_drawn_by(self, name: str, plate: Plate | None) -> bool:
        if plate is None or self._is_sound(plate):
            return plate is not None
        drawn, known = self._finished(plate), self._known[name]
        return drawn is not None and _digest({**known, **drawn.texts}, drawn.files) == known["digest"]

    def _is_sound(self, plate: Plate) -> bool:
        """Whether the figure's files are up to date and as they were drawn."""
        if plate.name not in self._sound and self._current(plate):
            self._sound.add(plate.name)
        return plate.name in self._sound

    def _current(self, plate: Plate) -> dict[str, bytes]:
        """The figure's files by ending, if they are up to date and as they were drawn; else {}."""
        known = self._known.get(plate.name, {})
        return self._kept(plate.name) if plate.basis and known.get("basis") == plate.basis else {}

    def _kept(self, name: str) -> dict[str, bytes]:
        """The figure's files by ending as they were drawn; {} if they are not."""
        try:
            files = {ending: read_whole(self._file(name, ending)) for ending in FORMATS}
            ElementTree.fromstring(files["svg"])
        except (OSError, ValueError, ElementTree.ParseError):
            return {}
        return files if _digest(self._known[name], files) == self._known[name]["digest"] else {}

    def _file(self, name: str, ending: str = "svg") -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.{ending}"

    def _read(self) -> dict[str, dict[str, str]]:
        """What an earlier report left; nothing if that cannot be read."""
        if self._folder is None:
            return {}
        try:
            manifest = parse(read_whole(self._folder / MANIFEST).decode())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            manifest = None
        self._entries = set(manifest) if isinstance(manifest, dict) else {MANIFEST}
        wanted = {*TEXTS, "digest"}
        if not isinstance(manifest, dict):
            return {}
        return {
            name: entry
            for name, entry in manifest.items()
            if isinstance(entry, dict) and set(entry) == wanted
            if all(isinstance(text, str) for text in entry.values())
            if Path(name).name == name
        }


def _digest(texts: Mapping[str, str], files: Mapping[str, bytes]) -> str:
    """SHA-256 over a figure's texts and drawings."""
    parts = [
        *(texts[name].encode("utf-8", "backslashreplace") for name in TEXTS),
        *(files[ending] for ending in FORMATS),
    ]
    return hashlib.sha256(b"".join(b"%d %b" % (len(part), part) for part in parts)).hexdigest()


def distinct(plates: Iterable[Plate]) -> list[Plate]:
    """The plates with names of their own: of those that would share files, the later ones are numbered.

    Other signs than letters and digits are no part of a name, so that "my data" and "my-data" come to the same.
    """
    taken: set[str] = set()
    named = []
    for plate in plates:
        numbered = itertools.chain([plate.name], (f"{plate.name}-{i}" for i in itertools.count(2)))
        name = next(name for name in numbered if name.casefold() not in taken)  # some disks know no capitals
        taken.add(name.casefold())
        named.append(replace(plate, name=name))
    return named
