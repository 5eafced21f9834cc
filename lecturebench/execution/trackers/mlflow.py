"""Runs in an MLflow store: one MLflow run per record, all below one that stands for the store's folder.

A run is found again by its tag ``key`` below that one, so that telling the same again adds nothing, a run that was cut
short is written anew, and two people with the same key on one server do not touch each other's.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lecturebench.disk import lock_at
from lecturebench.errors import UsageError, nearest
from lecturebench.execution.trackers.background import reason
from lecturebench.execution.trackers.scalars import began, ended, flat, scalars
from lecturebench.store import Record, write_whole

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql")
EXPERIMENT = "lecturebench"  # unless $MLFLOW_EXPERIMENT_NAME says otherwise, as everywhere in MLflow
ARTIFACTS = ("table.csv", "table.md", "index.html")
ENDED = ("FINISHED", "FAILED")
LONGEST = 5000  # characters of a parameter or tag; MLflow stores 6000 and 8000, its older servers 5000
ANSWER = 8.0  # seconds within which an address must answer
PREPARE = 60.0  # seconds for a database, whose tables MLflow first makes: 4 s where it is alone on the machine
# MLflow's own: 120 s per request and 7 retries, a quarter of an hour in all; and it reports its use to its makers.
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
AT_ONCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "5", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}


def open_mlflow(address: str, out: Path) -> MLflow:
    """A tracker for the MLflow store at that address, which has answered. UsageError says what is wrong with it."""
    scheme = _checked_scheme(address)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    import mlflow.tracking  # noqa: F401  seconds on a busy machine, which are not the store's

    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # each retry would be a line
    limit = ANSWER if scheme in ("http", "https") else PREPARE
    try:
        with _environment(AT_ONCE):
            return _within(limit, lambda: MLflow(address, out))
    except UsageError:
        raise
    except TimeoutError:
        raise UsageError(f"no MLflow store at {_shown(address)!r}: no answer within {limit:.0f} s") from None
    except Exception as error:
        raise UsageError(f"no MLflow store at {_shown(address)!r}: {_without_secrets(error, address)}") from None


class MLflow:
    """The runs of one store's folder in an MLflow store. Making it asks the store, and may take as long as that does.

    out: the store's folder. It keeps, in ``.mlflow``, the name under which it is found again.
    """

    name = "mlflow"

    def __init__(self, address: str, out: Path) -> None:
        from mlflow import MlflowClient

        self._out, self._address = out, address
        (out / ".locks").mkdir(parents=True, exist_ok=True)
        # Two calls on one folder must not both make the tables, nor both find a run missing and add it.
        self._lock = lock_at(out / ".locks" / "mlflow")
        with self._lock:
            self._client: MlflowClient = MlflowClient(tracking_uri=address)
            self._experiment = self._find_experiment(address)
            self._parent = self._find_parent()

    def log(self, record: Record) -> None:
        """Add the run, unless it is there already; replaces it where it was cut short or has been fitted anew."""
        with self._lock, self._no_secrets():
            for run in self._find(f"tags.key = '{record.key}' and tags.`mlflow.parentRunId` = '{self._parent}'"):
                if run.info.status in ENDED and run.data.tags.get("started") == record.started:
                    return
                self._client.delete_run(run.info.run_id)
            self._add(record)

    def finish(self, folder: Path) -> None:
        """Put table and page on the run that stands for the folder."""
        with self._no_secrets():
            for name in ARTIFACTS:
                if (folder / name).is_file():
                    self._client.log_artifact(self._parent, str(folder / name))
            self._client.set_terminated(self._parent, "FINISHED")

    @contextlib.contextmanager
    def _no_secrets(self) -> Iterator[None]:
        """What goes wrong is told without the password of the address."""
        try:
            yield
        except Exception as error:
            raise RuntimeError(_without_secrets(error, self._address)) from None

    def _add(self, record: Record) -> None:
        from mlflow.entities import Metric, Param

        tags = _tags(record) | {"mlflow.parentRunId": self._parent}
        run = self._client.create_run(
            self._experiment, _milliseconds(began(record)), tags, f"{record.method} seed {record.seed}"
        )
        metrics = [
            Metric(scalar.name, scalar.value, _milliseconds(scalar.time), scalar.step) for scalar in scalars(record)
        ]
        metrics += [
            Metric(name, value, _milliseconds(ended(record)), 0)
            for name, value in {
                "parameters": float(record.parameters),
                "peak_rss_mib": record.peak_rss_mib,
                **{f"seconds/{phase}": seconds for phase, seconds in record.seconds.items()},
            }.items()
        ]
        parameters = [Param(_name(name), str(value)[:LONGEST]) for name, value in flat(record.recipe).items()]
        self._client.log_batch(run.info.run_id, metrics, parameters)
        status = "FINISHED" if record.status == "ok" else "FAILED"
        self._client.set_terminated(run.info.run_id, status, _milliseconds(ended(record)))

    def _find(self, condition: str) -> list[Run]:
        return list(self._client.search_runs([self._experiment], condition))

    def _find_experiment(self, address: str) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            # A database alone would have artifacts go to ./mlruns of wherever this was called.
            database = _sqlite_file(address)
            place = None if database is None else (database.parent / "mlartifacts").as_uri()
            return str(self._client.create_experiment(name, artifact_location=place))
        if experiment.lifecycle_stage != "active":
            raise UsageError(f"the MLflow experiment {name!r} is deleted: restore it, or set $MLFLOW_EXPERIMENT_NAME")
        return str(experiment.experiment_id)

    def _find_parent(self) -> str:
        file = self._out / ".mlflow"
        if not file.exists():
            write_whole(file, uuid.uuid4().hex.encode())
        key = f"folder-{file.read_text(encoding='utf-8').strip()}"
        for run in self._find(f"tags.key = '{key}'"):
            return str(run.info.run_id)
        tags = {"key": key, "role": "report", "mlflow.source.name": "lecturebench"}
        return str(self._client.create_run(self._experiment, None, tags, self._out.resolve().name).info.run_id)


def _tags(record: Record) -> dict[str, str]:
    tags = {
        name: getattr(record, name)
        for name in ("key", "suite", "benchmark", "method", "profile", "backend", "device", "seed", "role", "status")
    }
    tags |= {"dataset": record.dataset["name"], "commit": record.commit, "dirty": record.dirty}
    tags |= {"started": record.started, "mlflow.source.name": "lecturebench"}
    if record.commit:
        tags["mlflow.source.git.commit"] = record.commit
    if record.status != "ok":
        tags |= {"reason": record.reason, "mlflow.note.content": f"{record.status}: {record.reason}"}
    return {name: str(value)[:LONGEST] for name, value in tags.items()}


def _name(name: str) -> str:
    """A parameter's name in the letters that MLflow takes."""
    return re.sub(r"[^\w.\-/: ]", "_", name)[:250]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _checked_scheme(address: str) -> str:
    """The address's scheme; UsageError if it makes no sense, its package is missing or its file cannot be written."""
    scheme, separator, rest = address.partition("://")
    scheme = scheme.partition("+")[0]  # postgresql+psycopg2
    if not separator or not rest.strip("/") or not re.fullmatch(r"[A-Za-z0-9.-]+", scheme):
        raise UsageError(f"{_shown(address)!r} is no MLflow address: give http://HOST:PORT or sqlite:///FILE")
    if scheme not in SCHEMES:
        raise UsageError(nearest("kind of MLflow store", scheme, SCHEMES))
    if scheme not in ("http", "https"):
        for package in ("sqlalchemy", "alembic"):
            if importlib.util.find_spec(package) is None:
                raise UsageError(f"{package} is not installed here: pip install 'lecturebench[mlflow]'")
    if (database := _sqlite_file(address)) is not None:
        _check_database(database)
    return scheme


def _sqlite_file(address: str) -> Path | None:
    prefix = "sqlite:///"
    if not address.startswith(prefix):
        return None
    return Path(address.removeprefix(prefix).partition("?")[0]).resolve()


def _check_database(file: Path) -> None:
    """UsageError for a file that is no SQLite database or cannot be written: MLflow would try for minutes."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        head = _first_bytes(file) if file.exists() else b""
    except OSError as error:
        raise UsageError(f"the MLflow database {str(file)!r} cannot be made: {error.strerror}") from None
    if head and head != b"SQLite format 3\0":
        raise UsageError(f"{str(file)!r} is no SQLite database")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise UsageError(f"the MLflow database {str(file)!r} cannot be written")


def _first_bytes(file: Path) -> bytes:
    with file.open("rb") as content:
        return content.read(16)


def _shown(address: str) -> str:
    """The address without what may be a password. Where nobody can tell where that ends, nothing more is shown."""
    scheme, separator, rest = address.partition("://")
    if not separator or "@" in scheme:
        scheme, separator, rest = "", "", address
    before, at, after = rest.partition("@")
    if at and ("@" in after or set(before) & set("/?#")):
        return f"{scheme}{separator}…"
    place = re.split("[?#]", after if at else before)
    return f"{scheme}{separator}{'…@' if at else ''}{place[0]}{'?…' if len(place) > 1 else ''}"


def _without_secrets(error: BaseException, address: str) -> str:
    """Why something failed. Of an address that may hold a password no library's words are shown: they quote it."""
    words = reason(error)
    if not set(address) & set("@?"):
        return words
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None and cause not in causes:
        causes.append(cause)
    said = [each.strerror for each in causes if isinstance(each, OSError) and each.strerror and each.errno]
    if said:
        return said[-1]
    return words if words == "no answer in time" else type(error).__name__


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for a while: MLflow reads its own with every request."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _within(seconds: float, make: Callable[[], MLflow]) -> MLflow:
    """What ``make`` returns or raises; TimeoutError after so many seconds, whatever it waits for."""
    result: list[Any] = []

    def work() -> None:
        try:
            result.append(make())
        except BaseException as error:
            result.append(error)

    thread = threading.Thread(target=work, name="tracker check", daemon=True)
    thread.start()
    thread.join(seconds)
    if not result:
        raise TimeoutError
    if isinstance(result[0], BaseException):
        raise result[0]
    made: MLflow = result[0]
    return made
