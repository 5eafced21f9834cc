"""Decoded arrays on disk: one folder per dataset, memory-mapped when read, written whole or not at all.

    KEY/meta.json                       source, digests and what each array must look like
    KEY/train_X.npy, train_y.npy, …     texts also have train_offsets.npy; of JPEGs inside other files X are their
                                        places, and meta.json names the files

A folder is written under a temporary name, synced and renamed, all under a lock: several processes may ask for a
dataset at once, and one of them decodes it. Reading compares sizes, types and shapes with meta.json and so notices what
is truncated; `loading.verify` reads every byte.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lecturebench.datasets.decoded import SPLITS, Dataset, Decoded, Split
from lecturebench.datasets.description import Described, Reading
from lecturebench.disk import home, lock_at, own_temporary, sync
from lecturebench.errors import DataCorrupt, UsageError

if TYPE_CHECKING:
    import numpy as np

FORMAT = 1


def root() -> Path:
    """The folder of all cached datasets: below $LECTUREBENCH_CACHE, else below the user's cache folder.

    Who has neither gets one below that for temporary files.
    """
    chosen = os.environ.get("LECTUREBENCH_CACHE")
    if chosen:
        return Path(os.path.expanduser(chosen)) / "datasets"
    if home() is None and not os.environ.get("XDG_CACHE_HOME"):
        return own_temporary() / "datasets"
    import platformdirs

    return Path(platformdirs.user_cache_dir("lecturebench")) / "datasets"


class Cached:
    """The place of one dataset in the cache. Hold `lock` around all methods but `glance`."""

    def __init__(self, key: str, name: str) -> None:
        self.name = name
        self.folder = root() / key

    @contextlib.contextmanager
    def lock(self, say: Callable[[str], None]) -> Iterator[None]:
        """Alone with this dataset. UsageError if the cache folder cannot be written."""
        import filelock

        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            lock = lock_at(self.folder.with_name(f".{self.folder.name}.lock"))
            lock.acquire(blocking=False)
        except filelock.Timeout:
            say(f"{self.name}: waiting for another process that is at it")
            lock.acquire()
        except OSError as error:
            raise self.unwritable(error) from error
        try:
            yield
        finally:
            lock.release()

    def glance(self, fingerprint: str) -> Dataset | None:
        """The dataset without the lock, which costs more than the rest; None wherever only the lock can tell.

        So it is when the entry is not there, damaged, or replaced by another process meanwhile: its files would then
        be of two writings, and meta.json is another file afterwards.
        """
        meta = self.folder / "meta.json"
        try:
            before = meta.stat()
            if not self.holds(fingerprint):
                return None
            dataset = self.read()
            return dataset if os.path.samestat(before, meta.stat()) else None
        except (OSError, DataCorrupt):
            return None

    def holds(self, fingerprint: str) -> bool:
        """Whether there is an entry for data of this fingerprint; what state it is in, `read` will say."""
        if not (self.folder / "meta.json").is_file():
            return False
        meta = self._meta()
        return bool(meta["format"] == FORMAT and meta["fingerprint"] == fingerprint)

    def having(self, digests: Mapping[str, str]) -> Dataset | None:
        """The dataset if it has these digests, without the lock; None otherwise, or where only the lock can tell."""
        try:
            fingerprint = str(self._meta()["fingerprint"])
        except DataCorrupt:
            return None
        dataset = self.glance(fingerprint)
        return dataset if dataset is not None and dataset.digests == digests else None

    def read(self) -> Dataset:
        """The dataset, memory-mapped. DataCorrupt names the file that is not as it was written."""
        from lecturebench.datasets.jpegs import Jpegs
        from lecturebench.datasets.text import Texts

        meta = self._meta()
        try:
            arrays = {name: self._array(name, about) for name, about in meta["arrays"].items()}
            splits = {}
            for name in SPLITS:
                X: Any = arrays[f"{name}_X"]
                if meta["kind"] == "text":
                    X = Texts(X, arrays[f"{name}_offsets"])
                elif files := meta.get("files"):
                    X = Jpegs([Path(file) for file in files[name]], X)
                splits[name] = Split(X, arrays[f"{name}_y"])
            return Dataset(
                name=self.name,
                source=meta["source"],
                kind=meta["kind"],
                task=meta["task"],
                digests=dict(meta["digests"]),
                classes=tuple(meta["classes"]),
                scale=float(meta["scale"]),
                columns=tuple(meta["columns"]),
                **splits,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise self._damaged(self.folder / "meta.json", "all fields of a dataset", problem) from error

    def reading(self) -> Reading:
        """How it was read; nothing of a named one."""
        try:
            return Reading.of(self._meta().get("reading"))
        except (TypeError, AttributeError) as error:
            raise self._damaged(self.folder / "meta.json", "how it was read", str(error)) from error

    def write(self, decoded: Decoded, source: str, digests: Mapping[str, str], fingerprint: str) -> None:
        """Replace the entry. Nothing changes if it fails; OSError if the disk does."""
        for left_over in self.folder.parent.glob(f".{self.folder.name}.*.tmp"):
            shutil.rmtree(left_over, ignore_errors=True)
        temporary = self.folder.with_name(f".{self.folder.name}.{uuid.uuid4().hex[:8]}.tmp")
        temporary.mkdir()
        try:
            arrays = {}
            for name, array in _arrays(decoded).items():
                path = temporary / f"{name}.npy"
                _write_array(path, array)
                arrays[name] = {"bytes": path.stat().st_size, "dtype": str(array.dtype), "shape": list(array.shape)}
            meta = {
                "format": FORMAT,
                "fingerprint": fingerprint,
                "source": source,
                "kind": decoded.kind,
                "task": decoded.task,
                "digests": dict(digests),
                "n": {name: len(getattr(decoded, name)) for name in SPLITS},
                "classes": decoded.classes,
                "scale": decoded.scale,
                "columns": decoded.columns,
                "arrays": arrays,
            }
            if files := _files(decoded):
                meta["files"] = files
            if isinstance(decoded, Described):
                meta["reading"] = decoded.reading.to_json()
            with (temporary / "meta.json").open("w", encoding="utf-8") as file:
                json.dump(meta, file, indent=1)
                file.flush()
                sync(file.fileno())
            old = temporary.with_name(temporary.name.replace(".tmp", ".old.tmp"))
            if self.folder.exists():
                self.folder.rename(old)
            temporary.rename(self.folder)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _meta(self) -> dict[str, Any]:
        path = self.folder / "meta.json"
        try:
            text = path.read_text(encoding="utf-8")
            meta = json.loads(text)
        except FileNotFoundError as error:
            raise self._damaged(path, "a description of the arrays", "no such file") from error
        except (OSError, ValueError) as error:
            raise self._damaged(path, "a JSON object", f"{error}") from error
        if not isinstance(meta, dict) or not {"format", "fingerprint", "arrays"} <= meta.keys():
            raise self._damaged(path, "a JSON object with format, fingerprint and arrays", f"{text[:60]!r}")
        return meta

    def _array(self, name: str, about: Mapping[str, Any]) -> np.ndarray:
        import numpy as np

        path = self.folder / f"{name}.npy"
        expected = f"{about['bytes']} bytes, {about['dtype']} of shape {tuple(about['shape'])}"
        size = path.stat().st_size if path.is_file() else None
        if size != about["bytes"]:
            raise self._damaged(path, expected, "no such file" if size is None else f"{size} bytes")
        try:
            array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise self._damaged(path, expected, str(error)) from error
        if str(array.dtype) != about["dtype"] or list(array.shape) != about["shape"]:
            raise self._damaged(path, expected, f"{size} bytes, {array.dtype} of shape {array.shape}")
        return array

    def unwritable(self, error: OSError) -> UsageError:
        """What to say when the cache cannot be written."""
        why = error.strerror or str(error)
        return UsageError(
            f"the cache {self.folder.parent} cannot be written ({why}): set LECTUREBENCH_CACHE to another"
        )

    def _damaged(self, path: Path, expected: str, actual: str) -> DataCorrupt:
        return DataCorrupt(
            f"{self.name}: {path} is damaged: expected {expected}; found {actual}; "
            f"rebuild it with `lecturebench data {self.name} --refresh`"
        )


def _arrays(decoded: Decoded) -> dict[str, np.ndarray]:
    from lecturebench.datasets.jpegs import Jpegs
    from lecturebench.datasets.text import Texts

    arrays = {}
    for name in SPLITS:
        split: Split = getattr(decoded, name)
        arrays[f"{name}_y"] = split.y
        if isinstance(split.X, Jpegs):
            arrays[f"{name}_X"] = split.X.places
        elif isinstance(split.X, Texts):
            arrays[f"{name}_X"], arrays[f"{name}_offsets"] = split.X.utf8, split.X.offsets
        else:
            arrays[f"{name}_X"] = split.X
    return arrays


def _files(decoded: Decoded) -> dict[str, list[str]]:
    """By split the files that hold its images; {} where the cache holds them itself."""
    from lecturebench.datasets.jpegs import Jpegs

    X = {name: getattr(decoded, name).X for name in SPLITS}
    return {
        name: [str(file.resolve()) for file in jpegs.files] for name, jpegs in X.items() if isinstance(jpegs, Jpegs)
    }


def _write_array(path: Path, array: np.ndarray) -> None:
    import numpy as np

    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)
        file.flush()
        sync(file.fileno())
