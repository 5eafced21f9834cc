"""What happens in a worker process: threads and backend are set once, then one run after another is fitted.

Only the standard library is imported at the top: threads must be limited before NumPy and the backend are loaded.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lecturebench.declare.modules import LECTURE_SUITE
from lecturebench.execution import family
from lecturebench.execution.answer import Answer, failure, result
from lecturebench.execution.leftovers import Snapshot, changes, snapshot

if TYPE_CHECKING:
    from lecturebench.datasets import Dataset
    from lecturebench.declare.benchmark import Benchmark
    from lecturebench.declare.methods import Method
    from lecturebench.declare.views import View
    from lecturebench.execution.plan import Run
    from lecturebench.store import Record
    from lecturebench.training.outcome import Fitted

MOST_POINTS = 250  # of a learning curve in a record; 1,500 epochs would take a quarter of a megabyte
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "NPROC",
)
# On a GPU the same network under the same key: single precision, not 10 bits of it (TensorFloat-32, which cuBLAS, cuDNN
# and XLA may take), sums in a fixed order, and no memory taken before it is needed, so that workers share a card.
GPU_VARIABLES = {
    "NVIDIA_TF32_OVERRIDE": "0",
    "JAX_DEFAULT_MATMUL_PRECISION": "highest",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}
# A new worker would look for Python's own modules in the caller's folder first, and run a ``pickle.py`` there. It is
# told not to by this value, from which it knows that the caller did not ask for it.
SAFE_PATH = {"PYTHONSAFEPATH": "lecturebench"}
DETERMINISTIC_XLA = "--xla_gpu_deterministic_ops=true"


@dataclass(frozen=True)
class Setting:
    """What all runs of a pool share. output: the pipe for what a worker prints; None leaves it where it goes."""

    threads: int
    backend: str
    device: str
    data_dir: Path | None
    output: Path | None = None
    address: Any = None
    authkey: bytes = b""

    @property
    def together(self) -> bool:
        """Whether the seeds of a row are fitted side by side in one program, where there is one that suits them."""
        from lecturebench.training.backends import TOGETHER

        return (self.backend, self.device) in TOGETHER


_setting: Setting
_session = 0  # by whose number our parent knows this worker
_send: Callable[[tuple[Any, ...]], None] = lambda message: None  # noqa: E731 - replaced when there is a parent to tell
_backend: Any = None
_last_look: Snapshot | None = None  # of the lecture's own runs, each of which finds the process as the one before
_programs: dict[str, Any] = {}
_looked_over: set[tuple[str, ...]] = set()  # networks that were built once to see whether they can be trained
_datasets: dict[str, Any] = {}


def thread_environment(threads: int) -> dict[str, str]:
    """Environment variables that hold BLAS, OpenMP, TensorFlow and XLA to so many threads."""
    return {name: str(threads) for name in THREAD_VARIABLES} | {"TF_NUM_INTEROP_THREADS": "1"}


@contextlib.contextmanager
def safe_path() -> Iterator[None]:
    """Processes that are started inside know SAFE_PATH, unless the caller has said otherwise; it is taken back."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ |= {**SAFE_PATH, **os.environ}
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("PYTHONSAFEPATH", None)


def device_environment(device: str) -> dict[str, str]:
    """Environment variables for runs on that device; on a GPU, flags of XLA that are set already stay."""
    if device == "cpu":
        return {"CUDA_VISIBLE_DEVICES": ""}
    flags = os.environ.get("XLA_FLAGS", "").split()
    return {**GPU_VARIABLES, "XLA_FLAGS": " ".join([*flags, *{DETERMINISTIC_XLA} - set(flags)])}


def initialize(setting: Setting) -> None:
    """Called once in a new worker, before its first run."""
    global _session, _setting, _send
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    _session = family.lead()
    if os.environ.get("PYTHONSAFEPATH") == SAFE_PATH["PYTHONSAFEPATH"]:
        del os.environ["PYTHONSAFEPATH"]  # what a method starts is the method's own
    os.environ |= thread_environment(setting.threads)
    os.environ |= {"KERAS_BACKEND": setting.backend, "KERAS_NNX_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3"}
    os.environ |= device_environment(setting.device)
    _setting = setting
    if setting.output is not None:
        _redirect_output(setting.output)
    if setting.address is not None:
        from lecturebench.execution.progress import connect

        _send = connect(setting.address, setting.authkey)


def _redirect_output(pipe: Path) -> None:
    """Send what this process and its libraries print to the parent, so that it disturbs no display and is not lost."""
    descriptor = os.open(pipe, os.O_WRONLY)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # the last lines of a run that dies are the ones that matter


def answer(*runs: Run) -> list[Answer]:
    """Fit a run, or several that differ in their seed alone, and say in plain text and numbers how each ended, whatever
    the method raises.
    """
    _send(("started", runs[0].key, os.getpid(), _session))
    global _last_look
    before: list[Snapshot] = []
    first = runs[0]

    def ready() -> None:
        before.append(snapshot(last=_last_look) if first.suite == LECTURE_SUITE else snapshot(first.suite))
        _send(("loaded", first.key))

    try:
        said = _fitted(runs, ready)
    except BaseException as error:  # sys.exit in a method is its own end, not that of all runs
        said = [failure(error)] * len(runs)
    try:
        changed = changes(before[0]) if before else ()
        _last_look = before[0] if before and not changed and first.suite == LECTURE_SUITE else None
    except BaseException as error:
        changed = (f"state, which cannot be looked at ({failure(error).reason})",)
    return [replace(each, changed=changed) for each in said]


@dataclass(frozen=True)
class _Loaded:
    """All that a run needs, loaded. seconds: by phase, what that took."""

    benchmark: Benchmark
    method: Method
    dataset: Dataset
    seconds: dict[str, float]


def _loaded(run: Run) -> _Loaded:
    """Load what a run needs; RuntimeError if it is not what was planned."""
    from lecturebench.datasets import load
    from lecturebench.declare.methods import Experiment
    from lecturebench.declare.suites import benchmark_file, load_benchmark

    begin = time.perf_counter()
    benchmark = load_benchmark(benchmark_file(run.suite, run.benchmark))
    method = benchmark.method(run.method)
    _check_plan(run, benchmark, method)
    if not isinstance(method, Experiment):
        import sklearn.metrics  # noqa: F401 - measuring needs it, and its import sets what no method should
    if method.uses_backend:
        _load_backend()
    import_seconds = time.perf_counter() - begin
    begin = time.perf_counter()
    if run.dataset not in _datasets:
        _datasets[run.dataset] = load(run.dataset, _setting.data_dir)
    dataset = _datasets[run.dataset]
    if dataset.digests != run.digests:
        raise RuntimeError(f"{run.dataset} changed since the runs were planned: {dataset.digests} is not {run.digests}")
    return _Loaded(benchmark, method, dataset, {"import": import_seconds, "load": time.perf_counter() - begin})


def _fitted(runs: Sequence[Run], ready: Callable[[], None]) -> list[Answer]:
    """Fit a run, or several that differ in their seed alone in one program; without one that suits them, several not at
    all. A run's seconds are its share of what all took.

    What the method of a single run raises is passed on. ready: called once all is loaded, before the method is.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    loaded = _loaded(runs[0])
    benchmark, method, dataset = loaded.benchmark, loaded.method, loaded.dataset
    ready()
    begin = time.perf_counter()
    program = _shared_program(runs[0], loaded)
    if _setting.together and runs[0].training is not None:
        loaded.seconds["build"] = time.perf_counter() - begin
    if program is None and len(runs) > 1:
        return [Answer(apart=True)] * len(runs)
    if program is None:
        from lecturebench.execution.noted import NOTED, Noted

        view = Noted(runs[0].view) if isinstance(runs[0].view, NOTED) else runs[0].view
        fitted = _fit(runs[0], benchmark, method, dataset, view)
        return [result(*_recorded(runs[0], loaded, fitted, started, seen=getattr(view, "made", {})))]
    from lecturebench.training.drawn import own_draws

    what = _programs["program"][0]

    def fit_in_lane(run: Run, lane: Any) -> Answer:
        fitted = _fit_network(run, benchmark, method, dataset, {"program": (what, lane)})
        if len(runs) > 1:
            fitted.notes.append(f"one of {len(runs)} seeds that were fitted in one program: its seconds are its share")
        return result(*_recorded(run, loaded, fitted, started, share=1 / len(runs)))

    with own_draws(runs[0].seed):
        said = program.steps.lanes.fit(program, dataset.train, [partial(fit_in_lane, run) for run in runs])
    return [failure(each) if isinstance(each, BaseException) else each for each in said]


def _shared_program(run: Run, loaded: _Loaded) -> Any:
    """The program of a row whose seeds can be fitted side by side; None where each has other data, where its network is
    of another kind, and where time is measured or code of somebody else's is run on the way.
    """
    from lecturebench.declare.training import Training
    from lecturebench.training.program import program_for

    benchmark, method, dataset = loaded.benchmark, loaded.method, loaded.dataset
    # A suite's own metrics may draw, and may do to their process and thread whatever they like.
    theirs = benchmark.metrics or getattr(method, "probe", None) is not None
    if not _setting.together or not run.in_lanes or method.resplit or theirs or _races(benchmark, method):
        return None
    if _steps_class(run, dataset) is not _backend.Steps:
        return None
    assert run.training is not None
    training, parameters = Training(**run.training), {**method.parameters, **run.parameters}
    _look_over(run, method, dataset)
    what = (method.function, parameters, training, 0, dataset, _backend.Steps)
    program = program_for(*what, _programs, _identity(run))
    return program if program.steps.lanes else None


def _recorded(
    run: Run,
    loaded: _Loaded,
    fitted: Fitted,
    started: str,
    share: float = 1.0,
    seen: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Record, dict[str, Any]]:
    """The record of a run that was fitted, and the arrays that are kept of it. share: of its seconds that are its own.
    seen: digests of what its view made of the fitted examples.

    ValueError for what no fit may leave behind.
    """
    from lecturebench.environment import commit
    from lecturebench.execution.checked import refuse_odd
    from lecturebench.store import Record

    benchmark, method, dataset = loaded.benchmark, loaded.method, loaded.dataset
    refuse_odd(fitted, dataset)
    seconds = Counter(fitted.seconds)
    seconds.update(loaded.seconds)
    curve = [point | {"seconds": share * point["seconds"]} if "seconds" in point else point for point in fitted.curve]
    sha, dirty = commit()
    record = Record(
        key=run.key,
        suite=benchmark.suite,
        benchmark=run.benchmark,
        method=run.method,
        dataset={
            "name": run.dataset,
            "source": dataset.source,
            "digests": dict(dataset.digests),
            "n_train": fitted.n_train,
            "n_validation": fitted.n_validation,
            "n_test": len(dataset.test.y),
            **({"seen": dict(seen)} if seen else {}),
        },
        profile=run.profile,
        backend=run.backend,
        device=run.device,
        seed=run.seed,
        role=run.role,
        status="diverged" if fitted.diverged else "ok",
        reason=fitted.diverged,
        recipe=dict(run.recipe),
        threads=_setting.threads,
        threads_used=_threads_used(),
        metrics={} if fitted.diverged else fitted.metrics,
        curve=thinned(curve) if run.training is not None and not _races(benchmark, method) else curve,
        parameters=fitted.parameters,
        seconds={phase: share * spent for phase, spent in seconds.items()},
        peak_rss_mib=_peak_rss_mib(),
        environment=_environment(),
        commit=sha,
        dirty=dirty,
        source_digest=run.source_digest,
        started=started,
        notes=fitted.notes,
        random=fitted.random,
        kernels=fitted.kernels,
    )
    return record, {} if fitted.diverged else _kept(run, benchmark, fitted)


def _kept(run: Run, benchmark: Benchmark, fitted: Fitted) -> dict[str, Any]:
    """The arrays to be stored. A run that only helps to choose is asked for its validation error; its predictions would
    fill disks."""
    from lecturebench.training.predictions import kept, precision

    arrays: dict[str, Any] = {"measured": fitted.arrays} if fitted.arrays else {}
    if fitted.predictions is not None and run.role == "judged":
        judged = {claim.metric for claim in benchmark.claims if run.method in claim.methods}
        of_probabilities = precision(benchmark.known_metrics, {benchmark.metric, *judged}, first=run.seed == 0)
        arrays["predictions"] = kept(fitted.predictions, of_probabilities)
    return arrays


def _check_plan(run: Run, benchmark: Benchmark, method: Method) -> None:
    """RuntimeError if this worker would fit something else than what the run's key says.

    A file may have been edited since the plan was made, and another node may find another helper module.
    """
    from lecturebench.execution.source import method_digest

    if run.threads != _setting.threads:
        raise RuntimeError(f"planned for {run.threads} threads, but this worker has {_setting.threads}")
    if method_digest(benchmark, method, run.backend, dataset=run.dataset) != run.source_digest:
        raise RuntimeError(
            f"the source of {run.method} here is not the one that was planned with: it was edited meanwhile, or "
            "another copy of it is found here; run the command again"
        )


def _races(benchmark: Benchmark, method: Method) -> bool:
    """Whether a time to a target is read off the method's curve, which then needs all its points."""
    from lecturebench.declare.claims import TimeToTargetClaim

    return any(isinstance(claim, TimeToTargetClaim) and method.name in claim.methods for claim in benchmark.claims)


def thinned(curve: list[dict[str, float]]) -> list[dict[str, float]]:
    """A learning curve of so many points that a record stays small: every k-th one, counted from the last."""
    step = -(-len(curve) // MOST_POINTS)
    return curve[::-1][:: max(1, step)][::-1]


def _fit(run: Run, benchmark: Benchmark, method: Method, dataset: Dataset, view: View | None) -> Fitted:
    # What is not plain does not travel: it is the method's own.
    parameters = {**method.parameters, **run.parameters}
    from lecturebench.declare.lag_views import Lags
    from lecturebench.declare.methods import Baseline, Experiment
    from lecturebench.execution.checked import measuring
    from lecturebench.training.baselines import fit_baseline
    from lecturebench.training.drawn import own_draws
    from lecturebench.training.fit import fit_experiment

    if isinstance(method, Experiment):
        with own_draws(run.seed) as draws:
            fitted = fit_experiment(measuring(method.function), parameters, dataset, seed=run.seed)
        if method.deterministic and draws.any:
            raise RuntimeError("it is declared deterministic, but draws random numbers: leave deterministic out")
        fitted.random = not method.deterministic
        return fitted
    if isinstance(run.view, Lags):
        dataset = run.view.lagged(dataset)
    if isinstance(method, Baseline):
        fitted = fit_baseline(
            method.function,
            parameters,
            dataset,
            seed=run.seed,
            deterministic=method.deterministic,
            train_size=run.train_size,
            resplit=method.resplit,
            view=view,
            metrics=benchmark.known_metrics,
            chooses=run.role == "choice",
        )
        if run.role == "choice" and not fitted.diverged and benchmark.metric not in fitted.metrics["validation"]:
            raise RuntimeError(
                f"its {' and '.join(method.choices)} cannot be chosen by {benchmark.metric}, which its predictions do "
                "not tell: give its estimator a predict_proba, or the benchmark another metric"
            )
        return fitted
    _look_over(run, method, dataset)
    with own_draws(run.seed):  # a probe may draw
        return _fit_network(run, benchmark, method, dataset, _programs, view)


def _look_over(run: Run, method: Method, dataset: Dataset) -> None:
    """Refuse a network that cannot be trained, the first time that it is met here."""
    if _identity(run) in _looked_over:
        return
    from lecturebench.declare.lag_views import Lags
    from lecturebench.declare.word_views import WordIndices, WordView
    from lecturebench.training.checks import refuse_unbuildable

    outputs = len(dataset.classes) if dataset.task == "classification" else 1
    parameters = {**method.parameters, **run.parameters}
    shape = run.view.shape if isinstance(run.view, WordView | Lags) else dataset.train.X.shape[1:]
    model = refuse_unbuildable(method.function, parameters, shape, outputs)
    if isinstance(run.view, WordIndices):
        _refuse_small_embedding(model, run.view.vocabulary)
    _looked_over.add(_identity(run))


def _refuse_small_embedding(model: Any, vocabulary: int) -> None:
    """ValueError for an embedding that has no row for some word: backends would make what they like of its number."""
    import keras

    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Embedding) and layer.input_dim < vocabulary + 2:
            raise ValueError(
                f"layer {layer.name!r} has {layer.input_dim} rows, and its view gives numbers up to {vocabulary + 1}: "
                f"an embedding of {vocabulary} words needs {vocabulary + 2} rows"
            )


def _identity(run: Run) -> tuple[str, ...]:
    """What tells the source of a run's network from any other."""
    return str(run.suite), run.benchmark, run.method, run.source_digest


def _fit_network(
    run: Run,
    benchmark: Benchmark,
    method: Method,
    dataset: Dataset,
    programs: dict[str, Any],
    view: View | None = None,
) -> Fitted:
    from lecturebench.declare.training import Training
    from lecturebench.execution.plan import looked_at_by
    from lecturebench.training.fit import fit_network

    assert run.training is not None
    fitted = fit_network(
        method.function,
        {**method.parameters, **run.parameters},
        Training(**run.training),
        dataset,
        seed=run.seed,
        steps_class=_steps_class(run, dataset),
        train_size=run.train_size,
        resplit=method.resplit,
        view=view,
        probe=getattr(method, "probe", None),
        metrics=benchmark.known_metrics,
        looked_at=looked_at_by(benchmark),
        observe=lambda epoch, epochs, loss: _send(("epoch", run.key, epoch, epochs, loss)),
        programs=programs,
        identity=_identity(run),
    )
    # Which operation took the place of a loop, as far as layers say so.
    layers = programs["program"][1].model._flatten_layers()
    fitted.kernels |= {type(each).__name__: each.computed_by for each in layers if getattr(each, "computed_by", "")}
    return fitted


def _steps_class(run: Run, dataset: Dataset) -> Any:
    """The backend's training steps: on data that fit in memory, on data that do not, or in batches of one width."""
    from lecturebench.datasets.jpegs import Jpegs
    from lecturebench.training.bucketing import bucketed
    from lecturebench.training.streaming import streaming

    if getattr(run.view, "bucket", None) is not None:
        return bucketed(_backend.Steps)
    return streaming(_backend.Steps) if isinstance(dataset.train.X, Jpegs) else _backend.Steps


def _load_backend() -> None:
    """Import Keras and its backend, on the first run here that needs it, and set what decides results."""
    global _backend
    if _backend is None:
        from lecturebench.datasets.cache import root
        from lecturebench.training.backends import LOADERS

        # Not the caller's, whose keras.json is read when Keras is imported and may name what it does not know.
        os.environ["KERAS_HOME"] = str(root().parent / "keras")
        backend = LOADERS[_setting.backend]()
        backend.prepare(_setting.threads, _setting.device)
        if _setting.device == "gpu" and backend.gpu_name() is None:
            raise RuntimeError(f"a GPU was asked for, but {_setting.backend} sees none in this worker")
        _backend = backend
        gc.freeze()  # each new program has garbage collected; what imports left behind need not be looked through
    _backend.settle()


def _environment() -> dict[str, Any]:
    """What the run ran on, with Keras' settings among the flags where Keras is loaded."""
    from lecturebench.environment import environment

    machine = environment()
    return machine if _backend is None else machine | {"flags": machine["flags"] | _backend.settings()}


def _threads_used() -> dict[str, int]:
    """Threads by library, as each says itself: BLAS and OpenMP, and the backend where one is loaded."""
    from threadpoolctl import threadpool_info

    used: dict[str, int] = {}
    for library in threadpool_info():
        name = library["internal_api"]
        used[name] = max(used.get(name, 0), library["num_threads"])
    return used if _backend is None else used | {_setting.backend: _backend.threads_used()}


def _peak_rss_mib() -> float:
    """The most memory this worker held at once, in MiB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def probe_gpu(backend: str) -> str | None:
    """The GPU that a backend sees, or None. Imports the backend, unheard: run it in a process of its own."""
    from lecturebench.training.backends import LOADERS

    # TensorFlow says what it misses on the way in, whatever its log level.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.environ |= {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return LOADERS[backend]().gpu_name()
