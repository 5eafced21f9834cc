"""The folder ``figures/``: what the page needs is drawn first, all formats after it, and nothing twice.

A figure is drawn again when what it is made of has changed: the runs and verdicts of its section, or the code. Its
digest, caption and words stand in ``figures/manifest.json``, its drawing in the SVG file.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from lecturebench.report.style import Picture, styled, themed
from lecturebench.store import write_whole

MANIFEST = "manifest.json"
FORMATS = ("svg", "png", "pdf")
HELD = 64  # pictures kept drawn between the page and the files, so that memory does not grow with the number of runs


@dataclass(frozen=True, eq=False)
class Plate:
    """A figure that can be drawn. basis: digest of what it is made of. draw: None if there is nothing to draw.

    main: whether the page and the slides show it; others lie in the folder alone.
    """

    name: str
    basis: str
    draw: Callable[[], Picture | None]
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
    def inline(self) -> Markup:
        """The SVG for the page, following its theme."""
        return themed(self.svg, self.alt)


class Album:
    """The figures of one report folder; without one, all are drawn anew. Faults of a drawing are lines in ``notes``."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder / "figures" if folder else None
        self._known = self._read()
        self._drawn: dict[str, Picture] = {}
        self._faulty: set[str] = set()
        self.notes: list[str] = []

    def shown(self, plate: Plate) -> Shown | None:
        """The figure for the page, from its file where that is up to date; None if there is nothing to see."""
        if self._current(plate):
            texts = self._known[plate.name]
            svg = self._file(plate.name).read_bytes()
            return Shown(plate.name, texts["title"], texts["caption"], texts["alt"], svg)
        picture = self._picture(plate)
        if picture is None:
            return None
        return Shown(plate.name, picture.title, picture.caption, picture.alt, picture.svg)

    def finish(self, plates: Iterable[Plate]) -> tuple[int, int]:
        """Write every figure that is not up to date, in all formats, and delete those that are no more.

        Returns how many were drawn and how many kept. Other files in the folder stay. ValueError without a folder.
        """
        if self._folder is None:
            raise ValueError("this album has no folder; give it one to write its figures")
        manifest: dict[str, dict[str, str]] = {}
        drawn = kept = 0
        for plate in plates:
            if self._current(plate):
                manifest[plate.name] = self._known[plate.name]
                kept += 1
                continue
            picture = self._picture(plate)
            if picture is None:
                continue
            for ending in FORMATS:
                write_whole(self._file(plate.name, ending), getattr(picture, ending))
            texts = {"title": picture.title, "caption": picture.caption, "alt": picture.alt}
            manifest[plate.name] = {"basis": plate.basis, **texts}
            self._drawn.pop(plate.name, None)
            drawn += 1
        for name in set(self._known) - set(manifest):
            for ending in FORMATS:
                self._file(name, ending).unlink(missing_ok=True)
        write_whole(self._folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
        return drawn, kept

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
            except Exception as error:
                self._faulty.add(plate.name)
                self.notes.append(f"figure {plate.name} could not be drawn: {type(error).__name__}: {error}")
                return None
            if len(self._drawn) >= HELD:
                return picture
            self._drawn[plate.name] = picture
        return self._drawn[plate.name]

    def _current(self, plate: Plate) -> bool:
        known = self._known.get(plate.name, {})
        return known.get("basis") == plate.basis and all(self._file(plate.name, e).is_file() for e in FORMATS)

    def _file(self, name: str, ending: str = "svg") -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.{ending}"

    def _read(self) -> dict[str, dict[str, str]]:
        """What an earlier report left; nothing if that cannot be read."""
        if self._folder is None:
            return {}
        try:
            manifest = json.loads((self._folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        wanted = {"basis", "title", "caption", "alt"}
        if not isinstance(manifest, dict):
            return {}
        return {
            name: entry
            for name, entry in manifest.items()
            if isinstance(entry, dict) and set(entry) == wanted
            if all(isinstance(text, str) for text in entry.values())
            if Path(name).name == name
        }


def basis(benchmark: Path, made_of: Any) -> str:
    """The digest of what a figure is made of: plain data, the benchmark's file, its suite's rooms, the code that draws.

    A suite's drawings may lie in a folder of its own beside the benchmark, and take formulas from another.
    """
    text = json.dumps(made_of, sort_keys=True, default=str)
    suite = " ".join(_file_digest(path) for path in (benchmark, *sorted(benchmark.parent.glob("*/*.py"))))
    return hashlib.sha256(f"{_code()} {suite} {text}".encode(errors="replace")).hexdigest()


@functools.cache
def _code() -> str:
    return " ".join(_file_digest(path) for path in sorted(Path(__file__).parent.rglob("*.py")))


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
