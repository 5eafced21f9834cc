"""compare: what changed between two stores, beyond noise or not."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from lecturebench import Experiment, IdentityClaim, Measured, stated
from lecturebench.declare.benchmark import BACKENDS
from lecturebench.errors import DataMissing, UsageError
from lecturebench.judging.collect import Planned
from lecturebench.judging.compare import compare, read_side
from lecturebench.report.compare_page import strip
from lecturebench.report.terminal import comparison_lines
from lecturebench.store import Store
from tests.judging.comparing import change_of, drop, edit, fit_anew, predict, words
from tests.made_up import make_record, write_run

pytestmark = pytest.mark.usefixtures("unsynced")


def test_a_copy_is_the_same_in_every_row(compared):
    comparison = compared()
    assert words(comparison) == dict.fromkeys(("ridge", "dropout", "logistic", "lda"), "same")
    assert comparison.headline == "Nothing changed"
    assert comparison.summary == "4 rows in both: 4 same."
    assert not comparison.other_machines
    assert (comparison.worse, comparison.judged, comparison.alarms, comparison.claims) == ([], 0, "", ())
    assert change_of(comparison, "dropout").reason == "identical predictions in 5 runs"
    assert change_of(comparison, "lda").reason == "identical predictions"


def test_larger_errors_on_the_same_examples_are_worse_and_the_other_way_round_better(compared, other, load):
    fit_anew(other, load, "dropout", 0.12)
    comparison, back = compared(), compared(back=True)
    assert words(comparison) == {"ridge": "same", "dropout": "worse", "logistic": "same", "lda": "same"}
    assert words(back) == {"ridge": "same", "dropout": "better", "logistic": "same", "lda": "same"}
    assert comparison.worse == ["dropout of error_table on mnist (lecture, tensorflow)"]
    assert (comparison.headline, back.headline) == ("1 result got worse beyond noise", "Nothing got worse beyond noise")
    forth, mirrored = change_of(comparison, "dropout"), change_of(back, "dropout")
    assert forth.difference == pytest.approx(forth.b.mean - forth.a.mean) == -mirrored.difference
    assert (forth.alone.low, forth.alone.high) == pytest.approx((-mirrored.alone.high, -mirrored.alone.low))
    assert 0 < forth.alone.low < forth.difference < forth.alone.high
    assert re.fullmatch(
        r"B minus A is \+\d\.\d\d% in \[\+.*%, \+.*%\] at 95%, over 5 seeds and 300 test examples", forth.reason
    )


def test_other_runs_of_the_same_method_are_within_noise(compared, other, load):
    for seed in range(5):
        write_run(other, 0.054, load("mnist").test.y, replace(make_record("dropout", seed), seed=seed + 50))
    edit(other, "dropout", lambda values: values.update(seed=values["seed"] - 50))
    change = change_of(compared(), "dropout")
    assert change.word == "within noise"
    assert change.alone.low < 0 < change.alone.high
    assert len(change.by_seed) == 5
    assert not change.open


def test_pairs_are_of_equal_seeds_in_whatever_order(compared, other, load):
    y = load("mnist").test.y
    for seed in range(5):
        write_run(other, 0.054 + 0.03 * seed, y, make_record("dropout", seed))
    change = change_of(compared(), "dropout")
    a, b = (dict(zip(range(5), row.values, strict=True)) for row in (change.a, change.b))
    assert change.by_seed == pytest.approx([b[seed] - a[seed] for seed in range(5)])


def test_clear_alone_and_not_among_all_is_within_noise_and_says_so(compared, other, load):
    y = load("mnist").test.y
    for method in ("logistic", "lda"):
        record = make_record(method)
        predicted = other.predictions(record.key).probabilities.copy()
        wrong = np.flatnonzero(predicted.argmax(1) == y)[:4] if method == "lda" else []
        predicted[wrong] = np.roll(predicted[wrong], 1, axis=1)
        predicted[0] += np.float16(0.001)
        record.metrics["test"] = {"error": float(np.mean(predicted.argmax(1) != y)), "loss": 0.2}
        other.write(record, {"test": predicted})
    fit_anew(other, load, "dropout", 0.2)
    comparison = compared()
    assert comparison.judged == 3
    assert words(comparison) == {
        "ridge": "same", "dropout": "worse", "logistic": "within noise", "lda": "within noise"
    }  # fmt: skip
    lda = change_of(comparison, "lda")
    assert lda.alone.low > 0 >= lda.together.low
    assert lda.together.level == pytest.approx(1 - 0.05 / 2), "dropout was found at 1 - 0.05/3 before"
    assert change_of(comparison, "dropout").together.level == 1 - 0.05 / 3
    assert "clear of 0 at 95%, but in [0.00%, +" in lda.reason
    assert lda.reason.endswith("at the 97.5% that 3 rows at once ask for")
    assert lda.open
    assert (
        "3 rows were judged by intervals. If nothing had changed, 0.15 of them would look changed" in comparison.alarms
    )


def test_other_test_data_are_compared_by_runs(compared, other, load):
    fit_anew(other, load, "dropout", 0.3)
    for method in ("dropout", "ridge", "lda"):
        edit(other, method, lambda values: values["dataset"]["digests"].update(test="other"))
    comparison = compared()
    assert words(comparison) == {
        "ridge": "within noise", "dropout": "worse", "logistic": "same", "lda": "cannot tell"
    }  # fmt: skip
    assert change_of(comparison, "dropout").reason.endswith("over 5 and 5 runs (other test data)")
    assert change_of(comparison, "lda").reason.endswith("in a deterministic method; other test data")
    assert change_of(comparison, "lda").changed == ("data",)


def test_runs_that_do_not_name_their_test_data_are_not_paired_but_may_be_the_same(compared, store, other, load):
    fit_anew(other, load, "dropout", 0.3)
    for side in (store, other):
        for method in ("dropout", "ridge", "lda"):
            edit(side, method, lambda values: values["dataset"].update(digests={}))
    comparison = compared()
    assert words(comparison) == {"ridge": "same", "dropout": "worse", "logistic": "same", "lda": "same"}
    assert change_of(comparison, "dropout").reason.endswith("over 5 and 5 runs (test data without a digest)")


def test_without_the_dataset_equal_predictions_are_the_same_and_others_compared_by_runs(compared, other, load):
    def none(name):
        raise DataMissing(f"no {name}\nanywhere")

    fit_anew(other, load, "dropout", 0.3)
    comparison = compared(load=none)
    assert words(comparison) == {"ridge": "same", "dropout": "worse", "logistic": "same", "lda": "same"}
    assert change_of(comparison, "dropout").reason.endswith("over 5 and 5 runs (no mnist anywhere)")


@pytest.mark.parametrize(
    ("seeds", "word", "reason"),
    [
        (range(10, 15), "worse", "over 5 and 5 runs (no seed in common)"),
        (range(3, 8), "worse", "over 5 and 5 runs (2 seeds in common)"),
        (range(2, 8), "worse", "over 3 seeds and 300 test examples"),
        (range(3), "worse", "over 3 seeds and 300 test examples"),
        (range(2), "cannot tell", "5 and 2 runs are too few to tell, it takes 3 each; 2 seeds in common"),
    ],
)
def test_fewer_than_three_common_seeds_are_not_paired(compared, other, load, seeds, word, reason):
    drop(other, "dropout")
    fit_anew(other, load, "dropout", 0.3, seeds)
    change = change_of(compared(), "dropout")
    assert change.word == word
    assert change.reason.endswith(reason)


def test_one_identical_run_is_enough_for_the_same(compared, other):
    drop(other, "dropout", seeds=range(1, 5))
    change = change_of(compared(), "dropout")
    assert (change.word, change.reason) == ("same", "identical predictions in 1 run")
    assert change.open, "the means differ, so it is explained"


def test_a_deterministic_method_is_resampled_over_examples(compared, other, load):
    write_run(other, 0.7, load("mnist").test.y, make_record("lda"))
    change = change_of(compared(), "lda")
    assert change.word == "worse"
    assert change.reason.endswith("over 300 test examples")
    assert strip(change).runs == ()


def test_missing_predictions_leave_equal_numbers_the_same_and_others_to_the_runs(compared, other, load):
    fit_anew(other, load, "dropout", 0.3)
    for path in other.runs.glob("*/predictions.npz"):
        path.unlink()
    comparison = compared()
    assert words(comparison) == {"ridge": "same", "dropout": "worse", "logistic": "same", "lda": "same"}
    assert "identical numbers in 5 runs; predictions not compared: runs/" in change_of(comparison, "ridge").reason
    assert "over 5 and 5 runs (runs/" in change_of(comparison, "dropout").reason


def test_equal_numbers_of_other_predictions_are_not_the_same(compared, other, load):
    def none(name):
        raise DataMissing("none")

    predict(other, make_record("lda"), np.roll(other.predictions(make_record("lda").key).predicted, 1))
    comparison = compared(load=none)
    assert words(comparison)["lda"] == "cannot tell"


def test_a_record_that_its_predictions_contradict_cannot_be_compared(compared, other):
    edit(other, "dropout", lambda values: values["metrics"]["test"].update(error=0.9), seeds=[1])
    key = make_record("dropout", 1).key
    comparison = compared()
    assert words(comparison)["dropout"] == "same", "identical predictions need no record"
    predicted = other.predictions(key).predicted
    predicted[0] = (predicted[0] + 1) % 10
    predict(other, make_record("dropout", 1), predicted)
    change = change_of(compared(), "dropout")
    assert change.word == "cannot tell"
    assert f"B's runs/{key}/predictions.npz gives" in change.reason
    assert "lecturebench verify" in change.reason


def status(text, seeds=None):
    return lambda values: values.update(status=text) if seeds is None or values["seed"] in seeds else None


@pytest.mark.parametrize(
    ("in_a", "in_b", "word", "reason"),
    [
        ([], range(5), "worse", "no run of B finished (5 diverged), 5 of A did"),
        (range(5), [], "better", "no run of A finished (5 diverged), 5 of B did"),
        (range(5), range(5), "same", "no run finished: of A 5 diverged, of B 5 diverged"),
        ([2], [2], "same", "identical predictions in 4 runs; of A 1 diverged; of B 1 diverged"),
        ([], [2], "cannot tell", "identical predictions in 4 runs; of B 1 diverged"),
        ([2], [], "cannot tell", "identical predictions in 4 runs; of A 1 diverged"),
        ([1], [2], "cannot tell", "identical predictions in 3 runs; of A 1 diverged; of B 1 diverged"),
    ],
)
def test_diverged_runs_are_results(compared, store, other, in_a, in_b, word, reason):
    edit(store, "dropout", status("diverged"), seeds=in_a)
    edit(other, "dropout", status("diverged"), seeds=in_b)
    change = change_of(compared(), "dropout")
    assert (change.word, change.reason) == (word, reason)


@pytest.mark.parametrize(("in_a", "word"), [(True, "cannot tell"), (False, "worse")])
def test_what_is_worse_even_without_the_diverged_runs_of_b_is_worse(compared, store, other, load, in_a, word):
    fit_anew(other, load, "dropout", 0.3)
    edit(store if in_a else other, "dropout", status("diverged"), seeds=[4])
    assert words(compared())["dropout"] == word


def test_runs_that_crashed_are_told_and_decide_nothing(compared, other):
    edit(other, "dropout", status("crashed"), seeds=[4])
    change = change_of(compared(), "dropout")
    assert (change.word, change.reason) == ("same", "identical predictions in 4 runs; of B 1 crashed")


def test_a_row_with_nothing_but_choice_runs_cannot_be_told(compared, other):
    for seed in range(5):
        shutil.rmtree(other.runs / make_record("ridge", seed).key)
    change = change_of(compared(), "ridge")
    assert (change.word, change.reason) == ("cannot tell", "B has no judged run yet")


def test_rows_and_claims_of_one_side_alone_are_listed_and_do_not_count(compared, benchmarks, store, other):
    drop(other, "lda")
    drop(store, "logistic")
    comparison = compared(benchmarks=benchmarks)
    assert [row.method.name for row in comparison.only_a] == ["lda"]
    assert [row.method.name for row in comparison.only_b] == ["logistic"]
    assert comparison.summary == "2 rows in both: 2 same; 1 only in A; 1 only in B."
    assert comparison.headline == "Nothing changed in the rows of both"
    assert comparison.worse == []
    lines = comparison_lines(comparison)
    about = "error_table, mnist, lecture profile, tensorflow"
    assert f"{about}: only in A: lda" in lines
    assert f"{about}: only in B: logistic" in lines


def test_claims_with_another_verdict_are_listed_with_both(compared, benchmarks, other, load):
    fit_anew(other, load, "ridge", 0.3)
    comparison = compared(benchmarks=benchmarks)
    changed = {change.b.claim.name: (change.a.word, change.b.word) for change in comparison.claims}
    assert changed == {
        "ridge error 6.9%": ("reproduced", "worse"),
        "order dropout < ridge < logistic < lda": ("reproduced", "contradicted"),
    }
    assert comparison.worse == ["ridge of error_table on mnist (lecture, tensorflow)"], "claims do not count"


def experiment(benchmarks, deterministic):
    """The benchmark with an experiment and its identity in place of all else."""
    about = {"source": "this suite", "slide": "s", "dataset": "mnist", "protocol": {"runs": stated("three", "here")}}
    claims = tuple(
        IdentityClaim(method="formula", statement=f"{metric} agrees", tolerance=1e-6, metric=metric, **about)
        for metric in ("deviation", "slope")
    )
    method = Experiment("formula", "Formula", lambda dataset, rng: Measured({}), deterministic=deterministic)
    free = Experiment("free", "Free", lambda dataset, rng: Measured({}), "rise", deterministic=deterministic)
    changed = replace(benchmarks["error_table"], methods=(method, free), claims=claims)
    return {"error_table": changed}


def measured(store, values, method="formula", name="deviation", slope=0.0):
    shutil.rmtree(store.runs, ignore_errors=True) if method == "formula" else None
    for seed, value in enumerate(values):
        record = make_record(method, seed, metrics={"measured": {name: value, "slope": slope}})
        store.write(replace(record, backend=BACKENDS[0]), None)


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize(
    ("a", "b", "word"),
    [
        (1e-9, 1e-9, "same"),
        (1e-9, 9e-7, "within noise"),
        (1e-9, 1e-3, "worse"),
        (1e-3, 1e-9, "better"),
        (1e-3, float("nan"), "cannot tell"),
        (1e-9, float("inf"), "worse"),
    ],
)
def test_what_the_tolerance_of_an_identity_allows_is_no_change(
    compared, benchmarks, store, other, deterministic, a, b, word
):
    n = 1 if deterministic else 4
    measured(store, [a] * n)
    measured(other, [*([min(a, b)] * (n - 1)), b])
    comparison = compared(benchmarks=experiment(benchmarks, deterministic))
    assert words(comparison) == {"formula": word}
    assert len(comparison.worse) == (word == "worse"), "row and claim are one result"
    assert change_of(comparison, "formula").alone is None


def test_above_the_tolerance_on_both_sides_runs_decide(compared, benchmarks, store, other):
    measured(store, [0.1, 0.11, 0.12])
    measured(other, [0.2, 0.21, 0.22])
    assert words(compared(benchmarks=experiment(benchmarks, False))) == {"formula": "worse"}
    assert words(compared(benchmarks=experiment(benchmarks, True))) == {"formula": "worse"}, "it says so and is not"
    measured(store, [0.1])
    measured(other, [0.2])
    assert words(compared(benchmarks=experiment(benchmarks, True))) == {"formula": "cannot tell"}


def test_an_identity_that_is_contradicted_now_is_worse_whatever_its_row_says(compared, benchmarks, store, other):
    measured(store, [1e-9] * 3)
    measured(other, [1e-9] * 3, slope=0.5)
    comparison = compared(benchmarks=experiment(benchmarks, False))
    assert words(comparison) == {"formula": "same"}
    (broken,) = comparison.worse
    assert "slope" in broken
    assert comparison.headline == "1 result got worse beyond noise"
    assert compared(back=True, benchmarks=experiment(benchmarks, False)).worse == []


def test_an_experiment_without_a_tolerance_is_judged_by_its_runs(compared, benchmarks, store, other):
    for side, values in ((store, [1.0, 1.1, 1.2]), (other, [1.05, 1.0, 1.21])):
        measured(side, [1e-9] * 3)
        measured(side, values, "free", "rise")
    change = change_of(compared(benchmarks=experiment(benchmarks, False)), "free")
    assert change.word == "within noise"
    assert change.reason.endswith("over 3 and 3 runs")


def test_numbers_too_large_to_subtract_cannot_be_compared(compared, benchmarks, store, other):
    for side, largest in ((store, 1.7e308), (other, 1.6e308)):
        measured(side, [1e-9] * 3)
        measured(side, [largest, 1.5e308, 1.4e308], "free", "rise")
    change = change_of(compared(benchmarks=experiment(benchmarks, False)), "free")
    assert (change.word, change.reason) == ("cannot tell", "its numbers are too large to compare")


def test_times_are_ratios_of_means_with_their_range_over_runs(compared, other):
    edit(other, "dropout", lambda values: values["seconds"].update(fit=values["seconds"]["fit"] * 2))
    time = change_of(compared(), "dropout").time
    assert (time.a, time.b, time.ratio) == pytest.approx((14.5, 29, 2))
    assert (time.low, time.high) == pytest.approx((25 / 16.5, 33 / 12.5))
    assert time.same
    assert time.machine_a == time.machine_b == "made up, 2 cores, 1 thread"
    assert np.isnan(change_of(compared(), "lda").time.low)


def test_times_that_are_shares_of_a_program_are_shown_and_not_compared(compared, other):
    edit(other, "dropout", lambda values: values.update(kernels={"update": "one", "steps": "one of 8 lanes"}))
    for back in (False, True):
        time = change_of(compared(back=back), "dropout").time
        assert (time.a, time.b) == pytest.approx((14.5, 14.5))
        assert np.isnan([time.ratio, time.low, time.high]).all()


@pytest.mark.parametrize(
    ("change", "machine"),
    [
        ({"environment": {"cpu": "Other", "cores": 8}}, "Other, 8 cores, 1 thread"),
        ({"threads": 2}, "made up, 2 cores, 2 threads"),
        ({"device": "gpu"}, "made up, 2 cores, a GPU, 1 thread"),
        ({"environment": {}}, "unnamed processor, 1 thread"),
    ],
)
def test_times_of_other_machines_are_shown_named_and_never_judged(compared, other, change, machine):
    edit(other, "dropout", lambda values: values.update(change, seconds={"fit": 1e6}))
    comparison = compared()
    row = change_of(comparison, "dropout")
    assert (row.word, row.time.same, row.time.machine_b) == ("same", False, machine)
    assert comparison.other_machines
    assert comparison.worse == []
    assert any("on other machines (made up" in line for line in comparison_lines(comparison))


def test_runs_of_two_machines_are_not_one_machine(compared, store, other):
    for side in (store, other):
        edit(side, "dropout", lambda values: values.update(environment={"cpu": "Other"}), seeds=[0])
    time = change_of(compared(), "dropout").time
    assert not time.same
    assert time.machine_a == "Other, 1 thread and made up, 2 cores, 1 thread"


def test_times_that_nobody_recorded_are_nothing(compared, other):
    edit(other, "dropout", lambda values: values["seconds"].pop("fit"))
    edit(other, "ridge", lambda values: values["seconds"].update(fit=0))
    comparison = compared()
    assert np.isnan(change_of(comparison, "dropout").time.ratio)
    assert change_of(comparison, "ridge").time.ratio == 0
    assert np.isnan(change_of(compared(back=True), "ridge").time.ratio)


def test_recipe_code_data_and_versions_that_differ_are_named(compared, other):
    def change(values):
        values["recipe"] |= {"penalty": 0.01, "units": [1] * 50}
        values["recipe"].pop("epochs")
        values["environment"]["packages"]["keras"] = "4.0"
        values["source_digest"] = "x"

    edit(other, "ridge", change)
    differences = change_of(compared(), "ridge").changed
    assert differences[0] == "epochs 30 → none"
    assert differences[1] == "penalty 0.0001 → 0.01"
    assert differences[2].startswith("units [256, 128] → [1, 1, 1,")
    assert len(differences[2]) < 90
    assert differences[3:] == ("code", "keras 3.15.1 → 4.0")


def test_a_folder_of_stores_is_one_side_and_the_newest_of_equal_rows_counts(unclaimed, store, load, tmp_path):
    parent = tmp_path / "reference"
    for name in ("one", "two"):
        shutil.copytree(store.folder, parent / name)
    drop(Store(parent / "one"), "lda")
    drop(Store(parent / "two"), "logistic")
    fit_anew(Store(parent / "one"), load, "dropout", 0.3, started="2027-01-01T00:00:00+00:00")
    side = read_side(parent, unclaimed, load)
    comparison = compare(read_side(store.folder, unclaimed, load), side)
    assert words(comparison) == {"ridge": "same", "dropout": "worse", "logistic": "same", "lda": "same"}
    (note,) = side.notes
    rule = "that of today's code counts, else the one with the most runs"
    assert note.startswith(f"in several stores, of which {rule}: ridge of error_table on mnist")
    assert note.count("lecture") == 2


def test_of_several_stores_that_of_todays_code_counts_whatever_the_dates_say(unclaimed, store, load, tmp_path):
    parent = tmp_path / "both"
    shutil.copytree(store.folder, parent / "today")
    shutil.copytree(store.folder, parent / "older")
    drop(Store(parent / "older"), "dropout")
    y = load("mnist").test.y
    for seed in range(7):
        write_run(
            Store(parent / "older"), 0.3, y, make_record("dropout", seed, key=f"older{seed}", started="2028-01-01")
        )
    stale = {f"older{seed}": "its source has changed" for seed in range(7)}
    side = read_side(parent, unclaimed, load, lambda records: Planned(stale))
    [dropout] = [stored for stored in side.rows.values() if stored.row.method.name == "dropout"]
    assert (dropout.row.n, dropout.todays, dropout.store.folder.name) == (5, True, "today")
    side = read_side(parent, unclaimed, load)
    [dropout] = [stored for stored in side.rows.values() if stored.row.method.name == "dropout"]
    assert (dropout.row.n, dropout.store.folder.name) == (7, "older"), "nobody says which is today's"


def test_nothing_to_compare_is_said_in_one_line(unclaimed, store, other, load, tmp_path):
    (tmp_path / "empty" / "runs").mkdir(parents=True)
    (tmp_path / "damaged" / "runs" / "x").mkdir(parents=True)
    (tmp_path / "damaged" / "runs" / "x" / "record.json").write_text("{\n")
    with pytest.raises(UsageError, match=r"no usable run of this suite in .*empty'$"):
        read_side(tmp_path / "empty", unclaimed, load)
    with pytest.raises(UsageError, match=r"no usable run of this suite in .*damaged': runs/x/record.json: "):
        read_side(tmp_path / "damaged", unclaimed, load)
    with pytest.raises(UsageError, match="give a folder that `lecturebench run --out` wrote"):
        read_side(tmp_path / "empty" / "runs", unclaimed, load)
    for method in ("ridge", "dropout", "logistic", "lda"):
        for role in ("judged", "choice"):
            edit(other, method, lambda values: values["dataset"].update(name="digits"), role)
    sides = [read_side(side.folder, unclaimed, load) for side in (store, other)]
    with pytest.raises(
        UsageError, match=r"no row is in both: A has error_table on mnist .*; B has .* on digits"
    ) as caught:
        compare(*sides)
    assert "\n" not in str(caught.value)


def test_notes_of_both_sides_are_passed_on(compared, store, other):
    for name, side in (("a", store), ("b", other)):
        (side.runs / name).mkdir()
        (side.runs / name / "record.json").write_text("{")
    notes = compared().notes
    assert any(note.startswith("A: runs/a/record.json: ") for note in notes)
    assert any(note.startswith("B: runs/b/record.json: ") for note in notes)
