"""A user's own data: what is read, what is noticed, and what is said when something is wrong with it."""

import os

import pytest

from lecturebench import datasets
from lecturebench.errors import UsageError


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("minst", "no dataset 'minst': .*did you mean 'mnist'"),
        ("npy:file.npz", "no dataset 'npy:file.npz'"),
        ("npz:", "did you mean 'npz:PATH'"),
        ("npz:nowhere.npz", "npz:nowhere.npz: it cannot be read: No such file"),
        ("csv:/", "csv:/: it is no regular file"),
        ("folder:nowhere", "folder:nowhere: there is no such folder"),
        ("openml:mnist", "'mnist' is no id of OpenML"),
        ("csv:a.csv?colour=red", "no option 'colour'; csv: takes target=COLUMN, .*header=none"),
    ],
)
def test_unknown_name_or_path_is_one_line(name, said):
    for ask in (datasets.load, datasets.status, datasets.verify):
        with pytest.raises(UsageError, match=said) as caught:
            ask(name)
        assert "\n" not in str(caught.value)


def test_a_changed_file_is_decoded_anew_even_with_its_old_size_and_time(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,target,split\n1,2.5,train\n2,3.5,test\n")
    before = datasets.load(f"csv:{path}")
    about = path.stat()
    path.write_text("a,target,split\n1,2.5,train\n2,4.5,test\n")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    after = datasets.load(f"csv:{path}")
    assert after.test.y.tolist() == [4.5]
    assert after.digests["test"] != before.digests["test"]
    assert before.test.y.tolist() == [3.5], "what was mapped before stays as it was"
