"""What a method raises becomes plain text, whatever its exception does when it is asked."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from lecturebench.execution.answer import LONGEST_REASON, LONGEST_TRACEBACK, failure, result
from tests.made_up import make_record


class SaysNothing(Exception):
    """Raises when it is asked for its text."""

    def __str__(self):
        raise SystemExit(0)


class SaysNothingAtAll(BaseException):
    """Raises whatever it is asked."""

    def __str__(self):
        raise KeyboardInterrupt

    def __repr__(self):
        raise KeyboardInterrupt

    def __reduce__(self):
        raise KeyboardInterrupt

    def __getattribute__(self, name):
        raise KeyboardInterrupt


class Nameless(type):
    """Its classes have no name."""

    @property
    def __name__(cls):
        raise GeneratorExit


class OfNoName(Exception, metaclass=Nameless):
    """Has a class without a name."""


class Text(str):
    """Text that is not what it seems."""

    def splitlines(self, keepends=False):
        raise SystemExit(0)


class SaysText(Exception):
    """Gives a text of its own kind."""

    def __str__(self):
        return Text("said\nand more")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: SystemExit(0), "SystemExit: 0"),
        (lambda: SystemExit(), "SystemExit"),
        (lambda: KeyboardInterrupt(), "KeyboardInterrupt"),
        (lambda: GeneratorExit("on the way"), "GeneratorExit: on the way"),
        (lambda: BaseException("bare\nsecond line"), "BaseException: bare"),
        (lambda: SaysNothing(), "SaysNothing, which raises another exception when it is asked what it says"),
        (lambda: SaysNothingAtAll(), "SaysNothingAtAll, which raises another exception when it is asked what it says"),
        (lambda: OfNoName("here"), "an exception: here"),
        (lambda: SaysText(), "SaysText: said"),
        (lambda: ValueError("half a pair \ud800"), "ValueError: half a pair \\ud800"),
        (
            lambda: BaseExceptionGroup("two", [SystemExit(1), SaysNothing()]),
            "BaseExceptionGroup: two (2 sub-exceptions)",
        ),
    ],
)
def test_whatever_is_raised_is_said_in_one_plain_line(make, reason):
    try:
        raise make()  # pytest would die of asking it for its text
    except BaseException as caught:
        said = failure(caught)
        del caught
    assert (said.status, said.reason, said.record) == ("error", reason, "")
    assert said.traceback
    assert pickle.loads(pickle.dumps(said)) == said
    assert type(said.reason) is type(said.traceback) is str


def test_memory_that_runs_out_has_a_status_of_its_own():
    assert failure(MemoryError()).status == "out_of_memory"


def test_a_message_of_any_length_leaves_a_record_small():
    said = failure(ValueError("x" * 10**6))
    assert len(said.reason) == LONGEST_REASON + 1
    assert len(said.traceback) == LONGEST_TRACEBACK


class Own(np.ndarray):
    """An array of a suite's own class."""


def test_a_result_travels_as_text_and_plain_arrays():
    said = result(make_record("ridge", 0), {"measured": {"path": np.arange(3.0).view(Own)}})
    [path] = said.arrays["measured"].values()
    assert type(path) is np.ndarray
    assert said.record.startswith("{")


def test_objects_and_text_are_no_arrays_to_keep():
    for array in (np.array([object()]), np.array(["1"]), np.array([1j])):
        with pytest.raises(ValueError, match="it must hold numbers"):
            result(make_record("ridge", 0), {"measured": {"path": array}})
