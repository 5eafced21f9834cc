"""Slides as a lecture prints them, on which the page lays what was measured of each.

A suite's ``slides.py`` has ``SLIDES = (Slide(...), ...)`` in the order of the lecture. A claim belongs to the slide
whose title is its ``slide``; where several share a title, to the one whose ``about`` names it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """What a slide says in words; between two "$" is LaTeX."""

    text: str


@dataclass(frozen=True)
class Formula:
    """A formula on a line of its own, in LaTeX."""

    latex: str


@dataclass(frozen=True)
class Matrix:
    """Numbers in brackets: a kernel, or an image. factor: what stands in front, in LaTeX."""

    rows: tuple[tuple[str, ...], ...]
    factor: str = ""

    def __post_init__(self) -> None:
        if not self.rows or len({len(row) for row in self.rows}) != 1 or not self.rows[0]:
            raise ValueError(f"a matrix of {self.rows!r}; it needs rows of equally many cells")


@dataclass(frozen=True)
class Table:
    """A table with its heads. methods: for each row, the method whose number it prints."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    methods: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(len(row) != len(self.head) for row in self.rows):
            raise ValueError(f"the rows of a table under {self.head!r} must have {len(self.head)} cells each")
        if self.methods and len(self.methods) != len(self.rows):
            raise ValueError(f"{len(self.methods)} methods for {len(self.rows)} rows of a table; one for each, or none")


Part = Sentence | Formula | Matrix | Table


@dataclass(frozen=True)
class Slide:
    """A slide: its title and what is printed below it, from top to bottom.

    about: of several slides of one title, which benchmarks ("kernels") or methods of them ("kernels/edge") this one is
    about; () takes what no other of that title does.
    """

    title: str
    parts: tuple[Part, ...] = ()
    about: tuple[str, ...] = ()
