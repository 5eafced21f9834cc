"""How a user's dataset is spelled: what is understood, and what is refused with what is allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecturebench import datasets
from lecturebench.datasets.spelling import parse
from lecturebench.errors import UsageError


def test_form_place_and_options_are_taken_apart():
    spelled = parse("csv:some/digits.csv?target=# label&task=classification&image=28x28x3")
    assert (spelled.form, spelled.place) == ("csv", "some/digits.csv")
    assert spelled.options == {"target": "# label", "task": "classification", "image": "28x28x3"}
    assert spelled.image == (28, 28, 3)
    assert parse("csv:a.csv?image=8x9").image == (8, 9, 1)
    assert parse("openml:554").options == {}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("csv:a.csv?targett=x", "no option 'targett'; csv: takes target=COLUMN, task=classification or"),
        ("csv:a.csv?header=first", "header is 'first'; expected header=none"),
        ("csv:a.csv?task=classify", "task is 'classify'; expected task=classification or task=regression"),
        ("csv:a.csv?image=28", "image is '28'; expected image=HEIGHTxWIDTH"),
        ("csv:a.csv?image=0x8", "image is '0x8'"),
        ("csv:a.csv?target=", "target is ''; expected target=COLUMN"),
        ("csv:a.csv?target=a&target=b", "target is said twice"),
        ("parquet:a.parquet?header=none", "no option 'header'; parquet: takes target=COLUMN"),
        ("folder:pictures?target=x", "no option 'target'; folder: takes none"),
        ("openml:mnist_784", "'mnist_784' is no id of OpenML; expected a whole number as in openml:554"),
        ("csv:?target=x", "choose 'arff:PATH', 'csv:PATH'"),
        ("parket:a", "did you mean 'parquet:PATH'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_is_allowed(name, said):
    with pytest.raises(UsageError, match=said) as caught:
        parse(name)
    assert "\n" not in str(caught.value)


def test_file_whose_name_has_a_question_mark_is_taken_as_it_is(tmp_path):
    path = tmp_path / "what?target=b.csv"
    assert parse(f"csv:{path}").options == {"target": "b.csv"}
    path.touch()
    assert parse(f"csv:{path}").path == path
    spelled = parse(f"csv:{path}?target=yes?")
    assert (spelled.path, spelled.options) == (path, {"target": "yes?"})


@given(st.text(min_size=1), st.text(min_size=1))
def test_what_an_error_says_to_write_is_understood(target, split):
    written = parse("csv:a.csv").adding(target=target, split=split)
    assert parse(written).options == {"target": target, "split": split}


def test_two_spellings_of_one_file_are_two_datasets(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n" + "".join(f"{i}.5,{i * 7 % 5}.5,{i * 3 % 7}.5\n" for i in range(20)))
    b, c = (datasets.load(f"csv:{path}?target={name}") for name in "bc")
    assert (b.columns, c.columns) == (("a", "c"), ("a", "b"))
    assert b.digests != c.digests
    assert datasets.load(f"csv:{path}?target=b").columns == b.columns
