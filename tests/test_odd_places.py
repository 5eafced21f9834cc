"""Disks, folders and users that cannot do what most can: it works another way, or is refused in one line."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from lecturebench import datasets, disk, session
from lecturebench.cli import main
from lecturebench.datasets import cache
from lecturebench.declare.suites import discover
from lecturebench.errors import UsageError
from lecturebench.execution import progress
from lecturebench.store import Store
from tests.made_up import make_record

ROOT = Path(__file__).resolve().parent.parent
BENCHMARK = '''
"""Said on the page."""

from lecturebench import Baseline, Benchmark, Profile


def bayes(X, y):
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB(var_smoothing=0.1).fit(X, y)


BENCHMARK = Benchmark(
    title="Bayes",
    methods=(Baseline("bayes", "Bayes", bayes),),
    claims=(),
    datasets=("digits",),
    profiles={"smoke": Profile(judges=False), "lecture": Profile(), "full": Profile()},
)
'''


@pytest.fixture
def suite(tmp_path):
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "bench_bayes.py").write_text(BENCHMARK)
    return folder


def failing(number):
    def fail(*arguments):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_share_that_syncs_nothing_takes_records_and_data(tmp_path, monkeypatch, number):
    monkeypatch.setenv("LECTUREBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "fsync", failing(number))
    store = Store(tmp_path)
    store.write(make_record("lda"))
    assert len(store.read()[0]) == 1
    assert datasets.load("digits").digests == datasets.load("digits").digests


def test_share_that_lets_nobody_open_its_folders_takes_records(tmp_path, monkeypatch):
    opened = os.open

    def no_folder(path, *more, **others):
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *more, **others)

    monkeypatch.setattr(os, "open", no_folder)
    Store(tmp_path).write(make_record("lda"))
    assert len(Store(tmp_path).read()[0]) == 1


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_disk_that_fails_is_no_share_and_nothing_is_taken_for_written(tmp_path, monkeypatch, number):
    monkeypatch.setattr(os, "fsync", failing(number))
    with pytest.raises(OSError, match=os.strerror(number)):
        Store(tmp_path).write(make_record("lda"))
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.EINVAL, errno.ENOLCK, errno.ENOSYS])
def test_share_that_locks_nothing_still_gives_a_run_to_one_call(tmp_path, monkeypatch, number):
    monkeypatch.setattr(fcntl, "flock", failing(number))
    one, two = Store(tmp_path), Store(tmp_path)
    lock = one.lock("k1")
    assert lock is not None
    assert two.lock("k1") is None
    assert two.lock("k2") is not None
    lock.release()
    again = two.lock("k1")
    assert again is not None
    again.release()
    monkeypatch.setenv("LECTUREBENCH_CACHE", str(tmp_path / "cache"))
    assert datasets.load("digits").name == "digits"


def test_lock_that_cannot_be_for_another_reason_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", failing(errno.EIO))
    with pytest.raises(OSError, match=r"[Ii]nput/output error"):
        disk.lock_at(tmp_path / "lock")


def test_workers_are_heard_where_the_temporary_folder_takes_no_socket(monkeypatch):
    listener = progress.Listener

    def none_here(address=None, **options):
        if address is None:
            raise OSError("AF_UNIX path too long")
        return listener(address, **options)

    monkeypatch.setattr(progress, "Listener", none_here)
    heard, message = threading.Event(), []
    inbox = progress.Inbox(lambda said: (message.append(said), heard.set()))
    progress.connect(inbox.address, inbox.authkey)(("started", "k", 1))
    assert heard.wait(10)
    assert message == [("started", "k", 1)]
    inbox.close()


@pytest.fixture
def homeless(tmp_path, monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME", "LECTUREBENCH_CACHE", "TFDS_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)

    def nobody():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"lecturebench-{os.getuid()}"


def test_user_without_a_home_has_a_cache_of_their_own(homeless):
    assert cache.root() == homeless / "datasets"
    assert homeless.stat().st_mode & 0o777 == 0o700
    assert datasets.load("digits").name == "digits"
    assert "digits" in datasets.known()
    assert datasets.status("mnist").sources[0][2].count(str(homeless)) == 1


def test_folder_that_somebody_else_put_there_is_not_used(homeless, capsys):
    homeless.symlink_to(homeless.parent)
    assert main(["data", "digits"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "somebody else has this folder" in line
    assert str(homeless) in line


def test_any_error_of_the_callers_own_files_is_one_line_that_names_the_file(tmp_path, monkeypatch, capsys):
    def refused(*arguments):
        raise OSError(errno.ESTALE, "Stale file handle", "/share/out/runs")

    monkeypatch.setattr(Store, "begin", refused)
    assert main(["run", "error_table", "--profile", "smoke", "--out", str(tmp_path / "out")]) in (1, 2)
    [line] = capsys.readouterr().err.splitlines()
    assert "Stale file handle" in line
    assert "/share/out" in line


def test_names_that_are_not_utf_8_are_refused_where_a_record_must_hold_them(tmp_path, suite, capsys):
    named = suite.rename(os.fsdecode(bytes(tmp_path) + b"/caf\xe9"))
    assert main(["list", "--suite", str(named)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "is not UTF-8" in line
    assert line.isprintable()
    with pytest.raises(UsageError, match=r"is not UTF-8"):
        datasets.load(f"csv:{tmp_path}/caf\udce9.csv")


def test_store_may_have_any_name(tmp_path, suite, capsys):
    out = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9"))
    session.check_folder(out, discover(suite))
    about = {"name": "digits", "digests": {"test": "one"}, "n_test": 359}  # at hand: another would be fetched
    Store(out).write(make_record("bayes", benchmark="bayes", suite="course", dataset=about))
    assert main(["report", str(out)]) == 0
    assert all(line.isprintable() for line in capsys.readouterr().out.splitlines())
    assert (out / "index.html").exists()


def test_suite_changes_no_way_to_find_modules(suite):
    (suite.parent / "markupsafe.py").write_text("raise SystemExit('run')")
    (suite.parent / "lecturebench").mkdir()
    (suite.parent / "lecturebench" / "__init__.py").write_text("raise SystemExit('run')")
    before = list(sys.path)
    assert not discover(suite).broken
    assert sys.path == before


def test_page_has_its_text_under_oo_too(suite):
    code = f"""
from pathlib import Path
from lecturebench.declare.suites import discover
print(discover(Path({str(suite)!r}))["bayes"].about)
"""
    done = subprocess.run(
        [sys.executable, "-OO", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.stdout == "Said on the page.\n"


@pytest.mark.faults
def test_modules_in_the_callers_folder_are_run_by_no_worker(suite, tmp_path):
    for name in ("pickle", "json", "socket", "markupsafe", "numpy", "lecturebench"):
        (tmp_path / f"{name}.py").write_text(f"open('ran-{name}', 'w')\nraise SystemExit('run')\n")
    command = "import sys; from lecturebench.cli import main; sys.exit(main()) if __name__ == '__main__' else None"
    script = tmp_path / "bin" / "lecturebench"
    script.parent.mkdir()
    script.write_text(command)
    long = tmp_path / ("x" * 120)
    long.mkdir()
    arguments = ["run", "--suite", "course", "--out", "out", "--profile", "smoke"]
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(long)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 runs fitted" in done.stdout
    assert list(tmp_path.glob("**/ran-*")) == []
