"""The commands: read arguments, call, print, set the exit code. Whatever is slow to import is imported by need.

Exit codes: 0 done; 1 something failed, differs or got worse; 2 wrong usage, said in one line; 3 data missing under
--strict; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import gc
import json
import os
import shlex
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lecturebench import __version__, session
from lecturebench.declare.benchmark import BACKENDS, DEVICES, PROFILES
from lecturebench.declare.claims import NumberClaim
from lecturebench.declare.suites import LECTURE_SUITE, discover
from lecturebench.disk import home, own_temporary
from lecturebench.errors import ClusterLost, DataCorrupt, DataMissing, UsageError
from lecturebench.session import LATEST
from lecturebench.store import why
from lecturebench.wording import clean

if TYPE_CHECKING:
    from lecturebench.datasets import Description, Status
    from lecturebench.execution.progress import Display
    from lecturebench.judging.changes import Comparison
    from lecturebench.judging.results import Results

suite_option = click.option(
    "--suite", type=click.Path(path_type=Path), help="Folder of bench_*.py. [the lecture's own]"
)
suite_of_store_option = click.option(
    "--suite", type=click.Path(path_type=Path), help="Where the suite is. [where the store remembers it]"
)
data_dir_option = click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Where tensorflow-datasets prepared its folders."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
folder_argument = click.argument("folder", type=click.Path(path_type=Path), default=LATEST)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def commands() -> None:
    """Re-measure what a deep-learning lecture states, and say whether it holds.

    \b
    lecturebench list                    what there is to measure
    lecturebench run error_table         fit, judge, write the page
    lecturebench run --method dropout    one row of it
    lecturebench verify                  recompute the table from the saved predictions
    lecturebench compare A B             what changed between two stores, beyond noise or not
    lecturebench new my_course           a suite of your own to start from
    """


@commands.command("list")
@click.option(
    "--suite", type=click.Path(path_type=Path), help="Folder of bench_*.py. [the lecture's own; of --runs, the store's]"
)
@click.option("--runs", is_flag=True, help="Each run with its state: done, failed, missing, waiting, stale and why.")
@click.option("--profile", default="lecture", show_default=True, help="With --runs: the budget that is planned.")
@click.option("--dataset", help="With --runs: instead of the one that the benchmark names.")
@click.option("--seeds", type=click.IntRange(min=1), help="With --runs: runs of each row that has a seed.")
@click.option("--backend", default="tensorflow", show_default=True, help="With --runs: of Keras.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=LATEST, show_default=True, help="With --runs: the store."
)
@data_dir_option
@json_option
def list_(
    suite: Path | None,
    runs: bool,
    profile: str,
    dataset: str | None,
    seeds: int | None,
    backend: str,
    out: Path,
    data_dir: Path | None,
    as_json: bool,
) -> int:
    """Show the benchmarks with their methods, claims and datasets; with --runs, what a store has of them."""
    if runs:
        question = session.Question(
            suite=suite, profile=profile, dataset=dataset, seeds=seeds, backend=backend, out=out, data_dir=data_dir
        )
        return _list_runs(question, as_json)
    benchmarks = discover(suite or LECTURE_SUITE)
    if as_json:
        shown = [
            {
                "benchmark": benchmark.name,
                "title": benchmark.title,
                "methods": {method.name: method.title for method in benchmark.methods},
                "claims": [claim.name for claim in benchmark.claims],
                "datasets": list(benchmark.datasets),
            }
            for benchmark in benchmarks.values()
        ]
        click.echo(json.dumps(shown, indent=1))
        return _say_broken(benchmarks.broken.values())
    for benchmark in benchmarks.values():
        click.echo(f"{click.style(clean(benchmark.name), bold=True)}  {clean(benchmark.title)}")
        width = max((len(method.name) for method in benchmark.methods), default=0)
        # Beside its method stands the number that a method is known for; every other claim has a line of its own.
        beside: dict[str, NumberClaim] = {}
        for claim in benchmark.claims:
            if isinstance(claim, NumberClaim) and claim.dataset == benchmark.datasets[0]:
                beside.setdefault(claim.method, claim)
        for method in benchmark.methods:
            printed = beside[method.name].printed if method.name in beside else ""
            _say(f"  {method.name:<{width}}  {printed:>6}  {method.title}")
        for claim in benchmark.claims:
            if claim not in beside.values():
                _say(f"  {claim.name}")
        _say(f"  on {', '.join(benchmark.datasets)}; profiles {', '.join(PROFILES)}")
    return _say_broken(benchmarks.broken.values())


@commands.command()
@click.argument("benchmarks", nargs=-1)
@click.option("--method", "methods", multiple=True, help="Only this row; may be given several times.")
@click.option("--dataset", help="mnist, fashion_mnist, cifar10, digits, or your own: see `lecturebench data --help`.")
@click.option("--profile", default="lecture", show_default=True, help=f"The budget: {', '.join(PROFILES)}.")
@click.option("--seeds", type=click.IntRange(min=1), help="Runs of each row that has a seed. [the profile's]")
@click.option("--jobs", type=click.IntRange(min=1), help="Runs at once. [one per core; one on a GPU]")
@click.option("--backend", default="tensorflow", show_default=True, help=f"Of Keras: {', '.join(BACKENDS)}.")
@click.option("--device", default="cpu", show_default=True, help=f"{' or '.join(DEVICES)}; never falls back.")
@click.option(
    "--time-limit",
    type=click.FloatRange(min=1, max=2_592_000),
    help="Seconds per run, 30 days at most. [the profile's]",
)
@click.option(
    "--memory-limit",
    type=click.FloatRange(min=0.1, max=65536),
    help="GiB per worker. [its share of 80% of this machine's]",
)
@click.option("--cluster", metavar="ADDRESS", help="Fit on a Dask cluster: tcp://host:8786 or a scheduler file.")
@click.option("--budget", metavar="TIME", help="What decides the most claims within 90s, 30m or 2h; the rest not run.")
@click.option(
    "--until-decided",
    type=click.IntRange(min=3),
    is_flag=False,
    flag_value=20,
    metavar="[MAX]",
    help="Double the seeds of inconclusive claims, up to MAX. [20]",
)
@click.option(
    "--tensorboard", is_flag=False, flag_value="", metavar="[=DIR]", help="Also log for TensorBoard. [OUT/tensorboard]"
)
@click.option("--mlflow", metavar="URI", help="Also log to this MLflow store.")
@click.option("--out", type=click.Path(path_type=Path), default=LATEST, show_default=True, help="Store and page.")
@click.option("--strict", is_flag=True, help="Missing data is an error (exit code 3), nothing stands in.")
@click.option("--fresh", is_flag=True, help="Fit everything anew, whatever the store has.")
@click.option("--retry-failed", is_flag=True, help="Fit anew what crashed, ran out of time or memory, or raised.")
@data_dir_option
@suite_option
@json_option
def run(
    benchmarks: tuple[str, ...],
    methods: tuple[str, ...],
    dataset: str | None,
    profile: str,
    seeds: int | None,
    jobs: int | None,
    backend: str,
    device: str,
    time_limit: float | None,
    memory_limit: float | None,
    cluster: str | None,
    budget: str | None,
    until_decided: int | None,
    tensorboard: str | None,
    mlflow: str | None,
    out: Path,
    strict: bool,
    fresh: bool,
    retry_failed: bool,
    data_dir: Path | None,
    suite: Path | None,
    as_json: bool,
) -> int:
    """Fit what the store lacks, judge the claims and write the page. BENCHMARKS: names, or none for all."""
    question = session.Question(
        suite=suite,
        benchmarks=benchmarks,
        methods=methods,
        dataset=dataset,
        profile=profile,
        seeds=seeds,
        jobs=jobs,
        backend=backend,
        device=device,
        time_limit=time_limit,
        memory_limit=memory_limit,
        cluster=cluster,
        budget=budget,
        until_decided=until_decided,
        trackers={"tensorboard": tensorboard, "mlflow": mlflow},
        out=out,
        data_dir=data_dir,
        strict=strict,
        fresh=fresh,
        retry_failed=retry_failed,
    )
    say = _say_stderr if as_json else _say
    answer = session.answer(question, display=_display(as_json), say=say)
    _show(answer.results, as_json)
    for line in answer.missing:
        say(line)
    for record in answer.summary.failed:
        again = record.repeat + _same_place(suite, out)
        say(f"failed: {record.method} seed {record.seed}: {record.status}: {record.reason}; again: {again}")
    if gone := answer.summary.gone:
        ended = len(answer.summary.fitted) + answer.summary.reused
        say(f"{gone} of {ended} runs that had ended are gone from {out}: something deleted them; run it again")
    say(f"page: {answer.page}")
    return max(_say_broken(answer.broken), 1 if answer.summary.failed or gone else 0)


def _same_place(suite: Path | None, out: Path) -> str:
    """The options that lead a command to the same suite and store; "" for those that it takes by itself."""
    options = [*(("--suite", str(suite)) if suite else ()), *(("--out", str(out)) if out != LATEST else ())]
    return f" {shlex.join(options)}" if options else ""


@commands.command()
@folder_argument
@click.option("--readme", type=click.Path(path_type=Path), help="Also put the table between the markers of this file.")
@click.option("--slides", is_flag=True, help="Also write slides.pdf, and each slide as an image in slides/.")
@click.option("--out", type=click.Path(path_type=Path), help="Write there, as for a store that can only be read.")
@data_dir_option
@suite_of_store_option
def report(
    folder: Path, readme: Path | None, slides: bool, out: Path | None, data_dir: Path | None, suite: Path | None
) -> int:
    """Write tables, figures and page of FOLDER anew from its records; fits nothing."""
    written = session.report(folder, suite=suite, data_dir=data_dir, slides=slides, readme=readme, out=out, say=_say)
    _show(written.results, as_json=False)
    _say(f"page: {written.page}")
    return _say_broken(written.broken)


@commands.command()
@folder_argument
@data_dir_option
@suite_of_store_option
def verify(folder: Path, data_dir: Path | None, suite: Path | None) -> int:
    """Recompute every number and verdict of FOLDER from saved predictions and the dataset, and its page from those."""
    differences = session.verify(folder, suite=suite, data_dir=data_dir, say=_say)
    for line in differences:
        _say(line)
    count = len(differences)
    _say(f"{folder}: {count} differences" if count else f"{folder}: every number and verdict agrees")
    return 1 if differences else 0


@commands.command(short_help="Say what changed from one store to another; exit code 1 if something got worse.")
@click.argument("a", metavar="A", type=click.Path(path_type=Path))
@click.argument("b", metavar="B", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write compare.csv and compare.html there. [no files]")
@data_dir_option
@suite_of_store_option
@json_option
def compare(a: Path, b: Path, out: Path | None, data_dir: Path | None, suite: Path | None, as_json: bool) -> int:
    """Say what changed from A to B in error and time; exit code 1 if something got worse beyond noise.

    A, B: folders that `lecturebench run --out` wrote, or one that holds such folders.

    \b
    lecturebench compare reports/reference/error_table reports/latest
    lecturebench compare reports/reference reports/latest --out /tmp/changes

    Rows are matched by suite, benchmark, dataset, method, profile and backend. Identical predictions are the same.
    Otherwise the difference B - A has an interval: over seeds and test examples (bootstrap) where both predicted the
    same examples with 3 seeds in common, else over the runs (Welch's t). What the tolerance of an identity allows is
    noise.

    With many rows some intervals miss 0 by chance, 1 in 20 at 95%. Better and worse are therefore said at Holm's
    levels: where nothing changed, a comparison says either of any row in 5% at most.

    Exit code 1: a row is worse in that sense, none of its runs finishes any more, or an identity that held is
    contradicted. Other changed verdicts and rows of one side alone are listed and do not count. Times are ratios of
    seconds per fit, with the machines named; they are never judged.
    """
    comparison, page = session.compare(a, b, suite=suite, data_dir=data_dir, out=out)
    _show_comparison(comparison, as_json)
    if page is not None:
        (_say_stderr if as_json else _say)(f"page: {page}")
    return 1 if comparison.worse else 0


@commands.command()
@json_option
@data_dir_option
def doctor(as_json: bool, data_dir: Path | None) -> None:
    """Say what this machine is, what is missing on it and how to get that."""
    from lecturebench.doctor import examine

    examination = examine(data_dir)
    if as_json:
        click.echo(json.dumps(examination.to_json(), indent=1))
    else:
        for line in examination.lines():
            click.echo(line)


@commands.command()
@click.argument("names", nargs=-1)
@click.option("--refresh", is_flag=True, help="Decode anew even if it is cached.")
@click.option("--check", is_flag=True, help="Read every byte of the cache and compute the digests anew.")
@data_dir_option
@json_option
def data(names: tuple[str, ...], refresh: bool, check: bool, data_dir: Path | None, as_json: bool) -> None:
    """Get the datasets NAMES into the cache and say what they are; without names, say where each could come from.

    \b
    lecturebench data mnist
    lecturebench data 'csv:houses.csv?target=price'
    lecturebench data 'csv:iris.csv?header=none&target=5'

    Your own: csv:PATH, parquet:PATH, arff:PATH, npz:PATH, folder:PATH (images by class), openml:ID. Options follow a
    question mark: target=COLUMN, task=classification or task=regression, split=COLUMN (which says train or test),
    image=HxW or image=HxWxC (columns that are pixels), header=none (of a CSV file).
    """
    from lecturebench import datasets

    say = _say_stderr if as_json else _say
    if not names:
        _show_sources([datasets.status(name, data_dir) for name in datasets.known()], as_json)
    descriptions = []
    for name in names:
        if check:
            datasets.verify(name, data_dir)
        else:
            datasets.load(name, data_dir, say, refresh)
        description = datasets.describe(name, data_dir, say)
        descriptions.append(description.to_json())
        if not as_json:
            _show_dataset(description)
    if as_json and names:
        click.echo(json.dumps(descriptions, indent=1))


@commands.command()
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Write a suite to start from into the new FOLDER: one commented benchmark that runs as it is."""
    from lecturebench.example import write

    _say(f"{write(folder)}: edit it, then lecturebench run --suite {shlex.quote(str(folder))}")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its exit code. Errors that somebody can mend are one line on stderr."""
    # Records and figures are many small objects that stay or go together: looking for circles among them as often as
    # Python does by itself (700, 10, 10) took a third of the time of drawing a page.
    gc.set_threshold(100_000, 20, 20)
    try:
        if home() is None:  # what libraries would keep at home has a place then, and none of them complains
            os.environ["HOME"] = str(own_temporary())
        code = commands.main(args=arguments, prog_name="lecturebench", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "")
        return 2
    except click.ClickException as error:
        return _fail(2, error.format_message())
    except ClusterLost as error:
        return _fail(1, str(error))
    except UsageError as error:
        return _fail(2, str(error))
    except DataMissing as error:
        return _fail(3, str(error))
    except DataCorrupt as error:
        return _fail(1, str(error))
    except OSError as error:
        where = f": {os.fsdecode(error.filename)!r}" if error.filename else ""
        return _fail(1, f"{why(error)}{where}; runs that had ended are kept, and the same command goes on from there")
    except (KeyboardInterrupt, click.Abort):
        return _fail(130, "stopped; runs that had ended are kept, and the same command goes on from there")


def _fail(code: int, line: str) -> int:
    _say_stderr(f"lecturebench: {line}")
    return code


def _say(text: str, *, err: bool = False) -> None:
    """Print text that may hold what others wrote: names, reasons, paths."""
    for line in text.split("\n"):
        click.echo(clean(line), err=err)


def _say_stderr(text: str) -> None:
    _say(text, err=True)


def _say_broken(lines: Collection[str]) -> int:
    """Name the benchmark files that could not be used; the exit code that this comes to."""
    for line in lines:
        _say_stderr(f"left out: {line}")
    return 1 if lines else 0


def _list_runs(question: session.Question, as_json: bool) -> int:
    from lecturebench.execution.overview import lines

    entries, problems, broken = session.stands(question, _say_stderr)
    shown = [asdict(entry) for entry in entries]
    if as_json:
        click.echo(json.dumps(shown, indent=1, default=str))
    for line in [] if as_json else lines(entries):
        click.echo(clean(line))
    for line in problems:
        _say_stderr(line)
    return _say_broken(broken)


def _display(as_json: bool) -> Display:
    from lecturebench.execution.progress import PlainDisplay, RichDisplay

    if as_json or not sys.stdout.isatty():
        return PlainDisplay(_say_stderr if as_json else _say)
    from rich.console import Console

    return RichDisplay(Console())


def _show_sources(statuses: Sequence[Status], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(status) for status in statuses], indent=1))
        return
    for status in statuses:
        click.echo(f"{click.style(clean(status.name), bold=True)}  {'cached' if status.cached else 'not cached'}")
        for source, available, reason in status.sources:
            _say(f"  {'+' if available else '-'} {source}: {reason}")


def _show_dataset(description: Description) -> None:
    from lecturebench.report.dataset import dataset_lines, dataset_table

    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(dataset_table(description))
    else:
        for line in dataset_lines(description):
            click.echo(line)


def _show(results: Results, as_json: bool) -> None:
    from lecturebench.report.table import table_rows
    from lecturebench.report.terminal import plain_lines, terminal_table

    if as_json:
        click.echo(json.dumps(table_rows(results), indent=1, default=str))
    elif sys.stdout.isatty():
        from rich.console import Console

        console = Console()
        console.print(terminal_table(results, console.width))
    else:
        for line in plain_lines(results):
            click.echo(line)


def _show_comparison(comparison: Comparison, as_json: bool) -> None:
    from lecturebench.report.compare_page import to_json
    from lecturebench.report.terminal import comparison_lines, comparison_table

    if as_json:
        click.echo(json.dumps(to_json(comparison), indent=1))
    elif sys.stdout.isatty():
        from rich.console import Console

        console = Console()
        console.print(comparison_table(comparison, console.width))
    else:
        for line in comparison_lines(comparison):
            click.echo(line)
