"""``pytest benchmarks/bench_<name>.py``: one item per row and one per claim."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SUITE = '''
"""Claims that hold, and claims that do not."""

from baselines.linear import linear_discriminant
from lecturebench import Baseline, Benchmark, NumberClaim, Profile, stated


def noisy(X, y, *, seed):
    import numpy as np
    from sklearn.naive_bayes import GaussianNB

    half = np.random.default_rng(seed).permutation(len(y))[: len(y) // 2]
    return GaussianNB(var_smoothing=0.1).fit(X[half], y[half])


def crash(X, y):
    raise ValueError("as planned")


def claim(method, printed, dataset="digits"):
    protocol = {"all": stated("as here", "the test")}
    return NumberClaim(method=method, printed=printed, dataset=dataset, source="s", slide="s", protocol=protocol)


BENCHMARK = Benchmark(
    title="Claims",
    methods=(
        Baseline("lda", "LDA", linear_discriminant),
        Baseline("noisy", "Noisy", noisy, deterministic=False),
        Baseline("broken", "Broken", crash),
    ),
    claims=(claim("lda", "0.1%"), claim("lda", "50%"), claim("noisy", "9%")),
    datasets=("digits",),
    profiles={"smoke": Profile(seeds=1, judges=False), "lecture": Profile(seeds=2), "full": Profile()},
)
'''


@pytest.fixture
def course(tmp_path):
    """A suite of one's own."""
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "bench_claims.py").write_text(SUITE)
    return folder


def run(folder, *arguments):
    # One worker, and without a plugin that nothing here needs: each takes longer to start than these fits.
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    done = subprocess.run(
        [*command, str(folder / "bench_claims.py"), "--out", str(folder / "out"), "--jobs", "1", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


def test_rows_are_fitted_then_claims_judged(course):
    code, shown = run(course)
    assert code == 1
    assert "PASSED 5.57% of 1 on digits bench_claims.py::row[lda]" in shown
    assert "FAILED bench_claims.py::row[broken]" in shown
    assert "ValueError: as planned" in shown
    assert "worse: 0.10% lies below" in shown
    assert "2 failed, 3 passed, 1 skipped" in shown.splitlines()[-1]
    section = shown.partition("= lecturebench =")[2]
    assert "bench_claims claim[lda error 50%]: 5.57% [5.07%, 6.07%]: better: 50.00% lies above" in section


def test_k_selects_rows_with_their_claims(course):
    code, shown = run(course, "-k", "noisy", "--seeds", "3")
    assert code == 0, shown
    assert "row[noisy]" in shown
    assert "lda" not in shown
    assert len(list((course / "out" / "runs").iterdir())) == 3


def test_smoke_judges_nothing(course):
    code, shown = run(course, "--collect-only", "--profile", "smoke")
    assert code == 0
    assert "row[lda]" in shown
    assert "3 tests collected" in shown
    assert "claim[" not in shown


@pytest.mark.parametrize("option", ["--seeds", "--jobs"])
def test_number_below_one_is_refused_before_anything_is_fitted(course, option):
    code, _ = run(course, option, "0")
    assert code == 4
    assert not (course / "out").exists()


OTHER = """
def pytest_addoption(parser):
    parser.getgroup("Profiling").addoption("--profile", action="store_true")
"""


def test_option_that_another_plugin_has_is_its_and_ours_has_a_longer_name(course):
    (course / "other.py").write_text(OTHER)
    code, shown = run(course, "-p", "other", "--collect-only", "--profile", "--lecturebench-profile", "smoke")
    assert code == 0, shown
    assert "--profile is another plugin's here; say --lecturebench-profile" in shown
    assert "claim[" not in shown


def test_broken_file_fails_and_stops_no_other(course):
    (course / "bench_broken.py").write_text("raise SystemExit\n")
    code, shown = run(course, str(course / "bench_broken.py"), "-k", "file or lda", "--profile", "smoke")
    assert code == 1
    assert "cannot be imported: SystemExit (line 1)" in shown
    assert "1 failed, 1 passed" in shown
