"""What a text is written as: a number, a date, a name; and which of several texts a reader would take for one.

These are patterns, not parsers: what they tell apart is said to the user, and no value ever comes from them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# A whole number, be it with a point and noughts behind it, as pandas writes a column with gaps.
INTEGRAL = re.compile(r"[+-]?[0-9]+(?:\.0*)?")
WHOLE = re.compile(r"-?[1-9][0-9]*|0")
# A decimal that nobody could have meant as a name: no 01, no 00.5.
DECIMAL = re.compile(r"[+-]?(?:(?:[1-9][0-9]*|0)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# What nobody writes a quantity as, but many a name: 01, 1_1.
CODE = re.compile(r"[0-9]+(?:_[0-9]+)*")

# What only some marks of a number or date may be: 0x1f, 15D0, +5, 2020-01-05T10:00Z, 5 Jan, 10 pm, EUR 5; not 5+.
_LETTERS = re.compile(
    r"\b0x[0-9a-f]+\b|(?<=\d)[ed](?=[+-]?\d)|(?<=\d)[tz](?=\d|$)|[ap]m\b|\+(?=[^\w+]*\d)|\b(?:eur|usd|gbp|chf)\b"
    r"|(?<![^\W\d_])(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*",
    re.IGNORECASE,
)
_MARKS = frozenset("-−–.,;'’\"_:/%‰()")


def look_alikes(texts: Sequence[str]) -> list[str]:
    """Those of different texts that a reader takes for numbers or dates, and `NUMBER` does not: 1,200, 3%, $5, 5 Jan.

    Letters that all end with are a unit: 3cm, 5cm.
    """
    unit = re.search(r"[^\W\d_]*$", texts[0]) if texts else None
    end = -len(unit[0]) if unit and unit[0] and all(text.endswith(unit[0]) for text in texts) else None
    return [text for text in texts if not NUMBER.fullmatch(text) and _is_like_a_number(text[:end])]


def _is_like_a_number(text: str) -> bool:
    marks = [mark for mark in _LETTERS.sub("", text) if not mark.isdecimal() and not mark.isspace()]
    return any(map(str.isdecimal, text)) and all(mark in _MARKS or unicodedata.category(mark) == "Sc" for mark in marks)


def twins(names: Iterable[str]) -> tuple[str, str] | None:
    """Two of different names that differ only in what a reader may not see."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(_spoken(name), name)
        if other != name:
            return other, name
    return None


def _spoken(name: str) -> str:
    """The name without what a reader may not see: case, blanks, invisible marks, and how accents are composed."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(mark for mark in folded if unicodedata.category(mark) != "Cf" and not mark.isspace())
