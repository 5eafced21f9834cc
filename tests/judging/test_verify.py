"""verify: agrees with what was written, and finds whatever was changed since."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lecturebench.errors import DataMissing
from lecturebench.judging.verify import verify as differences_of
from lecturebench.report.table import table_rows, to_csv, write_tables
from lecturebench.store import Store
from tests.made_up import make_record


def verify(folder, benchmarks, load):
    """As `session.verify` calls it."""
    return differences_of(folder, benchmarks, load, write=lambda results: to_csv(table_rows(results)))


@pytest.fixture
def written(results, store):
    """The store with the table of its results."""
    write_tables(results, store.folder)
    return store


def rewrite(store, record, change):
    path = store.runs / record.key / "record.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def test_a_folder_as_it_was_written_agrees(written, benchmarks, load):
    assert verify(written.folder, benchmarks, load) == []


@pytest.mark.parametrize("method", ["dropout", "lda"])
def test_one_edited_class_is_found_in_record_and_table(written, benchmarks, load, method):
    record = make_record(method)
    predicted = written.predictions(record.key)
    right = int(np.flatnonzero(predicted.argmax(1) == load("mnist").test.y)[0])
    predicted[right] = np.roll(predicted[right], 1)
    np.savez_compressed(written.runs / record.key / "predictions.npz", test=predicted)
    differences = verify(written.folder, benchmarks, load)
    assert any(f"runs/{record.key}/record.json: test error is " in line for line in differences)
    assert any(line.startswith(f"table.csv: benchmarks error_table mnist {method} ") for line in differences)
    assert any(": mean is " in line for line in differences)


def test_another_wrong_class_is_found_by_the_loss(written, benchmarks, load):
    record = make_record("dropout")
    predicted = written.predictions(record.key)
    predicted[0] = 0.25
    np.savez_compressed(written.runs / record.key / "predictions.npz", test=predicted)
    assert any("test loss is " in line for line in verify(written.folder, benchmarks, load))


def test_an_edited_metric_is_found(written, benchmarks, load):
    record = make_record("dropout", 1)
    rewrite(written, record, lambda values: values["metrics"]["test"].update(error=0.01))
    differences = verify(written.folder, benchmarks, load)
    assert len(differences) == 1, "the table was made before and agrees with the predictions"
    assert f"runs/{record.key}/record.json: test error is 0.01, recomputed " in differences[0]


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
    assert verify(written.folder, benchmarks, load) == ["table.csv: cannot be read: line 7 has 2 cells, not 24"]


def test_other_digests_are_found(written, benchmarks, load):
    rewrite(written, make_record("lda"), lambda values: values["dataset"]["digests"].update(test="abc"))
    differences = verify(written.folder, benchmarks, load)
    assert any("its test split has digest abc, the dataset's is " in line for line in differences)


def test_another_number_of_test_examples_is_found(written, benchmarks, load):
    rewrite(written, make_record("lda"), lambda values: values["dataset"].update(n_test=299))
    assert any("300 predictions for 299 test examples" in line for line in verify(written.folder, benchmarks, load))


def test_a_parameter_that_the_rule_does_not_choose_is_found(written, benchmarks, load):
    for seed in (101, 102, 103):
        record = make_record("ridge", seed, role="choice", penalty=0.001)
        rewrite(written, record, lambda values: values["metrics"]["validation"].update(error=0.01))
    where = "ridge on mnist (lecture, tensorflow)"
    assert verify(written.folder, benchmarks, load) == [f"{where}: penalty is 0.0001, the rule chooses 0.001"]


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
    store = Store(tmp_path)
    y = load("mnist").test.y
    store.write(make_record("lda", metrics={"test": {"mae": 0.5, "loss": 0.25}}), {"test": y + 0.5})
    store.write(make_record("logistic", metrics={"test": {"mae": 0.6, "loss": 0.25}}), {"test": y + 0.5})
    found = [line for line in verify(tmp_path, benchmarks, load) if line.startswith("runs/")]
    assert found == [f"runs/{make_record('logistic').key}/record.json: test mae is 0.6, recomputed 0.5"]


def test_edit_that_moves_no_metric_is_found(written, benchmarks, load):
    record = make_record("lda")
    predicted = written.predictions(record.key)
    y = load("mnist").test.y
    first, second = [c for c in range(predicted.shape[1]) if c not in (y[0], predicted[0].argmax())][:2]
    predicted[0, second] = predicted[0, first] * 0.5
    np.savez(written.runs / record.key / "predictions.npz", test=predicted)
    [difference] = verify(written.folder, benchmarks, load)
    assert difference == f"runs/{record.key}/predictions.npz: its predictions are not those that were recorded"
