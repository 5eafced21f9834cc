"""The one Jinja environment of all pages."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from lecturebench.report.sections import slug
from lecturebench.report.style import css_variables, verdict_variables
from lecturebench.report.table import time_per_fit
from lecturebench.wording import duration, words


def templates() -> Environment:
    """The templates of the pages, with what all of them name; a name that nobody gave is an error."""
    environment = Environment(
        loader=PackageLoader("lecturebench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters |= {
        "dedent": textwrap.dedent,
        "duration": _time,
        "slug": slug,
        "words": words,
    }
    environment.globals |= {"time_per_fit": time_per_fit, "variables": {**css_variables(), **verdict_variables()}}
    return environment


# What no page needs, and what makes text read other than it is: controls, directions, letters without width.
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def _visible(value: Any) -> Any:
    """A value for a template, with text of others made visible."""
    return _HIDDEN.sub("�", value) if type(value) is str else value


def visible(value: Any) -> Any:
    """Plain data with all its texts made visible."""
    if isinstance(value, Mapping):
        return {_visible(name): visible(item) for name, item in value.items()}
    return [visible(item) for item in value] if isinstance(value, list | tuple) else _visible(value)


def _time(seconds: float) -> str:
    return duration(seconds) or "–"
