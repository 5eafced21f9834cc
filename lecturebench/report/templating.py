"""The one Jinja environment of all pages."""

from __future__ import annotations

import textwrap

from jinja2 import Environment, PackageLoader, StrictUndefined

from lecturebench.report.sections import slug
from lecturebench.report.style import css_variables
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
    )
    environment.filters |= {
        "dedent": textwrap.dedent,
        "duration": _time,
        "slug": slug,
        "words": words,
    }
    environment.globals |= {"time_per_fit": time_per_fit, "variables": css_variables()}
    return environment


def _time(seconds: float) -> str:
    return duration(seconds) or "–"
