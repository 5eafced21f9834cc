"""The wheel: one package among other people's, which runs outside the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]

pytestmark = pytest.mark.network  # pip brings setuptools for the build


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"  # a build leaves files behind
    names = ["lecturebench", "benchmarks", "baselines", "pyproject.toml", "setup.py", "README.md", "LICENSE"]
    sources.mkdir()
    subprocess.run(["cp", "-r", *(str(REPOSITORY / name) for name in names), str(sources)], check=True)
    subprocess.run([*PIP, "wheel", "--no-deps", "--wheel-dir", str(folder), str(sources)], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel, and what it depends on from this one."""
    venv = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    subprocess.run([*PIP, "--python", str(python), "install", "--no-deps", str(wheel)], check=True)
    # A folder named in a .pth file is searched, and its own .pth files are not: no editable lecturebench comes along.
    site = next(venv.glob("lib/python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv / "bin"


@pytest.fixture
def elsewhere(tmp_path):
    """A folder of somebody who has packages called as the lecture's are."""
    for name in ("benchmarks", "baselines"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('a stranger was imported')\n")
    return tmp_path


def call(installed, elsewhere, *arguments):
    own = {"PYTHONPATH": str(elsewhere), "LECTUREBENCH_CACHE": str(elsewhere / "cache")}
    done = subprocess.run(arguments, cwd=elsewhere, env=os.environ | own, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_only_lecturebench_comes_into_site_packages_with_the_lecture_inside(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"lecturebench"}
    inside = {f"lecturebench/lecture/{path.relative_to(REPOSITORY)}" for path in REPOSITORY.glob("b*/**/*.py")}
    assert {name for name in inside if "/speed/" not in name} <= set(names)


def test_installed_wheel_lists_and_runs_the_lecture_beside_packages_of_the_same_names(installed, elsewhere):
    assert "error_table" in call(installed, elsewhere, str(installed / "lecturebench"), "list")
    arguments = ["run", "error_table", "--profile", "smoke", "--method", "lda", "--out", "out"]
    assert "1 runs fitted" in call(installed, elsewhere, str(installed / "lecturebench"), *arguments)
    [record] = [json.loads(path.read_text()) for path in elsewhere.glob("out/runs/*/record.json")]
    assert (record["suite"], record["status"]) == ("lecture", "ok")
    assert record["recipe"]["function"] == "baselines.linear.linear_discriminant"
    module = [str(installed / "python"), "-m", "lecturebench"]
    assert "0 runs fitted, 1 were there already" in call(installed, elsewhere, *module, *arguments)
    assert "every number and verdict agrees" in call(installed, elsewhere, *module, "verify", "out")


def test_installed_wheel_has_the_pytest_plugin(installed, elsewhere):
    (elsewhere / "test_own.py").write_text("def test_own(): pass\n")
    shown = call(installed, elsewhere, str(installed / "python"), "-m", "pytest", "-v", "test_own.py")
    assert "lecturebench-" in shown
    assert "1 passed" in shown
