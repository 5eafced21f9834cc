"""Suites: folders of ``bench_<name>.py`` files, each with one ``BENCHMARK``, and perhaps the lecture's ``slides.py``.

A suite is known by the name that ``SUITE = "..."`` in its ``__init__.py`` gives it, else by its folder's.
"""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from lecturebench.declare.benchmark import Benchmark
from lecturebench.declare.modules import LECTURE_SUITE, import_file
from lecturebench.declare.slides import Slide
from lecturebench.errors import UsageError

__all__ = ["LECTURE_SUITE", "Suite", "benchmark_file", "discover", "is_benchmark", "load_benchmark", "suite_name"]

PREFIX = "bench_"
SLIDES = "slides.py"


@dataclass(frozen=True, eq=False)
class Suite(Mapping[str, Benchmark]):
    """The benchmarks of a folder by name, in the order of their names. broken: by name, why a file cannot be used.

    slides: of its ``slides.py``, in the order of the lecture; () without one.
    """

    name: str
    folder: Path
    benchmarks: Mapping[str, Benchmark]
    broken: Mapping[str, str]
    slides: tuple[Slide, ...] = ()

    def __getitem__(self, name: str) -> Benchmark:
        return self.benchmarks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.benchmarks)

    def __len__(self) -> int:
        return len(self.benchmarks)

    @property
    def is_lecture(self) -> bool:
        """Whether it is the one that comes with lecturebench."""
        return self.folder == LECTURE_SUITE


def is_benchmark(path: Path) -> bool:
    """Whether a file's name is that of a benchmark."""
    return path.suffix == ".py" and path.stem.startswith(PREFIX) and path.stem != PREFIX


def benchmark_file(suite: Path, benchmark: str) -> Path:
    """The file of a suite's benchmark."""
    return suite / f"{PREFIX}{benchmark}.py"


def load_benchmark(path: Path) -> Benchmark:
    """The ``BENCHMARK`` of one ``bench_<name>.py``. UsageError if the file has none or fails to import."""
    path = path.resolve()
    module = _module(path)
    benchmark = getattr(module, "BENCHMARK", None)
    if not isinstance(benchmark, Benchmark):
        raise UsageError(f"{path} declares no BENCHMARK = Benchmark(…)")
    about = (module.__doc__ or "").strip()
    return replace(
        benchmark, name=path.stem.removeprefix(PREFIX), suite=suite_name(path.parent), path=path, about=about
    )


def discover(suite: Path = LECTURE_SUITE) -> Suite:
    """All benchmarks of a folder, and what is wrong with those of its files that cannot be used.

    UsageError if the folder has no such files, or gives itself no name that can be read.
    """
    paths = sorted(path for path in suite.glob(f"{PREFIX}*.py") if is_benchmark(path)) if suite.is_dir() else []
    if str(suite.resolve()) != str(suite.resolve()).encode(errors="replace").decode():
        raise UsageError(
            f"the name of the suite's folder {str(suite)!r} is not UTF-8, and no store can hold it: rename it"
        )
    if not paths:
        raise UsageError(f"no suite at {str(suite)!r}: it must be a folder with {PREFIX}<name>.py files")
    benchmarks: dict[str, Benchmark] = {}
    broken: dict[str, str] = {}
    name = suite_name(suite)
    for path in paths:
        try:
            benchmark = load_benchmark(path)
            benchmarks[benchmark.name] = benchmark
        except UsageError as error:
            broken[path.stem.removeprefix(PREFIX)] = str(error)
    try:
        slides = load_slides(suite / SLIDES)
    except UsageError as error:
        slides, broken[SLIDES] = (), str(error)
    return Suite(name, suite.resolve(), benchmarks, broken, slides)


def load_slides(path: Path) -> tuple[Slide, ...]:
    """The ``SLIDES`` of a suite's ``slides.py``; () if it is not there, or is a file of that name for something else.

    UsageError if it fails to import or they are none.
    """
    try:
        names = path.is_file() and b"SLIDES" in path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if not names:
        return ()
    slides = getattr(_module(path.resolve()), "SLIDES", None)
    if not isinstance(slides, tuple) or not all(isinstance(slide, Slide) for slide in slides):
        raise UsageError(f"{path} declares no SLIDES = (Slide(…), …)")
    return slides


def suite_name(folder: Path) -> str:
    """The name that a suite gives itself, read without running anything; else its folder's."""
    file = folder.resolve() / "__init__.py"
    if not file.is_file():
        return file.parent.name
    try:
        statements = ast.parse(file.read_bytes()).body
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {_explanation(error, file)}") from None
    for statement in statements:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "SUITE" for target in targets):
            value = getattr(statement, "value", None)
            name = value.value if isinstance(value, ast.Constant) else None
            if not isinstance(name, str) or not name.strip() or not name.isprintable():
                raise UsageError(f"{file}, line {statement.lineno}: SUITE must be a name in quotes")
            return name
    return file.parent.name


def _module(path: Path) -> ModuleType:
    """A file of a suite, imported. UsageError whatever goes wrong."""
    try:
        return import_file(path)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also what calls sys.exit: it must not end the program that looks for benchmarks
        raise UsageError(f"{path} cannot be imported: {_explanation(error, path)}") from error


def _explanation(error: BaseException, path: Path) -> str:
    """An error in one line, with the place in the suite where it came up."""
    message = " ".join(str(error).split())
    if isinstance(error, SyntaxError):
        message, file, line = error.msg, error.filename, error.lineno
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if Path(frame.filename).is_relative_to(path.parent)]
        file, line = (own[-1].filename, own[-1].lineno) if own else (None, None)
    explanation = f"{type(error).__name__}: {message}" if message else type(error).__name__
    if line is None:
        return explanation
    place = "" if file is None or Path(file) == path else f"{Path(file).name}, "
    return f"{explanation} ({place}line {line})"
