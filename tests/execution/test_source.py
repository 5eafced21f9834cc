"""What changes the digest of a function's source, and what does not. Nothing of the packages here is ever imported."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lecturebench.execution import parsed
from lecturebench.execution.source import Look, source_digest

FILES = {
    "ours/__init__.py": "from ours.dense import two_layer as network\n",
    "ours/dense.py": '''\
"""Networks."""
import typing
import nowhere.layers as layers
from nowhere import optimizers
from .tools import scale, shift
from .tools import first as one, second as other
from . import numbers
import ours.deep.inner
from ours.base import Base

RATE = 0.5
UNUSED = 1
LIMITS = {"low": 1}
LIMITS["low"] = 2


def logged(function):
    return function


@logged
def two_layer(units: typing.Any, rate=RATE) -> typing.Any:
    """A network."""
    from ours import late
    # a comment
    return layers.Dense(scale(units), rate), numbers.double(units), late.run(), ours.deep.inner.depth()


def cyclic(n):
    return other_cyclic(n - 1) if n else one() + other()


def other_cyclic(n):
    return cyclic(n)


def whole(name):
    return getattr(numbers, name), LIMITS


class Net(Base):
    def build(self):
        return self.helper()

    def helper(self):
        return shift(1), optimizers.SGD


make = lambda: RATE
if RATE > 0:
    SIGN = 1
else:
    SIGN = -1


def signed():
    return SIGN


def unused():
    return UNUSED


if __name__ == "__main__":
    print("a program")
''',
    "ours/tools.py": """\
FACTOR = 2
def scale(x):
    return x * FACTOR
def shift(x):
    return x + 1
def first():
    return 1
def second():
    return 2
""",
    "ours/numbers.py": "def double(x):\n    return 2 * x\n\ndef triple(x):\n    return 3 * x\n",
    "ours/late.py": "from ours.dense import cyclic\n\ndef run():\n    return cyclic(3)\n\ndef never():\n    pass\n",
    "ours/deep/inner.py": "def depth():\n    return 7\n\ndef width():\n    return 8\n",
    "ours/base.py": "class Root:\n    kind = 'root'\n\nclass Base(Root):\n    def call(self):\n        return 1\n",
    "ours/reexport.py": "import ours\n\ndef build():\n    return ours.network(3)\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "ours"


def function_of(root: Path, module: str, qualname: str) -> Callable[..., Any]:
    """A function that says it is ``module.qualname``; the real one would need `nowhere`, which does not exist."""
    namespace: dict[str, Any] = {"__name__": f"{root.name}.{module}"}
    exec(compile("def function(): pass", str(root / f"{module}.py"), "exec"), namespace)
    function = namespace["function"]
    function.__code__ = function.__code__.replace(co_qualname=qualname)
    function.__qualname__ = qualname
    return function


def digest(root: Path, *qualnames: str, module: str = "dense") -> str:
    return source_digest(*(function_of(root, module, name) for name in qualnames), roots=[root])


def edit(root: Path, name: str, old: str, new: str) -> None:
    path = root / name
    text = path.read_text()
    assert text.count(old) == 1, (name, old)
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("function", "file", "old", "new"),
    [
        ("two_layer", "dense.py", "late.run(),", "late.run() + 1,"),
        pytest.param("two_layer", "dense.py", "rate=RATE", "rate=0.5", id="default argument"),
        pytest.param("two_layer", "dense.py", "RATE = 0.5", "RATE = 0.6", id="constant of the same file"),
        pytest.param("two_layer", "dense.py", "RATE = 0.5", "RATE = True", id="type of a constant"),
        pytest.param("two_layer", "dense.py", "@logged\n", "", id="decorator taken away"),
        pytest.param("two_layer", "dense.py", "    return function", "    return print", id="decorator's code"),
        pytest.param("two_layer", "tools.py", "x * FACTOR", "x / FACTOR", id="imported function"),
        pytest.param("two_layer", "tools.py", "FACTOR = 2", "FACTOR = 3", id="constant of an imported function"),
        pytest.param("two_layer", "numbers.py", "2 * x", "x + x", id="attribute of an imported module"),
        pytest.param("two_layer", "late.py", "cyclic(3)", "cyclic(4)", id="import inside the function"),
        pytest.param("two_layer", "dense.py", "from ours import late", "from ours import base as late", id="which"),
        pytest.param("two_layer", "dense.py", "cyclic(n - 1) if", "cyclic(n - 2) if", id="back from another file"),
        pytest.param("two_layer", "deep/inner.py", "return 7", "return 6", id="dotted import, package without init"),
        pytest.param("two_layer", "dense.py", "nowhere.layers as", "nowhere.sheets as", id="third-party name"),
        pytest.param("two_layer", "dense.py", "import typing\n", "import typing\nprint(typing)\n", id="runs on import"),
        pytest.param("two_layer", "__init__.py", "from ours", "import os\nos.x = 1\nfrom ours", id="package's import"),
        pytest.param("cyclic", "dense.py", "first as one, second as other", "second as one, first as other", id="swap"),
        pytest.param("whole", "numbers.py", "3 * x", "x + x", id="module handed on"),
        pytest.param("whole", "dense.py", 'LIMITS["low"] = 2', 'LIMITS["low"] = 3', id="changed constant"),
        pytest.param("Net.build", "dense.py", "shift(1)", "shift(2)", id="another method of the class"),
        pytest.param("Net", "tools.py", "x + 1", "x + 2", id="what a method uses"),
        pytest.param("Net", "base.py", "return 1", "return 2", id="base class"),
        pytest.param("Net", "base.py", "'root'", "'trunk'", id="base class of the base class"),
        pytest.param("signed", "dense.py", "SIGN = -1", "SIGN = -2", id="bound in a branch"),
        pytest.param("<lambda>", "dense.py", "RATE = 0.5", "RATE = 0.6", id="lambda"),
        pytest.param("two_layer.<locals>.inner", "dense.py", "late.run(),", "1,", id="function made by a function"),
    ],
)
def test_digest_changes_with_what_the_function_uses(root: Path, function: str, file: str, old: str, new: str) -> None:
    before = digest(root, function)
    edit(root, file, old, new)
    assert digest(root, function) != before


@pytest.mark.parametrize(
    ("function", "file", "old", "new"),
    [
        pytest.param("two_layer", "dense.py", "    # a comment\n", "", id="comment"),
        pytest.param("two_layer", "dense.py", '    """A network."""\n', "", id="docstring"),
        pytest.param("two_layer", "dense.py", '"""Networks."""\n', '"""All networks."""\n\n', id="module docstring"),
        pytest.param("two_layer", "dense.py", "scale(units), rate)", "\n   scale( units ),\n rate,\n)", id="layout"),
        pytest.param("two_layer", "dense.py", ") -> typing.Any:", ") -> float:", id="annotation"),
        pytest.param("Net", "base.py", "class Base(Root):", 'class Base(Root):\n    "A base."', id="class docstring"),
        pytest.param("two_layer", "dense.py", "return UNUSED", "return 2", id="unused function of the file"),
        pytest.param("two_layer", "dense.py", "UNUSED = 1", "UNUSED = 2", id="unused constant"),
        pytest.param("two_layer", "dense.py", "optimizers.SGD", "optimizers.Adam", id="unused class"),
        pytest.param("two_layer", "numbers.py", "3 * x", "x + x", id="other attribute of an imported module"),
        pytest.param("two_layer", "late.py", "    pass", "    return 1", id="unused function of another file"),
        pytest.param("two_layer", "deep/inner.py", "return 8", "return 9", id="unused function further in"),
        pytest.param("two_layer", "dense.py", '"a program"', '"another"', id="main guard"),
        pytest.param("two_layer", "dense.py", "RATE = 0.5", "\n\n\nRATE = 0.50", id="the same number"),
        pytest.param("signed", "dense.py", "late.run(),", "1,", id="unused function above"),
    ],
)
def test_digest_stays_with_what_the_function_does_not_use(
    root: Path, function: str, file: str, old: str, new: str
) -> None:
    before = digest(root, function)
    edit(root, file, old, new)
    assert digest(root, function) == before


def test_digest_does_not_depend_on_order_or_repetition(root: Path) -> None:
    assert digest(root, "two_layer", "Net") == digest(root, "Net", "two_layer", "Net")
    assert digest(root, "two_layer", "Net") != digest(root, "two_layer")


def test_digest_does_not_depend_on_where_definitions_stand(root: Path) -> None:
    before = digest(root, "two_layer", module="dense")
    tools = root / "tools.py"
    head, *functions = tools.read_text().split("def ")
    tools.write_text("def ".join(["", *reversed(functions)]) + head)
    assert digest(root, "two_layer") == before


def test_digest_does_not_depend_on_the_folder_of_the_repository(root: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(root, tmp_path / "elsewhere" / "ours"))
    assert digest(moved, "two_layer") == digest(root, "two_layer")


def test_second_digest_works_out_no_name_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = digest(root, "two_layer")
    monkeypatch.setattr(parsed, "_canonical", lambda node: pytest.fail("every method would take as long as the first"))
    assert digest(root, "two_layer") == first


def test_reexported_name_is_followed_to_its_file(root: Path) -> None:
    before = digest(root, "build", module="reexport")
    edit(root, "dense.py", "return UNUSED", "return 2")
    assert digest(root, "build", module="reexport") == before
    edit(root, "dense.py", "RATE = 0.5", "RATE = 0.6")
    assert digest(root, "build", module="reexport") != before


def test_imports_between_two_of_our_packages_are_followed_only_under_both_roots(root: Path) -> None:
    suite = root.parent / "suite"
    suite.mkdir()
    (suite / "bench_one.py").write_text("from ours.tools import scale\n\ndef bench():\n    return scale(1)\n")
    bench = function_of(suite, "bench_one", "bench")

    def digests() -> tuple[str, str]:
        return source_digest(bench, roots=[suite, root]), source_digest(bench, roots=[suite])

    both, alone = digests()
    edit(root, "tools.py", "FACTOR = 2", "FACTOR = 3")
    changed, still = digests()
    assert changed != both
    assert still == alone


def test_digests_of_one_look_are_those_of_many_and_the_next_look_sees_what_changed(root: Path) -> None:
    suite = root.parent / "suite"
    suite.mkdir()
    (suite / "bench_one.py").write_text("from ours.tools import scale\n\ndef bench():\n    return scale(1)\n")
    bench, signed = function_of(suite, "bench_one", "bench"), function_of(root, "dense", "signed")

    def digests(look: Look | None) -> list[str]:
        return [
            source_digest(bench, roots=[root], suite=suite, look=look),
            source_digest(bench, roots=[suite, root], look=look),
            source_digest(bench, roots=[suite], look=look),
            source_digest(signed, roots=[root], look=look),
            source_digest(bench, signed, roots=[root], suite=suite, look=look),
        ]

    before = digests(Look())
    assert before == digests(None)
    edit(root, "tools.py", "FACTOR = 2", "FACTOR = 3")
    after = digests(Look())
    assert after == digests(None)
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, False, True, True, False]


def test_decorator_that_lies_elsewhere_changes_no_other_digest_of_the_look(root: Path) -> None:
    beside = root.parent / "beside"
    beside.mkdir()
    (beside / "deco.py").write_text("def logged(function):\n    def inner(): pass\n    return inner\n")
    wrapped = function_of(beside, "deco", "logged.<locals>.inner")
    wrapped.__module__, wrapped.__qualname__ = "ours.tools", "scale"  # as functools.wraps has it
    network = function_of(root, "dense", "two_layer")
    alone = [source_digest(each, roots=[root]) for each in (wrapped, network)]
    for order in ((0, 1), (1, 0)):
        look, values = Look(), (wrapped, network)
        found = {i: source_digest(values[i], roots=[root], look=look) for i in order}
        assert [found[0], found[1]] == alone
    edit(root, "tools.py", "return x * FACTOR", "return FACTOR * x")
    look = Look()
    source_digest(wrapped, roots=[root], look=look)
    assert source_digest(network, roots=[root], look=look) != alone[1]


def test_function_counts_beside_a_wrapper_from_elsewhere_that_has_its_name(root: Path) -> None:
    beside = root.parent / "beside"
    beside.mkdir()
    (beside / "deco.py").write_text("def logged(function):\n    def inner(): pass\n    return inner\n")
    wrapper, scale = function_of(beside, "deco", "logged.<locals>.inner"), function_of(root, "tools", "scale")
    wrapper.__module__, wrapper.__qualname__ = scale.__module__, scale.__qualname__  # as functools.wraps has it
    seen = {source_digest(wrapper, scale, roots=[root])}
    edit(root, "tools.py", "return x * FACTOR", "return FACTOR * x")
    seen.add(source_digest(wrapper, scale, roots=[root]))
    edit(root.parent / "beside", "deco.py", "pass", "return 1")
    seen.add(source_digest(wrapper, scale, roots=[root]))
    assert len(seen) == 3


def test_names_that_import_each_other_in_a_circle_end(root: Path) -> None:
    (root / "left.py").write_text("from .right import x\nfrom .right import *\n\ndef f():\n    return x, y\n")
    (root / "right.py").write_text("from .left import x\nfrom .left import *\n")
    assert digest(root, "f", module="left")


def test_long_chain_of_functions_is_followed_to_its_end(root: Path) -> None:
    steps = "".join(f"def f{i}():\n    return f{i + 1}()\n" for i in range(3000))
    (root / "long.py").write_text(steps + "def f3000():\n    return 1\n")
    before = digest(root, "f0", module="long")
    edit(root, "long.py", "return 1\n", "return 2\n")
    assert digest(root, "f0", module="long") != before


def test_third_party_function_counts_by_its_name_alone(root: Path) -> None:
    assert source_digest(shutil.copy, roots=[root]) == source_digest(shutil.copy, roots=[root.parent])
    assert source_digest(shutil.copy, roots=[root]) != source_digest(shutil.copy2, roots=[root])
    assert source_digest(len, roots=[root]) != source_digest(print, roots=[root])


def test_partial_and_closure_count_with_what_they_hold(root: Path) -> None:
    def hold(value: object) -> Callable[[], object]:
        return lambda: value

    dense, net = function_of(root, "dense", "two_layer"), function_of(root, "dense", "Net")
    held = [2, 3, (2, 3), (3, 2), "2", dense, net, functools.partial(dense, 2, x=1), functools.partial(dense, 2, x=2)]
    assert len({source_digest(hold(value), roots=[root]) for value in held}) == len(held)
    before = source_digest(hold(dense), roots=[root])
    edit(root, "dense.py", "RATE = 0.5", "RATE = 0.6")
    assert source_digest(hold(dense), roots=[root]) != before
    with pytest.raises(TypeError, match="no source says what"):
        source_digest(hold(object()), roots=[root])


def test_function_that_holds_itself_ends(root: Path) -> None:
    def outer() -> Callable[[], object]:
        def inner() -> object:
            return inner

        return inner

    assert source_digest(outer(), roots=[root])


def test_broken_file_is_named(root: Path) -> None:
    (root / "tools.py").write_text("def scale(:\n")
    with pytest.raises(SyntaxError, match=r"ours\.tools"):
        digest(root, "two_layer")


def test_digest_of_our_own_builders_imports_no_framework() -> None:
    code = (
        "import sys; from pathlib import Path; from lecturebench.execution.source import Look, source_digest;"
        "from lecturebench.models.dense import two_layer;"
        "source_digest(two_layer, roots=[Path('lecturebench').resolve()]);"
        "print({'keras', 'numpy'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parent.parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "set()\n"
