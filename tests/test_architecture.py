"""Who may import whom: every import of every file, against DESIGN's arrows. Imports inside functions count too."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("lecturebench", "baselines", "benchmarks")

# A room is a module or a package with all inside it; it may import itself and what stands here. The front door is
# `import lecturebench` or `from lecturebench import …`. A new module of lecturebench needs a line. Of two lines that
# fit a module, the longer counts.
ARROWS: dict[str, set[str]] = {
    "benchmarks": {"lecturebench", "baselines"},
    "baselines": set(),
    # datasets and report for type checking alone
    "lecturebench.__init__": {"declare", "metrics", "autodiff", "judging.statistics", "datasets", "report"},
    "lecturebench.autodiff": {"training"},
    "lecturebench.__main__": {"cli"},
    "lecturebench.errors": set(),
    "lecturebench.disk": set(),
    "lecturebench.wording": set(),
    "lecturebench.environment": {"errors", "__init__"},
    "lecturebench.declare": {"metrics", "errors", "datasets"},  # datasets for type checking alone
    "lecturebench.metrics": set(),
    "lecturebench.models": set(),
    "lecturebench.datasets": {"errors", "disk"},
    "lecturebench.store": {"metrics", "errors", "disk"},
    "lecturebench.training": {"declare", "datasets", "metrics", "models", "errors"},
    # Numbers in, verdicts out: what is planned by a rule of its, as a penalty's choice, may ask it.
    "lecturebench.judging.statistics": set(),
    "lecturebench.execution": {
        *("training", "datasets", "store", "declare", "judging", "judging.statistics", "metrics"),
        *("errors", "disk", "environment", "wording", "__init__"),
    },
    "lecturebench.judging": {"judging.statistics", "declare", "datasets", "store", "metrics", "errors"},
    "lecturebench.report": {
        *("judging", "judging.statistics", "declare", "datasets", "store", "metrics"),
        *("errors", "environment", "wording", "__init__"),
    },
    "lecturebench.doctor": {"datasets", "declare", "errors", "environment", "__init__"},
    "lecturebench.selection": {"execution", "datasets", "declare", "errors"},
    "lecturebench.session": {
        *("selection", "execution", "judging", "report", "datasets", "store", "declare", "errors", "environment"),
    },
    # Of the rest they use what shows something: progress, the table, what a claim is.
    "lecturebench.pytest_plugin": {"session", "pytest_items", "declare", "__init__"},
    "lecturebench.pytest_items": {
        *("session", "selection", "execution", "report", "judging", "store", "declare", "errors", "wording"),
    },
    "lecturebench.example": {"errors"},
    "lecturebench.cli": {
        *(
            "session",
            "doctor",
            "example",
            "execution",
            "report",
            "judging",
            "datasets",
            "declare",
            "disk",
            "errors",
            "store",
            "wording",
            "__init__",
        ),
    },
}

# Slow to import: only inside functions, so that `list` and `--help` are quick. These few modules are made of such a
# package, and are themselves imported inside functions only.
HEAVY = {"tensorflow", "tensorflow_datasets", "keras", "jax", "torch", "sklearn"}
HOMES = {
    "lecturebench.training.backends.tensorflow": {"tensorflow", "keras"},
    "lecturebench.training.backends.fused": {"tensorflow", "keras"},
    "lecturebench.training.backends.jax": {"jax", "keras"},
    "lecturebench.training.backends.together": {"jax"},
    "lecturebench.training.backends.torch": {"torch", "keras"},
    "lecturebench.training.backends.objective": {"keras"},
    "lecturebench.training.backends.settings": {"keras"},
    "lecturebench.models.attention": {"keras"},
    "lecturebench.models.layers": {"keras"},
    "lecturebench.models.recurrent": {"keras"},
}
# What reads records must work where nothing can be fitted, whatever it imports on the way.
LIGHT_ROOMS = ("lecturebench.report", "lecturebench.judging.statistics", "lecturebench.store")
# Functions that the front door offers to suites, and whose imports happen when a suite calls them.
FOR_SUITES = {"lecturebench.autodiff"}
NEVER_IN_LIGHT_ROOMS = HEAVY - {"sklearn", "tensorflow_datasets"}
# Scripts as their users write them, which `make speed` runs and nothing imports.
PEERS = "benchmarks.speed.peers."


@dataclass(frozen=True)
class Import:
    """One import of one file. name: dotted, as far as the text says ("from a.b import c" gives a.b.c)."""

    module: str
    line: int
    name: str
    at_import: bool  # runs when the module is imported: neither in a function nor under TYPE_CHECKING

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]


def imports_of(path: Path, root: Path) -> list[Import]:
    """Every import of a file."""
    module = module_name(path, root)
    package = module.removesuffix(".__init__") if path.stem == "__init__" else module.rpartition(".")[0]
    imports: list[Import] = []

    def visit(node: ast.AST, at_import: bool) -> None:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            names = [str(value.value) for value in node.args[:1] if isinstance(value, ast.Constant)]
        imports.extend(Import(module, node.lineno, name, at_import) for name in names)
        later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            later = True
        for child in ast.iter_child_nodes(node):
            visit(child, at_import and not later)

    visit(ast.parse(path.read_text(encoding="utf-8"), str(path)), True)
    return imports


def module_name(path: Path, root: Path) -> str:
    """The dotted name of a file; a package's own file ends in ``__init__``."""
    return ".".join(path.relative_to(root).with_suffix("").parts)


def sources(root: Path) -> list[Path]:
    """Every Python file of ours."""
    return sorted(path for name in OURS for path in (root / name).rglob("*.py"))


def all_imports(root: Path) -> dict[str, list[Import]]:
    """Every import of ours, by module."""
    return {module_name(path, root): imports_of(path, root) for path in sources(root)}


def room_of(name: str) -> str | None:
    """The room that a dotted name lies in; None if it is not ours or has no line in the table."""
    if name.partition(".")[0] in ("benchmarks", "baselines"):
        return name.partition(".")[0]
    parts = name.split(".")
    rooms = (".".join(parts[:end]) for end in range(len(parts), 1, -1))
    return next((room for room in rooms if room in ARROWS), None)


def target_room(name: str, modules: set[str]) -> str | None:
    """The room that an import of ours leads to: names that are no module of lecturebench come by its front door."""
    room = room_of(name)
    if room is None and name.partition(".")[0] == "lecturebench":
        inside = ".".join(name.split(".")[:2])
        known = inside in modules or f"{inside}.__init__" in modules
        return inside if known else "lecturebench.__init__"
    return room


def wrong_arrows(root: Path) -> list[str]:
    """One line per import that the table does not allow, and per module that has no line in it."""
    modules = {module_name(path, root) for path in sources(root)}
    wrong = []
    for path in sources(root):
        module = module_name(path, root)
        room = room_of(module)
        if room is None:
            wrong.append(f"{module} is in no room: give it a line in ARROWS")
            continue
        allowed = ARROWS[room]
        for item in imports_of(path, root):
            target = target_room(item.name, modules) if item.top in OURS else room
            if target == room:
                continue
            short = (target or item.name).removeprefix("lecturebench.")
            if short not in allowed and item.top not in allowed:
                wrong.append(f"{module}:{item.line} imports {item.name}; {room} may import {sorted(allowed) or 'none'}")
    return wrong


# What the lecture's suite may import of lecturebench beside the front door, by room; formulas import nothing of ours.
OF_SUITES = ("lecturebench.models", "lecturebench.report.stock", "lecturebench.report.style")
SUITE_ROOMS: dict[str, tuple[str, ...]] = {
    "formulas": ("benchmarks.formulas",),
    "experiments": ("benchmarks.experiments", "benchmarks.formulas", *OF_SUITES[:1]),
    "figures": ("benchmarks.figures", "benchmarks.formulas", *OF_SUITES[1:]),
    "sources": ("benchmarks.sources",),
}
WHOLE_SUITE = ("benchmarks", "baselines", *OF_SUITES)
LONGEST = 150  # lines of a benchmark: five minutes beside its slide


def deep_imports(root: Path) -> list[str]:
    """One line per import of the lecture's suite that goes past the front door, or from one of its rooms to another."""
    wrong = []
    for module, items in all_imports(root).items():
        top, _, inside = module.partition(".")
        if top != "benchmarks" or inside.startswith("speed"):
            continue
        room = inside.partition(".")[0]
        allowed = SUITE_ROOMS.get(room, WHOLE_SUITE)
        for item in items:
            front_door = item.name.count(".") <= 1 and item.top == "lecturebench" and not is_module(root, item.name)
            if item.top not in OURS or (front_door and room != "formulas"):
                continue
            if not any(item.name == name or item.name.startswith(f"{name}.") for name in allowed):
                wrong.append(f"{module}:{item.line} imports {item.name}; it may import {', '.join(allowed)}")
    return wrong


def is_module(root: Path, name: str) -> bool:
    """Whether the dotted name is a module or package of ours, and no name inside one."""
    path = root.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def slow_imports(root: Path) -> list[str]:
    """One line per heavy package that a module of ours loads when it is imported, itself or through others of ours."""
    graph = {module: [item for item in items if item.at_import] for module, items in all_imports(root).items()}
    return [
        f"importing {start} imports {item.name} at {item.module}:{item.line}; do it inside a function"
        for start in graph
        if not start.startswith(PEERS)
        for module in reached(start, graph)
        for item in graph[module]
        if item.top in HEAVY - HOMES.get(start, set())
    ]


def frameworks_reached(root: Path) -> list[str]:
    """One line per Keras, TensorFlow, JAX or PyTorch import that a light room has or reaches through ours."""
    graph = all_imports(root)
    graph |= {name: [item for item in graph.get(name, ()) if item.at_import] for name in FOR_SUITES}
    starts = [module for module in graph if room_of(module) in LIGHT_ROOMS]
    return [
        f"{start} reaches {item.name} at {item.module}:{item.line}"
        for start in starts
        for module in reached(start, graph)
        for item in graph[module]
        # Elsewhere than in the room itself, what a function imports is that function's business.
        if item.top in NEVER_IN_LIGHT_ROOMS and (item.at_import or room_of(item.module) == room_of(start))
    ]


def reached(start: str, graph: Mapping[str, list[Import]]) -> set[str]:
    """The modules that are imported, one by the other, from ``start`` on."""
    seen, waiting = {start}, [start]
    while waiting:
        for item in graph[waiting.pop()]:
            for module in set(loaded_by(item.name)) & set(graph) - seen:
                seen.add(module)
                waiting.append(module)
    return seen


def loaded_by(name: str) -> Iterator[str]:
    """The modules that importing a dotted name may load: itself and each package above."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        prefix = ".".join(parts[:end])
        yield from (prefix, f"{prefix}.__init__")


def test_imports_follow_the_arrows_of_the_design() -> None:
    assert wrong_arrows(ROOT) == []


def test_suite_imports_from_the_front_door_and_its_rooms_keep_their_arrows() -> None:
    assert deep_imports(ROOT) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("benchmarks/bench_one.py", "from lecturebench.training.weights import draw_weights"),
        ("benchmarks/bench_one.py", "from lecturebench import judging"),
        ("benchmarks/formulas/one.py", "from lecturebench import Measured"),
        ("benchmarks/formulas/one.py", "from benchmarks.sources import islp"),
        ("benchmarks/experiments/one.py", "from benchmarks.figures import one"),
        ("benchmarks/experiments/one.py", "def f():\n    from lecturebench.datasets import load"),
        ("benchmarks/figures/one.py", "from benchmarks.bench_one import CLAIMS"),
        ("benchmarks/sources/one.py", "from baselines.linear import lasso"),
    ],
)
def test_import_past_the_front_door_is_found(tmp_path: Path, file: str, text: str) -> None:
    planted = {"lecturebench/judging/__init__.py": "", "lecturebench/__init__.py": "", file: text}
    for name, content in planted.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert len(deep_imports(tmp_path)) == 1


def test_suite_reads_in_five_minutes() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in ROOT.glob("benchmarks/bench_*.py")}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_heavy_packages_are_imported_inside_functions() -> None:
    assert slow_imports(ROOT) == []


def test_peers_import_nothing_of_ours_and_are_imported_by_nothing() -> None:
    imports = all_imports(ROOT)
    peers = [module for module in imports if module.startswith(PEERS)]
    assert len(peers) > 4
    assert [item for module in peers for item in imports[module] if item.top in OURS] == []
    assert [item for items in imports.values() for item in items if f"{item.name}.".startswith(PEERS)] == []


def test_records_are_read_and_judged_without_a_framework() -> None:
    assert frameworks_reached(ROOT) == []


def test_importing_lecturebench_loads_neither_numpy_nor_a_framework() -> None:
    code = "import lecturebench, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"numpy", "pandas", "matplotlib", *HEAVY} & set(loaded.stdout.split()) == set()


@pytest.mark.parametrize(
    ("file", "text", "check", "complaint"),
    [
        ("lecturebench/declare/claims.py", "from lecturebench.store import Store", wrong_arrows, "lecturebench.store"),
        (
            "lecturebench/store.py",
            "def f():\n    import lecturebench.training.fit",
            wrong_arrows,
            "lecturebench.training.fit",
        ),
        ("lecturebench/models/dense.py", "from ..declare import Network", wrong_arrows, "lecturebench.declare"),
        ("lecturebench/training/fit.py", "from benchmarks import bench_one", wrong_arrows, "benchmarks.bench_one"),
        ("lecturebench/datasets/__init__.py", "from lecturebench import Network", wrong_arrows, "Network"),
        ("lecturebench/report/page.py", "from lecturebench import training", wrong_arrows, "lecturebench.training"),
        ("lecturebench/report/page.py", "if TYPE_CHECKING:\n    import lecturebench.training.fit", wrong_arrows, "fit"),
        ("lecturebench/cli.py", "def f():\n    import baselines.linear", wrong_arrows, "baselines.linear"),
        ("baselines/linear.py", "import lecturebench", wrong_arrows, "lecturebench"),
        ("lecturebench/surprise.py", "", wrong_arrows, "in no room"),
        ("baselines/linear.py", "from sklearn import svm", slow_imports, "sklearn.svm"),
        ("benchmarks/bench_one.py", "class A:\n    import keras", slow_imports, "keras"),
        ("lecturebench/training/backends/jax.py", "import torch", slow_imports, "torch"),
        (
            "lecturebench/models/dense.py",
            "from lecturebench.models.layers import L",
            slow_imports,
            "dense imports keras",
        ),
        ("lecturebench/report/page.py", "def f():\n    import keras", frameworks_reached, "keras"),
        ("lecturebench/declare/benchmark.py", "import torch", frameworks_reached, "torch"),
    ],
)
def test_planted_import_is_found(tmp_path: Path, file: str, text: str, check, complaint: str) -> None:
    planted = {
        "lecturebench/__init__.py": "from lecturebench.declare.benchmark import Benchmark",
        "lecturebench/declare/benchmark.py": "",
        "lecturebench/training/fit.py": "",
        "lecturebench/models/layers.py": "import keras",
        "lecturebench/report/__init__.py": "import lecturebench.declare.benchmark",
        file: text,
    }
    for name, content in planted.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert any(complaint in line for line in check(tmp_path))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("benchmarks/bench_one.py", "from lecturebench import Claim\nimport lecturebench.models.dense, baselines"),
        ("lecturebench/models/dense.py", "from lecturebench.models import layers\ndef f():\n    import keras"),
        ("lecturebench/report/page.py", "import numpy\nfrom lecturebench import judging\nfrom . import style"),
        ("lecturebench/training/backends/jax.py", "import jax, keras"),
        ("lecturebench/store.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sklearn"),
    ],
)
def test_allowed_import_is_left_alone(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text, encoding="utf-8")
    assert [*wrong_arrows(tmp_path), *slow_imports(tmp_path), *frameworks_reached(tmp_path)] == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="what belongs to the repository is asked of git")
def test_no_file_names_a_path_of_this_workplace() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    # Joined here, so that this file does not name them either.
    outside = [".." + "/shared", "/work" + "/main", "/work" + "/shared", "/opt" + "/wheels", "/root" + "/"]
    mentions = []
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if not path.is_file() or name == ".ci/run":
            continue
        content = path.read_bytes()
        if b"\0" not in content[:8192]:
            mentions.extend(f"{name} names {place}" for place in outside if place.encode() in content)
    assert mentions == []
