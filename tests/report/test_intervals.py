"""Intervals that a report keeps for the next: the same numbers, computed again whenever anything that decides them is
another, and never taken from a file that is not as it was written.
"""

from __future__ import annotations

import json
import math
import platform

import numpy as np
import pytest

from lecturebench.declare import modules
from lecturebench.judging.statistics import BOOTSTRAP_SEED, paired_interval
from lecturebench.report import intervals
from lecturebench.report.intervals import FILE, Intervals
from lecturebench.report.page import write_report

A = (np.random.default_rng(1).random((3, 40)) < 0.2).astype(float)
B = (np.random.default_rng(2).random((3, 40)) < 0.4).astype(float)
FOUND = paired_interval(A, B, rng=np.random.default_rng(BOOTSTRAP_SEED))


@pytest.fixture
def calls(monkeypatch):
    """How often an interval was computed."""
    calls = []

    def counted(*given, **named):
        calls.append(1)
        return paired_interval(*given, **named)

    monkeypatch.setattr(intervals, "paired_interval", counted)
    return calls


def ask(folder, a=A, b=B):
    asked = Intervals(folder)
    found = asked.of(a, b)
    asked.write()
    return found


def test_interval_is_computed_once_and_is_the_same(tmp_path, calls):
    assert [ask(tmp_path) for _ in range(3)] == [FOUND] * 3
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (B, A),
        (A, np.where(np.arange(40) == 7, 1 - B, B)),
        (A[:2], B[:2]),
        (A.reshape(6, 20), B.reshape(6, 20)),
        (A[::-1], B),
    ],
)
def test_other_losses_have_an_interval_of_their_own(tmp_path, calls, a, b):
    ask(tmp_path)
    assert ask(tmp_path, a, b) == paired_interval(a, b, rng=np.random.default_rng(BOOTSTRAP_SEED))
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("where", "what", "other"),
    [(intervals, "code", "other"), (intervals, "BOOTSTRAP_SEED", 8), (platform, "node", "elsewhere")],
)
def test_other_code_seed_or_machine_computes_anew(tmp_path, calls, monkeypatch, where, what, other):
    ask(tmp_path)
    monkeypatch.setattr(where, what, other if what == "BOOTSTRAP_SEED" else lambda: other)
    ask(tmp_path)
    assert len(calls) == 2


def test_nothing_is_kept_that_code_computed_which_was_changed_meanwhile(tmp_path, calls, monkeypatch):
    monkeypatch.setattr(modules, "BEGAN", 0.0)
    assert ask(tmp_path) == FOUND
    assert not (tmp_path / FILE).exists()
    monkeypatch.undo()
    assert ask(tmp_path) == FOUND
    assert (tmp_path / FILE).exists()


def test_only_what_was_asked_for_is_kept(tmp_path):
    ask(tmp_path)
    first = (tmp_path / FILE).read_bytes()
    ask(tmp_path, B, A)
    ask(tmp_path)
    assert (tmp_path / FILE).read_bytes() == first


def forged(content):
    """The file with another number in it, otherwise as it was written."""
    kept = json.loads(content)
    [key] = kept["intervals"]
    kept["intervals"][key][0] = 0.5
    return json.dumps(kept).encode()


def signed(*values):
    """What puts these in place of the interval, with a digest that fits."""

    def damage(content):
        kept = json.loads(content)
        kept["intervals"] = dict.fromkeys(kept["intervals"], values)
        return json.dumps({**kept, "digest": intervals._digest(kept["intervals"])}).encode()

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        forged,
        signed(0.5),
        signed(0.5, 0.6, 0.7),
        signed(0.5, 0.6, 0.4),
        signed(0.5, math.nan, 0.7),
        signed(0.5, 0.4, math.inf),
        signed("0.5", "0.4", "0.7"),
        signed(True, False, True),
        lambda content: content[:-5],
        lambda content: b"",
        lambda content: b"[]",
        lambda content: b"{}",
        lambda content: b"\xff",
        lambda content: b"[" * 100_000,
        lambda content: b'{"digest": 1, "intervals": 3}',
    ],
)
def test_damaged_file_is_computed_anew_and_written_again(tmp_path, calls, damage):
    ask(tmp_path)
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(damage(content))
    assert ask(tmp_path) == FOUND
    assert len(calls) == 2
    assert (tmp_path / FILE).read_bytes() == content


def test_page_is_the_same_with_kept_intervals_and_none_is_computed_again(tmp_path, results, store, load, calls):
    few = type(results)(results.rows[-2:], (), (), {})
    first = write_report(few, store, load, tmp_path).read_bytes()
    assert len(calls) == 1
    assert write_report(few, store, load, tmp_path).read_bytes() == first
    assert len(calls) == 1
    assert write_report(few, store, load, tmp_path / "elsewhere", compare=[].append).read_bytes() == first
    assert len(calls) == 2
