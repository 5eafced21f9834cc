"""The store: whole or not there, damaged ones named, unknown fields kept."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from lecturebench.errors import UsageError
from lecturebench.store import MARKER, SCHEMA, DamagedRecord, Record, Store, content_digest, digest, write_whole
from tests.made_up import put_no_file, rewrite


def record(key="k1", **changes) -> Record:
    values = {
        "key": key,
        "suite": "s",
        "benchmark": "b",
        "method": "m",
        "dataset": {"name": "digits"},
        "profile": "lecture",
        "backend": "tensorflow",
        "device": "cpu",
        "seed": 0,
        "role": "judged",
        "status": "ok",
        "recipe": {"units": [4, 2]},
        "metrics": {"test": {"error": 0.25}},
    }
    return Record(**(values | changes))


@pytest.mark.parametrize(
    ("status", "role", "failed"),
    [("ok", "judged", False), ("diverged", "judged", True), ("diverged", "choice", False), ("crashed", "choice", True)],
)
def test_run_has_failed_unless_it_only_says_that_a_value_diverges(status, role, failed):
    assert record(status=status, role=role).failed == failed


def sealed(**changes) -> Record:
    """The record as a store writes it: with the digest of its content."""
    digests = record(**changes).digests
    return replace(record(**changes), digests={**digests, "record": content_digest(record(**changes).to_json())})


def test_what_is_written_is_read_back(tmp_path):
    store = Store(tmp_path)
    predictions = {"predicted": np.array([0], np.uint8), "probabilities": np.array([[0.25, 0.75]], np.float16)}
    measured = {"grid": np.arange(6.0).reshape(2, 3)}
    store.write(record(), predictions, measured)
    digests = {"predictions": digest(predictions), "measured": digest(measured)}
    assert store.read() == ([sealed(digests=digests)], [])
    kept = store.predictions("k1")
    assert kept.predicted.tolist() == [0], "the class is what the method predicted, not the likeliest one"
    assert kept.probabilities.tobytes() == predictions["probabilities"].tobytes()
    assert {name: array.tolist() for name, array in store.arrays("k1").items()} == {"grid": [[0, 1, 2], [3, 4, 5]]}


def test_record_of_schema_1_is_read_as_schema_2(tmp_path):
    store = Store(tmp_path)
    probabilities = np.array([[0.25, 0.75], [0.5, 0.25]], np.float16)
    digest_of_old = hashlib.sha256(f"{probabilities.dtype.str} (2, 2)".encode() + probabilities.tobytes()).hexdigest()
    store.write(record(), {"test": probabilities})
    path = tmp_path / "runs/k1/record.json"
    values = {name: value for name, value in json.loads(path.read_text()).items() if name not in ("digests", "random")}
    path.write_text(json.dumps(values | {"schema": 1, "predictions_digest": digest_of_old}))
    old = store.record("k1")
    assert (old.schema, old.digests, old.extra) == (1, {"predictions": digest_of_old}, {})
    assert digest(store.saved("k1", "predictions")) == digest_of_old
    assert store.predictions("k1").predicted.tolist() == [1, 0]
    assert store.predictions("k1").probabilities.tolist() == probabilities.tolist()
    store.write(replace(old, key="k2"), {"test": np.array([1.5, 2.5])})
    values_only = store.predictions("k2")
    assert (values_only.predicted.tolist(), values_only.probabilities) == ([1.5, 2.5], None)


def test_run_without_arrays_has_none(tmp_path):
    store = Store(tmp_path)
    store.write(record())
    assert store.arrays("k1") == {}
    assert set(store.record("k1").digests) == {"record"}


def test_folder_that_is_not_there_holds_nothing(tmp_path):
    assert Store(tmp_path / "nowhere").read() == ([], [])
    assert Store(tmp_path / "nowhere").missing() == {}


def test_unknown_fields_survive_reading_and_writing(tmp_path):
    store = Store(tmp_path)
    store.write(record())
    path = tmp_path / "runs/k1/record.json"
    rewrite(path, lambda values: values.update(future=[1, 2]))
    store.write(store.record("k1"))
    assert json.loads(path.read_text())["future"] == [1, 2]


@pytest.mark.parametrize("fails_at", ["fsync", "rename"])
def test_interrupted_write_leaves_the_earlier_record(tmp_path, monkeypatch, fails_at):
    store = Store(tmp_path)
    store.write(record(reason="first"))

    def stop(*arguments, **more):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, fails_at, stop)
        with pytest.raises(OSError, match="disk full"):
            store.write(record(reason="second"), {"test": np.zeros(3)})
    assert store.record("k1").reason == "first"
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["k1"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "Expecting"),
        ("[]", "no JSON object"),
        ("{}", "schema is None"),
        (json.dumps({"schema": SCHEMA}), "lacks key, suite"),
        (json.dumps(record().to_json() | {"schema": SCHEMA + 1}), "reads up to"),
        (json.dumps(record().to_json() | {"status": "fine"}), "status is 'fine'"),
        (json.dumps(record().to_json() | {"key": "k2"}), "not its folder's name"),
        (json.dumps(record().to_json() | {"metrics": 3}), "metrics is no object"),
        ("", "Expecting"),
        pytest.param("[" * 200_000 + "]" * 200_000, "nested without end", id="deep"),
        ('{"a":' * 500 + "1" + "}" * 500, "nested more than 40 deep"),
        (json.dumps(record().to_json() | {"recipe": {"units": 10**400}}), "no machine word can"),
        (json.dumps(record().to_json() | {"notes": ["\ud800"]}), "halves of characters"),
        (json.dumps(record().to_json() | {"seconds": {"fit": -1}}), "not all times"),
        (json.dumps(record().to_json() | {"seconds": {"fit": math.nan}}), "not all times"),
        (json.dumps(record().to_json() | {"seed": True}), "no whole number"),
        (json.dumps(record().to_json() | {"dataset": {"name": "digits", "n_train": "many"}}), "no number of examples"),
        (json.dumps(record().to_json() | {"traceback": 1}), "no text"),
        (json.dumps(record().to_json() | {"notes": [1]}), "not all texts"),
        (json.dumps(record().to_json() | {"role": "choice"}), "validation metrics, and has none"),
    ],
)
def test_damaged_record_is_named_and_the_rest_is_read(tmp_path, content, why):
    store = Store(tmp_path)
    store.write(record("k0"))
    store.write(record("k1"))
    path = tmp_path / "runs/k1/record.json"
    path.write_text(content)
    records, problems = store.read()
    assert [entry.key for entry in records] == ["k0"]
    assert len(problems) == 1
    assert str(path) in problems[0]
    assert why in problems[0]
    assert path.read_text() == content


@pytest.mark.parametrize("odd", ["folder", "pipe", "device", "loop", "gone"])
def test_what_is_no_file_is_named_at_once_and_left_where_it_is(tmp_path, odd):
    store = Store(tmp_path)
    store.write(record("k0"))
    store.write(record("k1"), {"test": np.zeros(3)})
    for path in (tmp_path / "runs/k1/predictions.npz", tmp_path / "runs/k1/record.json", tmp_path / "missing.json"):
        path.unlink(missing_ok=True)
        if odd != "gone":
            put_no_file(path, odd)
    records, problems = store.read()
    assert [entry.key for entry in records] == ["k0"]
    assert [str(tmp_path / "runs/k1/record.json") in problem for problem in problems] == [True]
    with pytest.raises(DamagedRecord, match=r"predictions\.npz"):
        store.predictions("k1")
    if odd != "gone":
        with pytest.raises(DamagedRecord, match=r"missing\.json"):
            store.missing()
    store.write(record("k1"))
    assert store.record("k1").key == "k1", "it is fitted again, what was there lies beside it"
    assert len(list((tmp_path / "runs").glob(".k1.*.old"))) == 1


def test_run_folder_that_cannot_be_entered_is_named_and_the_rest_is_read(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.write(record("k0"))
    store.write(record("k1"))
    (tmp_path / "runs/k2").symlink_to("k2")
    opened = os.open

    def refuse(path, *more, **others):
        if "k1" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *more, **others)

    monkeypatch.setattr(os, "open", refuse)
    records, problems = store.read()
    assert [entry.key for entry in records] == ["k0"]
    assert problems == [
        f"{tmp_path}/runs/k1/record.json: Permission denied",
        f"{tmp_path}/runs/k2/record.json: Too many levels of symbolic links",
    ]


def test_any_flipped_bit_of_a_record_is_named_or_changes_nothing(tmp_path):
    store = Store(tmp_path)
    store.write(record(metrics={"test": {"error": 0.0625}}, started="2026-01-02", notes=["é"]))
    path = tmp_path / "runs/k1/record.json"
    content, sound = path.read_bytes(), store.record("k1").to_json()
    unnoticed = []
    for place in range(len(content)):
        for bit in (place % 8, 5):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
            records, problems = store.read()
            unnoticed += [] if problems else [records[0]]
    assert len(unnoticed) < len(content) / 10, "but for the digest's own name and the space around words"
    for read in unnoticed:
        said = {name: value for name, value in read.to_json().items() if name in sound and name != "digests"}
        assert {**said, "digests": sound["digests"]} == sound
        assert read.digests == sound["digests"] or "record" not in read.digests, "verify says that it has none"


def test_damaged_record_is_kept_aside_when_its_run_is_fitted_again(tmp_path):
    store = Store(tmp_path)
    store.write(record())
    (tmp_path / "runs/k1/record.json").write_text("{ damaged")
    store.write(record())
    assert store.read() == ([sealed()], [])
    [aside] = [path for path in (tmp_path / "runs").iterdir() if path.name != "k1"]
    assert (aside / "record.json").read_text() == "{ damaged"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 truncated", b"nothing of the kind"])
def test_damaged_predictions_are_named(tmp_path, content):
    store = Store(tmp_path)
    store.write(record(), {"test": np.zeros(3)})
    path = tmp_path / "runs/k1/predictions.npz"
    path.write_bytes(content)
    with pytest.raises(DamagedRecord, match=r"predictions\.npz"):
        store.predictions("k1")


def test_missing_datasets_of_a_benchmark_are_remembered_until_it_has_them(tmp_path):
    store = Store(tmp_path)
    store.set_missing({"b": {"mnist": "no network"}})
    store.set_missing({"other": {"hitters": "no wheel"}})
    assert store.missing() == {"b": {"mnist": "no network"}, "other": {"hitters": "no wheel"}}
    store.set_missing({"b": {}, "third": {}})
    assert store.missing() == {"other": {"hitters": "no wheel"}}
    store.set_missing({"other": {}})
    assert store.missing() == {}
    assert list(tmp_path.iterdir()) == []


def test_what_a_budget_left_out_is_remembered_until_the_next_run(tmp_path):
    store = Store(tmp_path)
    store.set_left_out({"b": {"claim": "too long"}})
    assert store.left_out() == {"b": {"claim": "too long"}}
    store.set_left_out({})
    assert store.left_out() == {}


def test_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    write_whole(path, b"first")

    def stop(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_run_is_locked_for_others_until_it_is_released(tmp_path):
    store, other = Store(tmp_path), Store(tmp_path)
    lock = store.lock("k1")
    assert lock is not None
    assert other.lock("k1") is None
    assert other.lock("k2") is not None
    lock.release()
    assert other.lock("k1") is not None


def test_what_a_killed_call_left_half_written_goes_when_its_run_is_taken_up(tmp_path):
    store = Store(tmp_path)
    for key in ("k1", "k2"):
        (store.runs / f".{key}.tmp").mkdir(parents=True)
    store.lock("k1")
    assert [path.name for path in store.runs.iterdir()] == [".k2.tmp"]
    assert store.read() == ([], [])


def test_run_that_a_killed_call_had_moved_out_of_the_way_of_a_new_one_comes_back(tmp_path):
    store = Store(tmp_path)
    store.write(record())
    (store.runs / "k1").rename(store.runs / ".k1.0123abcd.old")
    store.lock("k1")
    assert store.read() == ([sealed()], [])


def test_new_or_empty_folder_becomes_a_store_and_stays_one(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "new", tmp_path / "empty"):
        Store(folder).begin()
        Store(folder).write(record(), {"test": np.zeros(3)})
        Store(folder).begin()


def test_store_without_a_marker_is_known_by_its_runs(tmp_path):
    Store(tmp_path).write(record())
    Store(tmp_path).begin()


def test_folder_that_another_call_takes_into_use_meanwhile_is_a_store(tmp_path, monkeypatch):
    looked, glob = [], type(tmp_path).glob

    def late(folder, pattern):
        if not looked:
            looked.append(folder)
            Store(tmp_path).begin()
        return glob(folder, pattern)

    monkeypatch.setattr(type(tmp_path), "glob", late)
    Store(tmp_path).begin()
    assert looked == [tmp_path]
    assert json.loads((tmp_path / MARKER).read_text()) == {
        "schema": SCHEMA,
        "suite": {"name": "lecture", "folder": ""},
    }


def test_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match=r"no store of lecturebench, but holds 'thesis\.tex'"):
        Store(tmp_path).begin()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("marker", "why"),
    [
        (json.dumps({"schema": SCHEMA + 1}), "written by a newer lecturebench"),
        ("{", "cannot be read"),
        ("[]", "cannot"),
    ],
)
def test_store_of_a_newer_version_or_with_a_damaged_marker_is_refused(tmp_path, marker, why):
    (tmp_path / "lecturebench.json").write_text(marker)
    with pytest.raises(UsageError, match=why):
        Store(tmp_path).begin()


def test_failed_run_says_the_command_that_repeats_it():
    failed = record(method="dropout", seed=3, status="crashed", backend="jax", benchmark="error_table")
    assert failed.repeat == (
        "lecturebench run error_table --method dropout --dataset digits --profile lecture --seeds 4 --backend jax "
        "--retry-failed"
    )


def written_with_its_old_time(path, content):
    """Written in place, of the size it had, and with the time that it was written at put back."""
    about = path.stat()
    assert about.st_size == len(content)
    path.write_bytes(content)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def test_state_of_a_store_tells_whatever_was_written_and_nothing_else(tmp_path):
    store = Store(tmp_path)
    states = [store.state()]
    for change in (
        lambda: store.write(record(key="k1"), {"predicted": np.zeros(3)}),
        lambda: store.write(record(key="k2"), {"predicted": np.zeros(3)}),
        lambda: store.write(record(key="k1"), {"predicted": np.zeros(3)}),
        lambda: (tmp_path / "runs" / "k1" / "predictions.npz").write_bytes(b"other"),
        lambda: written_with_its_old_time(tmp_path / "runs" / "k1" / "predictions.npz", b"OTHER"),
        lambda: (tmp_path / "runs" / "k1" / "predictions.npz").unlink(),
        lambda: shutil.rmtree(tmp_path / "runs" / "k2"),
        lambda: store.set_missing({"b": {"mnist": "no network"}}),
        lambda: store.set_left_out({"b": {"claim": "no time"}}),
    ):
        change()
        (tmp_path / "index.html").write_text(str(len(states)))
        assert store.state() not in states
        states.append(store.state())
        assert store.state() == states[-1]


def test_record_whose_file_says_the_same_is_parsed_once_and_any_edit_is_seen(tmp_path):
    store = Store(tmp_path)
    store.write(record(key="k1"))
    first = store.record("k1")
    assert store.record("k1") is first
    path = tmp_path / "runs" / "k1" / "record.json"
    text, about = path.read_text(), path.stat()
    path.write_text(text.replace('"seed": 0', '"seed": 1'))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    with pytest.raises(DamagedRecord, match="not what was written"):
        store.record("k1")
    path.write_text(text)
    assert store.record("k1") == first
