"""A user's tables in the formats that libraries read whole: Parquet, ARFF, and OpenML's without a network."""

import io
import urllib.error
import urllib.request
import urllib.response

import numpy as np
import pandas as pd
import pytest

from lecturebench import datasets
from lecturebench.datasets import frames, sources
from lecturebench.errors import DataCorrupt, DataMissing, UsageError
from tests.datasets import build

FRAME = pd.DataFrame(
    {
        "whole": np.arange(20, dtype=np.int32),
        "half": np.arange(20) * 37 % 41 + 0.5,
        "colour": ["red", "blue"] * 10,
        "sure": [True, False, False, True] * 5,
        "Label": ["a", "b"] * 10,
    }
)
ARFF = """@RELATION made_up
@ATTRIBUTE half NUMERIC
@ATTRIBUTE grade {1,01,3}
@ATTRIBUTE class {yes,no}
@DATA
""" + "".join(f"{i * 37 % 41}.5,{(1, '01', 3)[i % 3]},{'yes' if i % 2 else 'no'}\n" for i in range(20))


def parquet(path, frame):
    frame.to_parquet(path)
    return f"parquet:{path}"


def arff(path, text):
    path.write_text(text, encoding="utf-8")
    return f"arff:{path}"


def test_parquet_and_csv_of_one_table_are_the_same_data(tmp_path):
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    stored = datasets.load(parquet(tmp_path / "a.parquet", FRAME))
    written = datasets.load(f"csv:{tmp_path / 'a.csv'}")
    assert stored.columns == ("whole", "half", "colour=blue", "colour=red", "sure=False", "sure=True")
    assert (stored.columns, stored.classes, stored.digests) == (written.columns, written.classes, written.digests)


def test_parquet_takes_the_options_of_a_table(tmp_path):
    name = parquet(tmp_path / "a.parquet", FRAME)
    dataset = datasets.load(f"{name}?target=half&task=regression")
    assert (dataset.task, len(dataset.columns)) == ("regression", 7)
    with pytest.raises(UsageError, match="target 'colour', row 1: 'red' is no number, while task is regression"):
        datasets.load(f"{name}?target=colour&task=regression")


def test_index_with_a_name_is_a_column_and_one_without_is_not(tmp_path):
    named = FRAME.set_index("whole")
    name = parquet(tmp_path / "a.parquet", named)
    assert "whole" in datasets.load(name).columns
    assert "The index of the file, 'whole', is read as columns." in datasets.describe(name).notes
    assert len(datasets.load(parquet(tmp_path / "b.parquet", FRAME[FRAME.whole != 3])).columns) == 6


def test_index_with_the_name_of_a_column_is_refused(tmp_path):
    frame = FRAME.set_axis(pd.Index([f"r{i}" for i in range(len(FRAME))], name="whole"))
    with pytest.raises(UsageError, match="its index has the name of a column: cannot insert whole"):
        datasets.load(parquet(tmp_path / "a.parquet", frame))


def test_large_whole_numbers_of_both_signs_are_exact_labels(tmp_path):
    for kind in ("int64", "uint64", "Int64"):
        frame = FRAME.assign(Label=pd.array([2**53, 2**53 + 1] * 10, dtype=kind))
        assert datasets.load(parquet(tmp_path / "a.parquet", frame)).classes == (str(2**53), str(2**53 + 1))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"half": [None, *FRAME.half[1:]]}, "column 'half', row 1: 'nan' is missing"),
        ({"half": [np.inf, *FRAME.half[1:]]}, "column 'half', row 1: 'inf' is no finite number"),
        ({"colour": [None, *FRAME.colour[1:]]}, "column 'colour', row 1: .* is missing"),
        ({"Label": [None, *FRAME.Label[1:]]}, "target 'Label', row 1: '' is missing"),
        ({"half": pd.date_range("2020", periods=20)}, "column 'half' holds datetime64.*; expected numbers or text"),
        ({"half": [[1]] * 20}, "column 'half' holds object; expected numbers or text"),
        ({"class": ["a"] * 20}, "columns 'Label', 'class' may all be the target"),
    ],
)
def test_what_is_wrong_with_a_parquet_file_is_said_with_column_and_row(tmp_path, changes, said):
    name = parquet(tmp_path / "a.parquet", FRAME.assign(**changes))
    with pytest.raises(UsageError, match=f"parquet:{tmp_path / 'a.parquet'}: {said}"):
        datasets.load(name)


@pytest.mark.parametrize("form", ["parquet", "arff"])
def test_file_of_another_format_is_one_line(tmp_path, form):
    (tmp_path / "a").write_text("a,label\n1,2\n")
    with pytest.raises(UsageError, match=rf"{form}:.*/a: it cannot be read as (Parquet|ARFF): ") as caught:
        datasets.load(f"{form}:{tmp_path / 'a'}")
    assert "\n" not in str(caught.value)


def test_arff_says_its_own_types(tmp_path):
    name = arff(tmp_path / "a.arff", ARFF)
    dataset = datasets.load(name)
    assert dataset.columns == ("half", "grade=01", "grade=1", "grade=3")
    assert dataset.classes == ("no", "yes")
    assert len(dataset.train) == 16
    assert datasets.load(f"{name}?target=grade").classes == ("01", "1", "3")
    assert datasets.load(f"{name}?target=half").task == "regression"


@pytest.mark.parametrize("values", [[1, 3], [0.5, 1.5], [10, 20], ["1", "01"]])
def test_categories_that_a_file_declares_are_categories_and_classes_though_they_are_numbers(tmp_path, values):
    cells = pd.Categorical.from_codes(np.arange(20) % 2, pd.Index(values))
    names = tuple(sorted(map(str, values)))
    frame = FRAME[["half", "Label"]].assign(kind=cells)
    assert datasets.load(parquet(tmp_path / "a.parquet", frame)).columns == (
        "half",
        *(f"kind={name}" for name in names),
    )
    name = parquet(tmp_path / "b.parquet", frame)
    assert datasets.load(f"{name}?target=kind").classes == names
    assert any("target is categories" in note for note in datasets.describe(f"{name}?target=kind").notes)


def test_value_that_a_file_declares_is_none_only_where_it_is_empty(tmp_path):
    cells = pd.Categorical(["none", "NA", "none", "soft"] * 5)
    name = parquet(tmp_path / "a.parquet", FRAME[["half", "Label"]].assign(kind=cells))
    assert datasets.load(name).columns == ("half", "kind=NA", "kind=none", "kind=soft")
    assert datasets.load(f"{name}?target=kind").classes == ("NA", "none", "soft")
    some = FRAME[["half", "Label"]].assign(kind=cells.remove_categories("soft"))
    name = parquet(tmp_path / "b.parquet", some)
    with pytest.raises(UsageError, match=r"column 'kind', row 4 .*is missing"):
        datasets.load(name)
    with pytest.raises(UsageError, match=r"target 'kind', row 4 .*is missing"):
        datasets.load(f"{name}?target=kind")


def test_values_that_a_file_declares_apart_by_blanks_are_not_merged(tmp_path):
    cells = pd.Categorical(["p", " p"] * 10)
    name = parquet(tmp_path / "a.parquet", FRAME[["half", "Label"]].assign(kind=cells))
    assert len(datasets.load(name).columns) == 3
    assert any("hard to see" in note for note in datasets.describe(name).notes)
    with pytest.raises(UsageError, match="differ only in case, blanks or Unicode form"):
        datasets.load(f"{name}?target=kind")


def test_index_of_text_without_a_name_is_left_out_and_said(tmp_path):
    frame = FRAME.set_axis(pd.Index([f"r{i}" for i in range(len(FRAME))]))
    name = parquet(tmp_path / "a.parquet", frame)
    assert datasets.load(name).columns == datasets.load(parquet(tmp_path / "b.parquet", FRAME)).columns
    assert any("has no name and is left out" in note for note in datasets.describe(name).notes)
    assert not any("left out" in note for note in datasets.describe(f"parquet:{tmp_path / 'b.parquet'}").notes)


def test_categories_are_known_though_columns_are_called_by_numbers(tmp_path):
    frame = pd.DataFrame({0: FRAME.half, 1: pd.Categorical([10, 20] * 10), 2: pd.Categorical([1.5, 0.5] * 10)})
    dataset = datasets.load(f"{parquet(tmp_path / 'a.parquet', frame)}?target=2")
    assert (dataset.columns, dataset.classes) == (("0", "1=10", "1=20"), ("0.5", "1.5"))


def test_nominal_target_of_many_numbers_is_classes(tmp_path):
    values = ",".join(map(str, range(25)))
    rows = "".join(f"{i * 37 % 101}.5,{i % 25}\n" for i in range(100))
    text = f"@RELATION r\n@ATTRIBUTE p NUMERIC\n@ATTRIBUTE class {{{values}}}\n@DATA\n{rows}"
    assert len(datasets.load(arff(tmp_path / "a.arff", text)).classes) == 25
    assert datasets.load(f"arff:{tmp_path / 'a.arff'}?task=regression").task == "regression"


@pytest.fixture
def network(tmp_path, monkeypatch):
    """OpenML as a dict of answers by URL, and how often each was asked for. scikit-learn keeps what it gets here."""
    answers = build.openml(61, "made_up", ARFF, {"half": "numeric", "grade": "nominal", "class": "nominal"}, "class")
    asked = []

    class Fake(urllib.request.HTTPSHandler):
        def https_open(self, request):
            asked.append(request.full_url)
            if not answers:
                raise urllib.error.URLError("no network")
            known = answers.get(request.full_url)
            status, content = (200, known) if known is not None else (412, b"{}")
            answer = urllib.response.addinfourl(io.BytesIO(content), {}, request.full_url, status)
            answer.msg = "as it is"
            return answer

    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "kept"))
    monkeypatch.setattr(frames, "probe", lambda url: sources.Answer(bool(answers), f"{url} was asked"))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    before = urllib.request._opener
    urllib.request.install_opener(urllib.request.build_opener(Fake, urllib.request.ProxyHandler({})))
    yield answers, asked
    urllib.request.install_opener(before)


def test_openml_is_fetched_once_and_its_target_is_said(network):
    answers, asked = network
    dataset = datasets.load("openml:61")
    assert dataset.columns == ("half", "grade=01", "grade=1", "grade=3")
    assert dataset.classes == ("no", "yes")
    description = datasets.describe("openml:61")
    assert description.target == "class"
    assert description.notes[:2] == (
        "OpenML's 61 is 'made_up', version 1.",
        "The target is 'class', as OpenML has it.",
    )
    first = len(asked)
    answers.clear()
    assert datasets.load("openml:61?target=grade").classes == ("01", "1", "3"), "scikit-learn has kept it"
    assert len(asked) == first


def test_openml_that_cannot_be_reached_is_one_line(network):
    answers, _ = network
    answers.clear()
    with pytest.raises(DataMissing, match=r"^openml:61 cannot be had from OpenML: https://www\.openml\.org was asked$"):
        datasets.load("openml:61")


def test_id_that_openml_does_not_have_is_one_line(network):
    with pytest.raises(UsageError, match=r"^openml:62: Dataset with data_id 62 not found\.$"):
        datasets.load("openml:62")


def test_damaged_download_of_openml_is_refused(network):
    answers, _ = network
    url = next(url for url in answers if "download" in url)
    answers[url] = answers[url].replace(b"yes", b"no")
    with pytest.raises(DataCorrupt, match=r"openml:61: OpenML's 61: .*md5 checksum.*; nothing is cached"):
        datasets.load("openml:61")


def test_network_that_breaks_off_is_one_line(network, monkeypatch):
    answers, _ = network
    monkeypatch.setattr(frames, "probe", lambda url: sources.Answer(True, "it answers"))
    answers.clear()
    with pytest.raises(DataMissing, match=r"it cannot be fetched \(<urlopen error no network>\)") as caught:
        datasets.load("openml:61")
    assert "\n" not in str(caught.value)
