"""Which commit a record names: that of this package's own source, or none, with the reason."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lecturebench.environment import environment, provenance, source_of_package

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch) -> Path:
    """Git reads the settings of this test alone."""
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\n\tname = t\n\temail = t@example.org\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return settings


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def package_in(folder: Path) -> Path:
    (folder / "lecturebench").mkdir(parents=True)
    (folder / "lecturebench" / "__init__.py").write_text("")
    return folder


def commit_all(folder: Path) -> str:
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "One")
    return git(folder, "rev-parse", "HEAD")


def test_checkout_of_this_package_gives_its_commit(tmp_path: Path) -> None:
    own = package_in(tmp_path / "own")
    head = commit_all(own)
    assert provenance(own) == (head, False, "")


@pytest.mark.parametrize(
    ("file", "dirty"), [("lecturebench/__init__.py", True), ("lecturebench/new.py", True), ("x", 0)]
)
def test_edited_and_new_files_of_the_package_make_it_dirty(tmp_path: Path, file: str, dirty: bool) -> None:
    own = package_in(tmp_path / "own")
    commit_all(own)
    (own / file).write_text("A = 1\n")
    assert provenance(own).dirty == dirty


def test_table_that_was_written_again_does_not_make_the_source_dirty(tmp_path: Path) -> None:
    own = package_in(tmp_path / "own")
    table = own / "reports" / "table.md"
    table.parent.mkdir()
    table.write_text("old\n")
    commit_all(own)
    table.write_text("new\n")
    assert not provenance(own).dirty


@pytest.mark.parametrize("tracked", [False, True])
def test_installed_inside_another_project_it_names_no_commit(tmp_path: Path, tracked: bool) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "own.py").write_text("")
    installed = theirs / ".venv" / "lib" / "site-packages"
    if tracked:
        package_in(installed)
    commit_all(theirs)
    if not tracked:
        package_in(installed)
    version = provenance(installed)
    assert version.commit == ""
    assert version.unknown == f"git: the checkout at {theirs} is another project's"


def test_checkout_that_does_not_track_the_package_names_no_commit(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "own.py").write_text("")
    commit_all(theirs)
    assert provenance(package_in(theirs)).unknown == f"git: the checkout at {theirs} does not hold lecturebench"


def test_checkout_of_another_owner_says_so(tmp_path: Path, own_settings: Path, monkeypatch) -> None:
    own = package_in(tmp_path / "own")
    head = commit_all(own)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    version = provenance(own)
    assert version.commit == ""
    assert version.unknown.startswith("git: detected dubious ownership in repository at")
    with own_settings.open("a") as file:
        file.write(f"[safe]\n\tdirectory = {own}\n")
    assert provenance(own) == (head, False, "")


def test_repository_that_a_hook_names_is_not_believed(tmp_path: Path, monkeypatch) -> None:
    own, theirs = package_in(tmp_path / "own"), package_in(tmp_path / "theirs")
    head, other = commit_all(own), commit_all(theirs)
    monkeypatch.setenv("GIT_DIR", str(theirs / ".git"))
    assert provenance(own).commit == head
    assert other


def test_no_checkout_and_no_commit_yet_say_why(tmp_path: Path, monkeypatch) -> None:
    own = package_in(tmp_path / "own")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert provenance(own).unknown.startswith("git: not a git repository")
    git(own, "init", "--quiet")
    git(own, "add", "--all")
    assert provenance(own).commit == ""
    assert provenance(own).unknown.startswith("git: ")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance(own).unknown == "git is not installed"


def test_environment_says_version_reason_and_source_where_no_commit_is_known(tmp_path: Path, monkeypatch) -> None:
    from lecturebench import environment as module

    monkeypatch.setattr(module, "REPOSITORY", package_in(tmp_path / "nowhere"))
    monkeypatch.setattr(module, "environment", environment.__wrapped__)
    stated = module.environment()
    assert stated["commit_unknown"].startswith("git: ")
    assert len(stated["source"]) == 64
    assert stated["lecturebench"]
    monkeypatch.undo()
    (tmp_path / "nowhere" / "lecturebench" / "__init__.py").write_text("A = 1\n")
    assert source_of_package(tmp_path / "nowhere") != stated["source"]
