"""`make speed`: ways in turns, each a process of its own, and lines that an interruption does not cost."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.speed import __main__ as speed
from benchmarks.speed import floor, ours, ours_table
from lecturebench.datasets import Dataset, Split
from lecturebench.datasets.text import Texts
from lecturebench.declare.suites import discover
from lecturebench.declare.word_views import WordIndices
from lecturebench.execution.source import method_digest
from lecturebench.report.speed_lines import FILE, Line, read, to_csv
from lecturebench.report.works import NETWORK, WORKS, Way, Work
from lecturebench.store import Record, Store

# What a peer is, without the fitting: it says its line, and leaves one of its own where its turn can be seen.
SCRIPT = """
import json, sys
with open({log!r}, "a") as log:
    print({name!r}, *sys.argv[2:], file=log)
sys.exit({fault!r}) if {fault!r} else None
seed = int(sys.argv[3])
print("some words before")
print(json.dumps({{"start_seconds": 1.0, "seconds": {seconds} + seed, "error": {error} + seed / 1e5,
                  "peak_rss_mib": 100.0, "versions": {{"made up": "1.0"}}}}))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where made-up scripts lie in place of ours; the data are a few numbers."""
    (tmp_path / "peers").mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(speed, "HERE", tmp_path)
    split = SimpleNamespace(X=np.zeros((4, 28, 28, 1), np.uint8), y=np.arange(4))
    data = SimpleNamespace(train=split, test=split, digests={}, kind="images")
    monkeypatch.setattr(speed, "load", lambda name, say: data)
    return tmp_path


def made_up(folder: Path, name: str, seconds: float = 1.0, error: float = 0.02, fault: str = "", **more: Any) -> Way:
    """A way whose script takes no time."""
    text = SCRIPT.format(name=name, log=str(folder / "log"), seconds=seconds, error=error, fault=fault)
    (folder / "peers" / f"{name}.py").write_text(text)
    usual = {"options": ("--seed", "{seed}"), "backends": ("scikit-learn",)}
    return Way(name, name, f"peers/{name}", **{**usual, **more})


def given_work(monkeypatch: pytest.MonkeyPatch, *ways: Way, **more: Any) -> None:
    monkeypatch.setitem(WORKS, "1", Work("Made up", "nothing, {x} times", ways, usual="a", ours="a", **more))


def call(folder: Path, *options: str) -> int:
    return speed.main(["--works", "1", "--out", str(folder / "out"), *options])


def test_ways_take_turns_and_each_round_begins_with_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_work(monkeypatch, *(made_up(folder, name) for name in "abc"))
    assert call(folder, "--rounds", "4") == 0
    turns = [line.split()[0] for line in (folder / "log").read_text().splitlines()]
    assert "".join(turns) == "abc" + "bca" + "cab" + "abc"
    lines = read(folder / "out" / FILE)
    assert [(line.way, line.round) for line in lines[:4]] == [("a", 1), ("b", 1), ("c", 1), ("b", 2)]
    assert lines[0].seconds == 2.0
    assert lines[0].versions == "made up 1.0"
    assert lines[0].cores == len(os.sched_getaffinity(0))


def test_processes_at_once_have_seeds_of_their_own_and_their_time_is_shared(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "cores", lambda: 3)
    given_work(monkeypatch, made_up(folder, "a", several=True))
    assert call(folder, "--rounds", "2") == 0
    seeds = sorted(int(line.split()[2]) for line in (folder / "log").read_text().splitlines())
    assert seeds == [3, 4, 5, 6, 7, 8]
    assert [line.seconds for line in read(folder / "out" / FILE)] == [
        pytest.approx(5 / 3, 1e-5),
        pytest.approx(8 / 3, 1e-5),
    ]


def test_library_that_is_not_installed_is_a_row_and_no_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speed, "lacking", lambda backend, device: "PyTorch is not installed" * (backend == "torch"))
    given_work(monkeypatch, made_up(folder, "a"), made_up(folder, "b", backends=("torch",)))
    assert call(folder, "--rounds", "2") == 0
    assert [line.note for line in read(folder / "out" / FILE) if line.way == "b"] == ["PyTorch is not installed"] * 2
    assert "PyTorch is not installed" in capsys.readouterr().out


def test_library_is_looked_for_by_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed.importlib.util, "find_spec", lambda name: None if name == "sklearn" else object())
    assert speed.lacking.__wrapped__("scikit-learn", "cpu") == "scikit-learn is not installed"
    assert speed.lacking.__wrapped__("jax", "cpu") == ""


def test_way_that_fails_is_a_row_with_its_last_line_and_exit_code_1(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_work(monkeypatch, made_up(folder, "a"), made_up(folder, "b", fault="it went wrong"))
    assert call(folder, "--rounds", "1") == 1
    lines = {line.way: line for line in read(folder / "out" / FILE)}
    assert lines["b"].note == "failed: it went wrong"
    assert lines["a"].seconds == 2.0


@pytest.mark.parametrize("said", ["", "print('done')", "print(5)", "print('{}')"])
def test_way_that_says_no_figures_is_a_row_that_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    given_work(monkeypatch, made_up(folder, "a"), made_up(folder, "b"))
    (folder / "peers" / "b.py").write_text(said)
    assert call(folder, "--rounds", "1") == 1
    lines = {line.way: line for line in read(folder / "out" / FILE)}
    assert lines["b"].note.startswith("failed: its last line is ")
    assert lines["a"].seconds == 2.0


def test_another_error_is_exit_code_1_and_no_ratio(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given_work(monkeypatch, made_up(folder, "a"), made_up(folder, "b", error=0.03))
    assert call(folder, "--rounds", "3") == 1
    assert "another error" in capsys.readouterr().out
    given_work(monkeypatch, made_up(folder, "a"), made_up(folder, "b", error=0.02))
    assert call(folder, "--rounds", "3") == 0


def test_interruption_costs_its_own_round_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_work(monkeypatch, made_up(folder, "a"), made_up(folder, "b"))
    calls = iter(range(3))
    measured = speed.measured

    def stopped(*given: Any) -> dict[str, Any]:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return measured(*given)

    monkeypatch.setattr(speed, "measured", stopped)
    assert call(folder, "--rounds", "5") == 130
    assert [(line.way, line.round) for line in read(folder / "out" / FILE)] == [("a", 1), ("b", 1)]


def test_work_that_is_measured_again_replaces_its_own_lines_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_work(monkeypatch, made_up(folder, "a"))
    old = Line(work="1", way="gone", backend="jax", device="cpu", round=1, x=10, seconds=1.0)
    kept = [replace(old, work="2"), replace(old, device="gpu")]
    (folder / "out" / FILE).write_bytes(to_csv([old, *kept]))
    assert call(folder, "--rounds", "1") == 0
    lines = read(folder / "out" / FILE)
    assert lines[:2] == tuple(kept)
    assert [line.way for line in lines[2:]] == ["a"]


def test_damaged_file_is_refused_before_anything_is_measured(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given_work(monkeypatch, made_up(folder, "a"))
    (folder / "out" / FILE).write_text("mine")
    assert call(folder) == 2
    assert not (folder / "log").exists()
    assert (folder / "out" / FILE).read_text() == "mine"
    assert "speed.csv cannot be read" in capsys.readouterr().err


def test_help_names_the_works_and_what_they_cost(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        speed.main(["--help"])
    text = capsys.readouterr().out
    for part in ("work 1", "work 2", "growth", "half an hour", "--rounds", "speed.csv", "Exit code 1"):
        assert part in text


@pytest.mark.parametrize(("option", "value"), [("--rounds", "0"), ("--works", "9"), ("--device", "tpu")])
def test_wrong_option_is_refused(option: str, value: str) -> None:
    with pytest.raises(SystemExit) as caught:
        speed.main([option, value])
    assert caught.value.code == 2


@pytest.mark.parametrize("way", [way for work in WORKS.values() for way in work.ways], ids=lambda way: way.name)
def test_script_of_each_way_takes_the_options_that_it_is_given(way: Way) -> None:
    script = (Path(speed.__file__).parent / f"{way.script}.py").read_text()
    assert [option for option in way.options if option.startswith("--") and f'"{option}"' not in script] == []
    turn = speed.Turn(way, "jax", 3)
    assert not [option for option in speed.Budget("cpu", 5, 10).options(turn, 1) if "{" in option]


def test_operations_and_bytes_of_the_floor_are_those_counted_layer_by_layer() -> None:
    forwards = [784 * 256, 256 * 128, 128 * 10]
    train = 2 * 48_000 * (sum(forwards) + sum(forwards) + sum(forwards[1:]))
    dense, convnet = floor.NETWORKS["dense"], floor.NETWORKS["convnet"]
    assert dense.operations(10) == 10 * (train + 2 * 12_000 * sum(forwards))
    assert dense.moved(1) == 5 * 4 * 235_146 * 375
    kernels = [26 * 26 * 32 * 9, 11 * 11 * 64 * 9 * 32, 1600 * 10]
    train = 2 * 54_000 * (2 * sum(kernels) + sum(kernels[1:]))
    assert convnet.operations(2) == 2 * (train + 2 * 6_000 * sum(kernels))
    assert convnet.moved(1) == 7 * 4 * 34_826 * 54_000 / 128


def test_floor_is_measured_and_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIDE", "COPIED"):
        monkeypatch.setattr(floor, name, 64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", dict(os.environ))
        floor.main(["--backend", "tensorflow", "--bound", "memory"])
    said = json.loads(capsys.readouterr().out)
    assert said["seconds"] > 0


def test_other_budget_has_the_source_of_the_declared_row() -> None:
    asked = argparse.Namespace(row="error_table/dropout", epochs=3, samples=6000, width=64)
    table, declared = ours.changed(asked), discover()["error_table"]
    row = table.method("dropout")
    assert row.training is not None
    assert (row.training.epochs, row.training.train_size, row.parameters["units"]) == (3, 6000, (64, 32))
    assert row.parameters["rates"] == (0.4, 0.3)
    # Or the worker, which has the declared one, would refuse the run.
    assert method_digest(table, row, "jax") == method_digest(declared, declared.method("dropout"), "jax")


def test_work_with_epochs_of_its_own_is_measured_at_those(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_work(monkeypatch, made_up(folder, "a", options=("--seed", "{seed}", "--epochs", "{epochs}")), epochs=3)
    assert call(folder, "--rounds", "1", "--epochs", "7") == 0
    assert (folder / "log").read_text().split()[-2:] == ["--epochs", "3"]
    assert [line.x for line in read(folder / "out" / FILE)] == [3]


def test_peers_of_a_work_on_texts_are_given_the_numbers_that_ours_sees(tmp_path: Path) -> None:
    texts = [Texts.of(text.encode() for text in each) for each in (("good film", "bad"), ("a good one",))]
    data = Dataset(
        kind="text", task="classification", train=Split(texts[0], np.array([1, 0])), test=Split(texts[1], np.ones(1)),
        classes=("neg", "pos"), name="made up", source="here", digests={"train": "speed", "test": "speed"},
    )  # fmt: skip
    view = WordIndices(10, 4)
    speed.write_data(tmp_path / "data.npz", data, view)
    seen = view.see(data, np.arange(2))
    with np.load(tmp_path / "data.npz") as written:
        for split in ("train", "test"):
            np.testing.assert_array_equal(written[f"x_{split}"], getattr(seen, split).X)
            np.testing.assert_array_equal(written[f"y_{split}"], getattr(data, split).y)


def test_whole_table_is_the_command_and_its_errors_are_averaged_row_by_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **more: Any) -> SimpleNamespace:
        commands.append(command)
        store = Store(Path(command[-1]))
        store.begin()
        errors = [("a", "judged", 0.1), ("a", "judged", 0.2), ("b", "judged", 0.35), ("a", "choice", 0.9)]
        for seed, (method, role, error) in enumerate(errors):
            record = Record(
                *(f"{seed:032d}", "lecture", "error_table", method, {"name": "mnist"}, "lecture", "jax", "cpu", seed),
                *(role, "ok", {}),
                metrics={"test": {"error": error}, "validation": {"error": error}},
                seconds={"import": 2.0, "load": seed / 2},
                peak_rss_mib=100.0 + seed,
            )
            store.write(record)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(ours_table.subprocess, "run", run)
    ours_table.main(["--backend", "jax", "--seeds", "2"])
    said = json.loads(capsys.readouterr().out)
    assert " ".join(commands[0][1:9]) == "-m lecturebench run error_table --seeds 2 --backend jax"
    assert said["error"] == pytest.approx((0.15 + 0.35) / 2)
    assert (said["start_seconds"], said["peak_rss_mib"]) == (3.5, 103.0)


@pytest.mark.slow
@pytest.mark.realdata
def test_ours_a_peer_and_the_floor_are_measured_for_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = ("ours_alone", "sklearn_mlp", "floor")
    monkeypatch.setitem(WORKS, "1", replace(NETWORK, ways=tuple(way for way in NETWORK.ways if way.name in few)))
    options = ["--rounds", "1", "--epochs", "1", "--backends", os.environ.get("KERAS_BACKEND", "tensorflow")]
    assert speed.main(["--works", "1", *options, "--out", str(tmp_path)]) == 0
    lines = {line.way: line for line in read(tmp_path / FILE)}
    assert set(lines) == set(few)
    for way in few[:2]:
        error, start = lines[way].error, lines[way].start_seconds
        assert error is not None
        assert 0.03 < error < 0.08
        assert start is not None
        assert start > 0.5
    assert all(line.x == 1 and line.seconds and line.seconds < 60 for line in lines.values())
