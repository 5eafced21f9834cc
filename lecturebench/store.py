"""A store is a folder of records: ``runs/<key>/record.json`` beside ``predictions.npz`` and ``measured.npz``.

A run's folder is written under a temporary name, synced and renamed: it is there whole or not at all. Reading never
stops at a damaged record: it is named, left where it is, and the rest is read. Damaged is also what is not as it was
written, what no run can have written, and what is no regular file: nothing here waits for a named pipe.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import stat
import tempfile
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lecturebench.disk import lock_at, sync, sync_folder, write_synced
from lecturebench.disk import write_whole as write_whole  # for report, which writes beside records
from lecturebench.errors import UsageError
from lecturebench.metrics import Predictions

if TYPE_CHECKING:
    import numpy as np
    from filelock import BaseFileLock

SCHEMA = 2
MARKER = "lecturebench.json"
LOCKS = ".locks"
REMEMBERED = MISSING, LEFT_OUT = "missing.json", "left_out.json"
LECTURE = "lecture"  # the name of the suite that comes with lecturebench, whose folder is wherever that is
Status = Literal["ok", "diverged", "error", "crashed", "timeout", "out_of_memory"]
STATUSES: tuple[Status, ...] = ("ok", "diverged", "error", "crashed", "timeout", "out_of_memory")
TEXTS = (
    *("suite", "benchmark", "method", "profile", "backend", "device", "reason", "traceback", "output"),
    *("commit", "source_digest", "started"),
)
OBJECTS = ("dataset", "recipe", "metrics", "seconds", "environment", "digests", "threads_used", "kernels")
HUGE = 1e100  # of nothing that is measured; its square and sums are still floats
DEEPEST = 40  # objects in objects; a record has five
LONGEST = 2**28  # bytes of a text file; a record has some thousand, one with a whole curve a million
LARGEST = 2**33  # bytes of all arrays of a run


class DamagedRecord(Exception):
    """A record or its predictions cannot be read; names the file and says why."""


@dataclass
class Record:
    """One run and all that is known of it. Fields as in ``record.json``, schema 2; schema 1 is read too.

    role: "judged", or "choice" for a run that only helps to choose a parameter on validation data.
    output: the last lines that a failed run printed.
    dataset: name, source, digests, n_train, n_validation, n_test. metrics: {split: {metric: value}}, errors as shares.
    curve: one dict per epoch. seconds: by phase. threads: its share; threads_used: what each library really took.
    digests: SHA-256 over the saved arrays by file, so that an edit is noticed even where no metric moves, and "record"
    over the record itself, see `content_digest`. random: whether other random numbers would have given another result.
    kernels: what computed it, such as the optimiser's "update". extra: fields that this version does not know, kept.
    """

    key: str
    suite: str
    benchmark: str
    method: str
    dataset: dict[str, Any]
    profile: str
    backend: str
    device: str
    seed: int
    role: Literal["judged", "choice"]
    status: Status
    recipe: dict[str, Any]
    threads: int = 1
    threads_used: dict[str, int] = field(default_factory=dict)
    reason: str = ""
    traceback: str = ""
    output: str = ""
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    curve: list[dict[str, float]] = field(default_factory=list)
    parameters: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    peak_rss_mib: float = 0.0
    digests: dict[str, str] = field(default_factory=dict)
    random: bool = False
    kernels: dict[str, str] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    commit: str = ""
    dirty: bool = False
    source_digest: str = ""
    started: str = ""
    notes: list[str] = field(default_factory=list)
    schema: int = SCHEMA
    extra: dict[str, Any] = field(default_factory=dict)

    def value(self, metric: str) -> float | None:
        """A number of the run: "error" on test, "validation error" on that split, or one that it measured; or None."""
        split, _, name = metric.rpartition(" ")
        for place in [split] if split else ["test", "measured"]:
            if name in self.metrics.get(place, {}):
                return float(self.metrics[place][name])
        return None

    @property
    def failed(self) -> bool:
        """Whether the run gave no result. That a value of a grid diverges is one: it is no value to choose."""
        return self.status != "ok" and not (self.role == "choice" and self.status == "diverged")

    @property
    def repeat(self) -> str:
        """The command that fits this run again if it failed; beside it only what its row lacks."""
        words = ["lecturebench", "run", self.benchmark, "--method", self.method]
        words += ["--dataset", str(self.dataset.get("name")), "--profile", self.profile]
        words += ["--seeds", str(self.seed + 1)] if self.role == "judged" else []
        words += [] if self.backend in ("tensorflow", "scikit-learn", "numpy") else ["--backend", self.backend]
        words += [] if self.device == "cpu" else ["--device", self.device]
        return shlex.join([*words, "--retry-failed"])

    def to_json(self) -> dict[str, Any]:
        """The record as written; unknown fields of the file it was read from are kept."""
        values = {item.name: getattr(self, item.name) for item in dataclasses.fields(self) if item.name != "extra"}
        return {**self.extra, **values}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Record:
        """The record of a parsed ``record.json``. ValueError names what is missing, of another type or unknown."""
        schema = values.get("schema")
        if not isinstance(schema, int) or schema > SCHEMA:
            raise ValueError(f"its schema is {schema!r}; this lecturebench reads up to {SCHEMA}")
        if schema == 1:
            values = _from_schema_1(values)
        known = {item.name: item for item in dataclasses.fields(cls) if item.name != "extra"}
        missing = [
            name
            for name, item in known.items()
            if name not in values
            and item.default is dataclasses.MISSING
            and item.default_factory is dataclasses.MISSING
        ]
        if missing:
            raise ValueError(f"it lacks {', '.join(missing)}")
        for name in OBJECTS:
            if not isinstance(values.get(name, {}), dict):
                raise ValueError(f"its {name} is no object")
        fields = {name: values[name] for name in known if name in values}
        if schema == 1 and fields["suite"] == "benchmarks":
            fields["suite"] = LECTURE  # suites were called after their folder
        record = cls(**fields, extra={name: value for name, value in values.items() if name not in known})
        if fault := _fault(record):
            raise ValueError(fault)
        return record


def _from_schema_1(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record of schema 1 as schema 2 has them."""
    kept = {name: value for name, value in values.items() if name != "predictions_digest"}
    predictions = values.get("predictions_digest")
    return {**kept, "digests": {"predictions": predictions} if predictions else {}}


def _fault(record: Record) -> str:
    """What no run can have written of itself; "" for a sound record. Whoever reads a store relies on it."""
    for name in TEXTS:
        if not isinstance(getattr(record, name), str):
            return f"its {name} is {getattr(record, name)!r}, no text"
    allowed: Mapping[str, tuple[str, ...]] = {"role": ("judged", "choice"), "status": STATUSES}
    for name, words in allowed.items():
        if getattr(record, name) not in words:
            return f"its {name} is {getattr(record, name)!r}, none of {', '.join(words)}"
    for name in ("seed", "parameters", "threads"):
        if not is_whole(getattr(record, name)) or getattr(record, name) < 0:
            return f"its {name} is {getattr(record, name)!r}, no whole number"
    if not isinstance(record.dataset.get("name"), str):
        return "its dataset has no name"
    for name in ("n_train", "n_validation", "n_test"):
        n = record.dataset.get(name, 0)
        if not is_whole(n) or n < 0:
            return f"its {name} is {n!r}, no number of examples"
    if not _numbers(record.seconds) or not all(0 <= value < HUGE for value in record.seconds.values()):
        return f"its seconds are {record.seconds!r}, not all times"
    for split, values in record.metrics.items():
        if not _numbers(values):
            return f"its {split} metrics are {values!r}, not all numbers"
    for name in ("curve", "notes"):
        if not isinstance(getattr(record, name), list):
            return f"its {name} is no list"
    if not all(_numbers(point) for point in record.curve):
        return "its curve is not made of numbers"
    if not all(isinstance(note, str) for note in record.notes):
        return "its notes are not all texts"
    if not _numbers({"peak_rss_mib": record.peak_rss_mib, **record.threads_used}):
        return "its memory or threads are no numbers"
    for name in ("random", "dirty"):
        if not isinstance(getattr(record, name), bool):
            return f"its {name} is {getattr(record, name)!r}, not true or false"
    for name in ("digests", "kernels"):
        if not all(isinstance(text, str) for text in getattr(record, name).values()):
            return f"its {name} are {getattr(record, name)!r}, not all texts"
    if record.role == "choice" and record.status == "ok" and not record.metrics.get("validation"):
        return "it is there to choose by validation metrics, and has none"
    return ""


def _numbers(values: object) -> bool:
    """Whether these are names with numbers, finite or not."""
    return isinstance(values, dict) and all(isinstance(v, float) or is_whole(v) for v in values.values())


def is_whole(value: object) -> bool:
    """Whether it is a whole number that arrays can hold too: JSON's may be of any size."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names, types, shapes and values of arrays, in the order of their names.

    Schema 1 knew one array, "test", and left its name out.
    """
    content = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        content.update(f"{'' if set(arrays) == {'test'} else f'{name} '}{array.dtype.str} {array.shape}".encode())
        content.update(array.tobytes())
    return content.hexdigest()


def content_digest(values: Mapping[str, Any]) -> str:
    """SHA-256 over all that a ``record.json`` says, but for this digest. values: as it is parsed.

    It shows any change since it was written: a flipped bit, an edit. It is no signature: whoever edits a record on
    purpose can compute it too, so verify recomputes all that can be.
    """
    digests = {name: value for name, value in values["digests"].items() if name != "record"}
    return hashlib.sha256(json.dumps({**values, "digests": digests}, sort_keys=True).encode()).hexdigest()


def parse(text: str) -> Any:
    """What a JSON text says. ValueError also where later code would stumble: nested without end, no number of any
    machine, halves of characters, which no file can hold."""
    try:
        values = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested without end") from None
    level, depth = [values], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep")
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict | list):
                inner += value.values() if isinstance(value, dict) else value
            elif isinstance(value, int) and abs(value) >= 2**64:
                raise ValueError("it holds a number that no machine word can")
        level, depth = inner, depth + 1
    if re.search(r"\\u[dD][89a-fA-F]", text):
        whole = json.dumps(values, ensure_ascii=False)
        if whole != whole.encode("utf-8", "replace").decode():
            raise ValueError("it holds halves of characters, which no file can")
    return values


def read_whole(path: Path, most: int = LONGEST) -> bytes:
    """The content of a regular file of at most so many bytes. OSError for anything else at once: nobody may write into
    a named pipe, and a device may never end."""
    # Waits for no writer. Windows has neither the flag nor such pipes among its files.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(0, "it is a folder" if stat.S_ISDIR(about.st_mode) else "it is no regular file")
        if about.st_size > most:
            raise OSError(0, f"it has {about.st_size:,} bytes, more than any that lecturebench writes")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(descriptor)


def why(error: Exception) -> str:
    """What is wrong with a file, whose name is said beside it."""
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__


@dataclass(frozen=True)
class SuiteName:
    """A suite as a store remembers it: its own name and its folder; "" for that of lecturebench itself."""

    name: str
    folder: str = ""

    def __str__(self) -> str:
        return f"{self.name!r} in {self.folder!r}" if self.folder else f"lecturebench's own, {self.name!r}"


LECTURES_OWN = SuiteName(LECTURE)


class Store:
    """The records under one folder. Made on the first write; reading a folder that is not there finds nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = folder / "runs"
        self._begun: SuiteName | None = None
        self._parsed: dict[str, tuple[bytes, Record]] = {}

    def begin(self, suite: SuiteName = LECTURES_OWN) -> None:
        """Take the folder into use for a suite, or see that it is in use for it: it, or UsageError.

        It must be new, empty, or a store of that suite that this version of lecturebench can read. A suite that has
        moved is the same one if nothing is left where it was.
        """
        owner = self.suite()
        if owner is None:
            strangers = [path.name for path in self.folder.glob("[!.]*")] if self.folder.is_dir() else []
            if strangers and (self.folder / MARKER).is_file():
                return self.begin(suite)  # another call has taken it into use meanwhile
            if strangers and not self.runs.is_dir():
                raise UsageError(
                    f"{str(self.folder)!r} is no store of lecturebench, but holds {min(strangers)!r}: "
                    "give a new or empty folder"
                )
            owner = LECTURES_OWN if strangers else suite
        moved = owner.name == suite.name and owner.folder and suite.folder and not Path(owner.folder).exists()
        if owner != suite and not moved:
            raise UsageError(
                f"the store {str(self.folder)!r} is of the suite {owner}; results of {suite} do not belong there: "
                "give another folder"
            )
        self._begun = suite
        self._mark(suite)

    def _mark(self, suite: SuiteName) -> None:
        content = {"schema": SCHEMA, "suite": dataclasses.asdict(suite)}
        if self._marked() != content:
            write_whole(self.folder / MARKER, json.dumps(content).encode())

    def try_to_write(self) -> None:
        """OSError unless a file can be made in every folder that runs are written to."""
        for folder in (self.folder, self.runs, self.folder / LOCKS):
            if folder.exists():
                with tempfile.NamedTemporaryFile(dir=folder, prefix="."):
                    pass

    def suite(self) -> SuiteName | None:
        """The suite whose results these are; None in a folder that is in use for none. UsageError if nobody can tell.

        Stores that do not say it are from when there was only lecturebench's own.
        """
        marker = self.folder / MARKER
        try:
            content = self._marked()
            if content is None:
                return None
            schema = content["schema"]
            if isinstance(schema, int) and schema <= SCHEMA and (odd := set(content) - {"schema", "suite"}):
                raise ValueError(f"it holds {min(odd)!r}, which no such store does")
            suite = SuiteName(**content["suite"]) if "suite" in content else LECTURES_OWN
            if not all(isinstance(said, str) for said in (suite.name, suite.folder)):
                raise ValueError("it does not say which suite it is of")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{str(marker)!r} cannot be read ({why(error)}): is this a store of lecturebench?"
            ) from None
        if not isinstance(schema, int) or schema > SCHEMA:
            raise UsageError(
                f"the store {str(self.folder)!r} was written by a newer lecturebench (schema {schema}, this one "
                f"reads up to {SCHEMA}): update lecturebench, or give another folder"
            )
        return suite

    def _marked(self) -> dict[str, Any] | None:
        """What the marker says; None where there is none."""
        try:
            return dict(parse(read_whole(self.folder / MARKER).decode()))
        except FileNotFoundError:
            return None

    def write(
        self,
        record: Record,
        predictions: Mapping[str, np.ndarray] | None = None,
        measured: Mapping[str, np.ndarray] | None = None,
    ) -> Path:
        """Write a run whole, replacing an earlier one of the same key; the folder it is in.

        predictions: "predicted" (n,) and, where kept, "probabilities" (n, classes). measured: arrays by name, as an
        experiment leaves them. What it replaces is deleted, unless it was damaged: then it stays beside it under a
        hidden name.
        """
        import numpy as np

        self.runs.mkdir(parents=True, exist_ok=True)
        if self._begun is not None and not (self.folder / MARKER).exists():  # somebody deleted the folder meanwhile
            self._mark(self._begun)
        target = self.runs / record.key
        temporary = self._temporary(record.key)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            files = {"predictions": predictions, "measured": measured}
            kept = {name: arrays for name, arrays in files.items() if arrays}
            record = dataclasses.replace(record, digests={name: digest(arrays) for name, arrays in kept.items()})
            values = json.loads(json.dumps(record.to_json()))  # as it will be parsed, names of numbers as texts
            values["digests"]["record"] = content_digest(values)
            write_synced(temporary / "record.json", json.dumps(values, indent=1, sort_keys=True).encode())
            for name, arrays in kept.items():
                with (temporary / f"{name}.npz").open("wb") as file:
                    np.savez_compressed(file, allow_pickle=False, **arrays)
                    file.flush()
                    sync(file.fileno())
            old = self.runs / f".{record.key}.{uuid.uuid4().hex[:8]}.old"
            keep_old = os.path.lexists(target) and self._is_damaged(record.key)
            if os.path.lexists(target):
                target.rename(old)
            try:
                temporary.rename(target)
            except OSError:
                if os.path.lexists(old):
                    old.rename(target)
                raise
            if not keep_old:
                shutil.rmtree(old, ignore_errors=True)
            sync_folder(self.runs)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return target

    def has(self, key: str) -> bool:
        """Whether there is a record of that key, sound or not."""
        return (self.runs / key / "record.json").is_file()

    def lock(self, key: str) -> BaseFileLock | None:
        """The right to fit a run, until it is released or this process ends; None while another process has it."""
        from filelock import Timeout

        folder = self.folder / LOCKS
        folder.mkdir(parents=True, exist_ok=True)
        lock = lock_at(folder / key)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return None
        # What a call that was killed while it wrote has left: a new run's folder, or an old one moved out of its way.
        shutil.rmtree(self._temporary(key), ignore_errors=True)
        if not (self.runs / key).exists():
            for old in self.runs.glob(f".{key}.*.old"):
                old.rename(self.runs / key)
                break
        return lock

    def read(self) -> tuple[list[Record], list[str]]:
        """All records in the order of their keys, and one line per record that cannot be read."""
        records, problems = [], []
        for folder in sorted(self.runs.iterdir()) if self.runs.is_dir() else []:
            if folder.name.startswith("."):
                continue
            try:
                if folder.is_dir() or folder.is_symlink():
                    records.append(self.record(folder.name))
            except OSError as error:
                problems.append(f"{folder}: {why(error)}")
            except DamagedRecord as error:
                problems.append(str(error))
        return records, problems

    def state(self) -> object:
        """What is equal to what it was before as long as nothing has been written that verdicts depend on.

        That is of each file of a run, and of what is remembered of the last call, which file it is, its size and times;
        when it was changed too, since when it was written can be put back.
        """
        try:
            runs = [folder for folder in self.runs.glob("[!.]*") if folder.is_dir()]
            files = [file for folder in runs for file in os.scandir(folder)]
            files += [file for file in os.scandir(self.folder) if file.name in REMEMBERED]
            seen = [(file.path, file.stat()) for file in files]
        except OSError:
            return object()  # something is being deleted at this moment
        return sorted((path, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns) for path, about in seen)

    def record(self, key: str) -> Record:
        """One record. DamagedRecord if it cannot be read.

        The same one as before while its file says the same, so nobody may change what he is given.
        """
        path = self.runs / key / "record.json"
        try:
            content = read_whole(path)
            known = self._parsed.get(key)
            if known is not None and known[0] == hashlib.sha256(content).digest():
                return known[1]
            values = parse(content.decode())
            if not isinstance(values, dict):
                raise ValueError("it is no JSON object")
            record = Record.from_json(values)
            if "record" in record.digests and record.digests["record"] != content_digest(values):
                raise ValueError("its content is not what was written: edited since, or damaged")
        except (OSError, ValueError, TypeError) as error:
            raise DamagedRecord(f"{path}: {why(error)}") from error
        if record.key != key:
            raise DamagedRecord(f"{path}: its key is {record.key!r}, not its folder's name")
        self._parsed[key] = hashlib.sha256(content).digest(), record
        return record

    def _temporary(self, key: str) -> Path:
        """Where a run's folder is written before it is renamed. One name per key: who writes a run has its lock."""
        return self.runs / f".{key}.tmp"

    def _is_damaged(self, key: str) -> bool:
        try:
            self.record(key)
        except DamagedRecord:
            return True
        return False

    def predictions(self, key: str, recorded: str | None = None) -> Predictions:
        """Test predictions in canonical order. DamagedRecord if the file is not there or cannot be read.

        recorded: the digest that it must have, as its record states it; any if None.
        """
        arrays = self._recorded(key, "predictions", recorded)
        if "test" in arrays:  # schema 1: class probabilities (n, classes) or values (n,)
            test = arrays["test"]
            return Predictions(test.argmax(axis=1), test) if test.ndim == 2 else Predictions(test)
        if "predicted" not in arrays:
            raise DamagedRecord(f"{self.runs / key / 'predictions.npz'}: it has no array 'predicted'")
        return Predictions(arrays["predicted"], arrays.get("probabilities"))

    def arrays(self, key: str, recorded: str | None = None) -> dict[str, np.ndarray]:
        """What a run measured in arrays, by name; {} for none. DamagedRecord if the file cannot be read, or is gone
        and was recorded. recorded: as of `predictions`."""
        there = recorded is not None or (self.runs / key / "measured.npz").exists()
        return self._recorded(key, "measured", recorded) if there else {}

    def _recorded(
        self, key: str, name: Literal["predictions", "measured"], recorded: str | None
    ) -> dict[str, np.ndarray]:
        arrays = self.saved(key, name)
        if recorded is not None and digest(arrays) != recorded:
            raise DamagedRecord(f"{self.runs / key / f'{name}.npz'}: what is in it is not what was recorded")
        return arrays

    def saved(self, key: str, name: Literal["predictions", "measured"]) -> dict[str, np.ndarray]:
        """The arrays of a run's file as they are. DamagedRecord if it is not there or cannot be read."""
        import numpy as np

        path = self.runs / key / f"{name}.npz"
        try:
            content = io.BytesIO(read_whole(path, LARGEST))
            with zipfile.ZipFile(content) as archive:
                if sum(part.file_size for part in archive.infolist()) > LARGEST:
                    raise ValueError(f"its arrays have more than {LARGEST:,} bytes")
            content.seek(0)
            with np.load(content, allow_pickle=False) as arrays:
                return {name: np.asarray(arrays[name]) for name in arrays.files}
        except Exception as error:  # a damaged archive raises almost anything: zlib.error, NotImplementedError, …
            raise DamagedRecord(f"{path}: {why(error)}") from error

    def missing(self) -> dict[str, dict[str, str]]:
        """By benchmark, the datasets that it was last asked for on and could not have, with the reason."""
        return self._remembered(MISSING)

    def set_missing(self, missing: Mapping[str, Mapping[str, str]]) -> None:
        """Remember which datasets these benchmarks could not have; an empty mapping of one forgets its earlier ones."""
        try:
            earlier = self.missing()
        except DamagedRecord:
            earlier = {}
        self._remember(MISSING, {name: own for name, own in {**earlier, **missing}.items() if own})

    def left_out(self) -> dict[str, dict[str, str]]:
        """What the last run's budget was too small for: the reason by benchmark and claim or method."""
        return self._remembered(LEFT_OUT)

    def set_left_out(self, left_out: Mapping[str, Mapping[str, str]]) -> None:
        """Remember what was left out; an empty mapping forgets all."""
        self._remember(LEFT_OUT, left_out)

    def _remembered(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        try:
            return dict(parse(read_whole(path).decode()))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError) as error:
            raise DamagedRecord(f"{path}: {why(error)}") from error

    def _remember(self, name: str, values: Mapping[str, Any]) -> None:
        if values:
            write_whole(self.folder / name, json.dumps(dict(values), indent=1, sort_keys=True).encode())
        else:
            (self.folder / name).unlink(missing_ok=True)
