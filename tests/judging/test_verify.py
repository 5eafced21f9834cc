"""verify: agrees with what was written, and finds whatever was changed since."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from lecturebench import Choice
from lecturebench.errors import DataMissing
from lecturebench.judging.collect import Planned
from lecturebench.judging.verify import WRITTEN
from lecturebench.judging.verify import verify as differences_of
from lecturebench.report.table import table_rows, to_csv, write_tables
from lecturebench.store import Store
from tests.made_up import make_record, rewrite


def verify(folder, benchmarks, load, **changes):
    """With the table as `session.verify` has it written."""
    return differences_of(folder, benchmarks, load, write=lambda results: to_csv(table_rows(results)), **changes)


@pytest.fixture
def written(results, store):
    """The store with the table of its results."""
    write_tables(results, store.folder)
    return store


def edit(store, record, change, **how):
    rewrite(store.runs / record.key / "record.json", change, **how)


def test_a_folder_as_it_was_written_agrees(written, benchmarks, load):
    assert verify(written.folder, benchmarks, load) == []


@pytest.mark.parametrize("method", ["dropout", "lda"])
def test_one_edited_class_is_found_in_record_and_table(written, benchmarks, load, method):
    record = make_record(method)
    predicted = written.predictions(record.key).probabilities
    right = int(np.flatnonzero(predicted.argmax(1) == load("mnist").test.y)[0])
    predicted[right] = np.roll(predicted[right], 1)
    np.savez_compressed(written.runs / record.key / "predictions.npz", test=predicted)
    differences = verify(written.folder, benchmarks, load)
    assert any(f"runs/{record.key}/record.json: test error is " in line for line in differences)
    assert any(line.startswith(f"table.csv: benchmarks error_table mnist {method} ") for line in differences)
    assert any(": mean is " in line for line in differences)


def test_another_wrong_class_is_found_by_the_loss(written, benchmarks, load):
    record = make_record("dropout")
    predicted = written.predictions(record.key).probabilities
    predicted[0] = 0.25
    np.savez_compressed(written.runs / record.key / "predictions.npz", test=predicted)
    assert any("test loss is " in line for line in verify(written.folder, benchmarks, load))


def test_an_edited_metric_is_found(written, benchmarks, load):
    record = make_record("dropout", 1)
    edit(written, record, lambda values: values["metrics"]["test"].update(error=0.01))
    [recomputed] = verify(written.folder, benchmarks, load)
    assert f"runs/{record.key}/record.json: test error is 0.01, recomputed " in recomputed


@pytest.mark.parametrize(
    ("column", "old", "new"), [("verdict", "better", "reproduced"), ("published", "0.094", "0.06")]
)
def test_an_edited_cell_is_named_with_row_and_column(written, benchmarks, load, column, old, new):
    path = written.folder / "table.csv"
    lines = path.read_text().splitlines(keepends=True)
    lines[2] = lines[2].replace(f",{old},", f",{new},")
    path.write_text("".join(lines))
    row = "benchmarks error_table mnist dropout dropout error 9.4% tensorflow lecture"
    assert verify(written.folder, benchmarks, load) == [f"table.csv: {row}: {column} is {new}, recomputed {old}"]


def test_a_line_more_or_less_does_not_shift_the_others(written, benchmarks, load):
    path = written.folder / "table.csv"
    header, _, second, *others = path.read_text().splitlines(keepends=True)
    path.write_text("".join([header, second, *others, second]))
    missing, twice = verify(written.folder, benchmarks, load)
    assert "mnist ridge" in missing
    assert missing.endswith("is not there, but has runs or claims")
    assert twice.endswith("(again, line 6) is there without runs or claims")


@pytest.mark.parametrize("content", [None, b"", b"a,b\n1,2\n", b"\xff\xfe", b"suite\x00"])
def test_a_damaged_or_missing_table_is_a_difference(written, benchmarks, load, content):
    path = written.folder / "table.csv"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert len(verify(written.folder, benchmarks, load)) == 1
    assert verify(written.folder, benchmarks, load)[0].startswith("table.csv: cannot be read: ")


def test_a_short_line_is_a_difference(written, benchmarks, load):
    with (written.folder / "table.csv").open("a") as file:
        file.write("a,b\n")
    assert verify(written.folder, benchmarks, load) == ["table.csv: cannot be read: line 7 has 2 cells, not 25"]


def test_other_digests_are_found(written, benchmarks, load):
    edit(written, make_record("lda"), lambda values: values["dataset"]["digests"].update(test="abc"))
    differences = verify(written.folder, benchmarks, load)
    assert any("its test split has digest abc, the dataset's is " in line for line in differences)


def test_another_number_of_test_examples_is_found(written, benchmarks, load):
    edit(written, make_record("lda"), lambda values: values["dataset"].update(n_test=299))
    assert any("300 predictions for 299 test examples" in line for line in verify(written.folder, benchmarks, load))


def test_a_parameter_that_the_rule_does_not_choose_is_found(written, benchmarks, load):
    for seed in (101, 102, 103):
        record = make_record("ridge", seed, role="choice", penalty=0.001)
        edit(written, record, lambda values: values["metrics"]["validation"].update(error=0.01))
    differences = verify(written.folder, benchmarks, load)
    assert differences[-1] == "ridge on mnist (lecture, tensorflow): penalty is 0.0001, the rule chooses 0.001"


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.update(seed=4),
        lambda values: values.update(status="error", reason="by hand"),
        lambda values: values["recipe"].update(rates=[0.1, 0.1]),
        lambda values: values["seconds"].update(fit=0.1),
        lambda values: values["metrics"].update(measured={"probe": 1.0}),
        lambda values: values["environment"].update(cpu="another"),
        lambda values: values["curve"].pop(),
        lambda values: values.update(commit="f" * 40, unknown_field=1),
        lambda values: values.pop("peak_rss_mib"),
    ],
)
def test_edit_of_any_field_is_found(written, benchmarks, load, change):
    record = make_record("dropout", 1)
    edit(written, record, change, sealed=False)
    [first, *others] = verify(written.folder, benchmarks, load)
    assert first == f"runs/{record.key}/record.json: its content is not what was written: edited since, or damaged"
    assert any(": n is 5, recomputed 4" in line for line in others), "no table shows it"


def test_record_without_a_digest_of_itself_is_a_difference(written, benchmarks, load):
    edit(written, make_record("lda"), lambda values: values["digests"].pop("record"))
    [difference] = verify(written.folder, benchmarks, load)
    assert "it holds no digest of its content" in difference


def test_failed_run_that_has_results_is_found_even_if_its_digest_was_made_again(written, benchmarks, load):
    record = make_record("dropout", 1)
    edit(written, record, lambda values: values.update(status="error"))
    [first, *_] = verify(written.folder, benchmarks, load)
    where = f"runs/{record.key}/record.json"
    assert first.startswith(f"{where}: its status is error, but it has ")
    assert "test metrics" in first
    assert first.endswith("and predictions")


def test_planned_run_that_says_something_else_of_itself_is_a_difference_and_stale_ones_are_none(
    written, benchmarks, load
):
    edited, old = make_record("dropout", 1).key, make_record("dropout", 4).key

    def plan(records):
        return Planned({edited: "edited since it was written: its seed is 9", old: "its source has changed"})

    differences = verify(written.folder, benchmarks, load, plan=plan)
    assert differences[0] == f"runs/{edited}/record.json: edited since it was written: its seed is 9"
    assert not any(old in line for line in differences)
    left = "1 stale run of dropout on mnist (lecture, tensorflow) left out: its source has changed"
    assert left in differences, "the table was written when it still counted"
    assert any("dropout error 9.4% tensorflow lecture: n is 5, recomputed 3" in line for line in differences)


@pytest.mark.parametrize("name", ["index.html", "table.md", "table.tex", "environment.json"])
def test_page_and_tables_for_people_are_written_again_and_compared(written, benchmarks, load, name):
    def render(results, folder):
        for written_name in WRITTEN:
            (folder / written_name).write_text(f"{written_name}\n{len(results.rows)} rows\n")

    for other in WRITTEN:
        (written.folder / other).write_text(f"{other}\n4 rows\n")
    assert verify(written.folder, benchmarks, load, render=render) == []
    (written.folder / name).write_text(f"{name}\n5 rows\n")
    [difference] = verify(written.folder, benchmarks, load, render=render)
    assert difference == f"{name}: line 2 is '5 rows', written again '4 rows'"
    (written.folder / name).unlink()
    assert verify(written.folder, benchmarks, load, render=render) == [], "what is not there states nothing"
    (written.folder / name).mkdir()
    assert verify(written.folder, benchmarks, load, render=render) == [f"{name}: cannot be read: it is a folder"]


def test_page_is_written_again_from_the_figures_that_are_there_and_from_no_number_that_was_kept(
    written, benchmarks, load
):
    (written.folder / "figures").mkdir()
    for name in ("manifest.json", "one.svg", "intervals.json"):
        (written.folder / "figures" / name).write_text(name)
    given = []
    verify(
        written.folder,
        benchmarks,
        load,
        render=lambda results, place: given.extend(sorted(path.name for path in place.glob("figures/*"))),
    )
    assert given == ["manifest.json", "one.svg"]


def test_a_parameter_is_checked_by_the_rule_of_its_choice(written, benchmarks, load):
    table = benchmarks["error_table"]
    method = table.method("ridge")
    least = {**method.parameters, "penalty": replace(method.choices["penalty"], rule="least")}
    changed = type(method)(method.name, method.title, method.function, method.training, **least)
    others = {"error_table": replace(table, methods=(changed, *table.methods[1:]))}
    means = {1e-5: 0.070, 1e-4: 0.071}
    for value in method.choices["penalty"].grid:
        for seed, aside in ((101, -0.005), (102, 0.0), (103, 0.005)):
            record = make_record("ridge", seed, role="choice", penalty=value)
            error = means.get(value, 0.2) + aside
            edit(written, record, lambda values, error=error: values["metrics"]["validation"].update(error=error))
    assert verify(written.folder, benchmarks, load) == []
    [difference] = verify(written.folder, others, load)
    assert difference.endswith("penalty is 0.0001, the rule chooses 1e-05")


def test_of_several_parameters_each_that_the_rule_chooses_otherwise_is_named(written, benchmarks, load):
    table = benchmarks["error_table"]
    method = table.method("ridge")
    rate = Choice((0.001, 0.01), (101, 102, 103), rule="least")
    changed = type(method)(
        method.name, method.title, method.function, replace(method.training, learning_rate=rate), **method.parameters
    )
    others = {"error_table": replace(table, methods=(changed, *table.methods[1:]))}
    errors = {1e-5: 0.09, 1e-4: 0.08, 1e-3: 0.5}
    for value, error in errors.items():
        for seed in rate.seeds:
            tried = make_record("ridge", seed, role="choice", penalty=value)
            metrics = {"validation": {"error": error + 0.001 * (seed - 102), "loss": 0.2}}
            faster = replace(
                tried, key=f"{tried.key[:-1]}x", recipe={**tried.recipe, "learning_rate": 0.01}, metrics=metrics
            )
            written.write(faster)
            beside = {"recipe": {**tried.recipe, "learning_rate": 0.1}, "metrics": {"validation": {"error": 0.0}}}
            written.write(replace(tried, key=f"{tried.key[:-1]}y", **beside))  # not in the grid, so it chooses nothing
    assert verify(written.folder, others, load) == []
    for seed in rate.seeds:
        faster = make_record("ridge", seed, role="choice", penalty=1e-5)
        other_rate = replace(faster, key=f"{faster.key[:-1]}x")
        edit(written, other_rate, lambda values: values["metrics"]["validation"].update(error=0.01))
    assert verify(written.folder, others, load) == [
        "ridge on mnist (lecture, tensorflow): penalty is 0.0001, the rule chooses 1e-05",
        "ridge on mnist (lecture, tensorflow): learning_rate is 0.001, the rule chooses 0.01",
    ]


def test_a_choice_without_its_runs_cannot_be_checked_and_says_so(written, benchmarks, load):
    for path in list(written.runs.glob("*/record.json")):
        if json.loads(path.read_text())["role"] == "choice":
            path.unlink()
            (path.parent / "predictions.npz").unlink()
            path.parent.rmdir()
    (difference,) = verify(written.folder, benchmarks, load)
    assert difference.startswith("ridge on mnist (lecture, tensorflow): its penalty 0.0001 cannot be checked")


def test_damaged_files_are_named_and_the_rest_is_checked(written, benchmarks, load):
    damaged, unreadable = make_record("dropout", 1), make_record("ridge", 1)
    (written.runs / damaged.key / "predictions.npz").write_bytes(b"PK")
    (written.runs / unreadable.key / "record.json").write_text("{")
    differences = "\n".join(verify(written.folder, benchmarks, load))
    assert f"runs/{unreadable.key}/record.json: " in differences
    assert f"runs/{damaged.key}/record.json: cannot be checked: " in differences
    assert "ridge error 6.9% tensorflow lecture: n is 5, recomputed 4" in differences


def test_a_dataset_that_cannot_be_had_is_asked_for_once(written, benchmarks):
    asked = []

    def load(name):
        asked.append(name)
        raise DataMissing("no host")

    differences = verify(written.folder, benchmarks, load)
    assert asked == ["mnist"]
    assert sum("cannot be checked: no host" in line for line in differences) == 21


def test_an_empty_folder_has_no_table(tmp_path, benchmarks, load):
    (difference,) = verify(tmp_path, benchmarks, load)
    assert difference.startswith("table.csv: cannot be read: ")


def test_absolute_errors_are_recomputed_too(tmp_path, benchmarks, load):
    values = replace(benchmarks["error_table"], claims=(), task="regression", metric="mae")
    store = Store(tmp_path)
    y = load("mnist").test.y
    store.write(make_record("lda", metrics={"test": {"mae": 0.5, "loss": 0.25}}), {"test": y + 0.5})
    store.write(make_record("logistic", metrics={"test": {"mae": 0.6, "loss": 0.25}}), {"test": y + 0.5})
    differences = [line for line in verify(tmp_path, {"error_table": values}, load) if line.startswith("runs/")]
    assert differences == [f"runs/{make_record('logistic').key}/record.json: test mae is 0.6, recomputed 0.5"]


def test_edit_that_moves_no_metric_is_found(written, benchmarks, load):
    record = make_record("lda")
    predicted = written.predictions(record.key).probabilities
    y = load("mnist").test.y
    first, second = [c for c in range(predicted.shape[1]) if c not in (y[0], predicted[0].argmax())][:2]
    predicted[0, second] = predicted[0, first] * 0.5
    np.savez(written.runs / record.key / "predictions.npz", test=predicted)
    [difference] = verify(written.folder, benchmarks, load)
    assert difference == f"runs/{record.key}/predictions.npz: its predictions are not those that were recorded"
