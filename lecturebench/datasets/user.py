"""A user's own data: ``npz:PATH``, ``csv:PATH`` and ``folder:PATH``. They get digests, but have none to compare with.

What is wrong with them is a UsageError that names the file, and the row, column or array where it can.

The cache knows them by path and fingerprint. Of a single file that is the SHA-256 of its content: cheap, and right
whatever happens to its times. A folder of many images is only looked through (names, sizes, times), since reading them
all on each load would cost what the cache is there to save.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lecturebench.datasets.decoded import SPLITS, Decoded
from lecturebench.datasets.sources import Answer, Source
from lecturebench.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

MODES = {"L": 1, "RGB": 3, "RGBA": 4}


class UserSource(Source, Protocol):
    """A source that is a user's own file or folder."""

    path: Path

    def __init__(self, path: Path) -> None: ...

    def fingerprint(self) -> str:
        """Changes when the data does. UsageError if there is nothing at the path."""


class _UserFile:
    form: str

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = f"{self.form} file {path.name}"

    def available(self) -> Answer:
        there = self.path.is_file()
        return Answer(there, str(self.path) if there else f"no file {self.path}")

    def fingerprint(self) -> str:
        if self.path.exists() and not self.path.is_file():  # nobody may write into a pipe, and a device may never end
            raise UsageError(f"{self.form}:{self.path}: it is no regular file")
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UsageError(f"{self.form}:{self.path}: it cannot be read: {error.strerror or error}") from error


class NpzFile(_UserFile):
    """``x_train, y_train, x_test, y_test`` as in Keras' ``mnist.npz``.

    x: images (n, h, w) or (n, h, w, c) uint8, or a table (n, p) of finite numbers. y: (n,) or (n, 1), integers or text
    for classification; floats for regression, on tables only.
    """

    form = "npz"

    def fetch(self) -> Decoded:
        import numpy as np

        from lecturebench.datasets import labels

        arrays = self._arrays()
        X = [arrays[f"x_{name}"] for name in SPLITS]
        y = [arrays[f"y_{name}"] for name in SPLITS]
        y = [part.reshape(-1) if part.ndim == 2 and part.shape[1] == 1 else part for part in y]
        for name, X_part, y_part in zip(SPLITS, X, y, strict=True):
            if y_part.ndim != 1 or not len(y_part) or X_part.ndim < 2 or len(X_part) != len(y_part):
                self._fail(
                    f"x_{name} has shape {X_part.shape} and y_{name} {y_part.shape}; "
                    "expected n examples and n targets, n above 0"
                )
        if X[0].shape[1:] != X[1].shape[1:]:
            self._fail(f"x_train has examples of shape {X[0].shape[1:]}, x_test of {X[1].shape[1:]}")
        if X[0].ndim == 2:
            for name, X_part in zip(SPLITS, X, strict=True):
                if X_part.dtype.kind not in "biuf":
                    self._fail(f"x_{name} holds {X_part.dtype}; a table must hold numbers")
                bad = np.argwhere(~np.isfinite(X_part))
                if len(bad):
                    self._fail(f"x_{name} is not finite in row {bad[0][0]}, column {bad[0][1]} (counted from 0)")
            columns = tuple(f"x{i}" for i in range(X[0].shape[1]))
            return labels.table(self.path, X, y, columns)
        for name, X_part in zip(SPLITS, X, strict=True):
            if X_part.dtype != np.uint8 or X_part.ndim > 4 or (X_part.ndim == 4 and X_part.shape[3] > 4):
                self._fail(
                    f"x_{name} holds {X_part.dtype} of shape {X_part.shape}; images must be uint8 (0 to 255), "
                    "(n, height, width) or (n, height, width, channels)"
                )
        return labels.images(self.path, X, y)

    def _arrays(self) -> dict[str, np.ndarray]:
        import zipfile
        import zlib

        import numpy as np

        wanted = [f"{letter}_{name}" for name in SPLITS for letter in "xy"]
        if not zipfile.is_zipfile(self.path):
            self._fail("it is no whole .npz archive")
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                missing = [name for name in wanted if name not in archive.files]
                if missing:
                    self._fail(f"it lacks {', '.join(missing)}; it has {', '.join(archive.files) or 'nothing'}")
                return {name: archive[name] for name in wanted}
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise UsageError(f"npz:{self.path}: it cannot be read: {error}") from error

    def _fail(self, why: str) -> None:
        raise UsageError(f"npz:{self.path}: {why}")


class CsvFile(_UserFile):
    """A table with a header. The target is the column `label`, else `target`, else the last.

    Whole or textual targets make it classification, decimal ones regression; all other columns must be finite numbers.
    A column `split` (train or test) decides the split; without one, every fifth row by hash is for test. Rows keep the
    order of the file.
    """

    form = "csv"

    def fetch(self) -> Decoded:
        from lecturebench.datasets import csvfile

        return csvfile.read(self.path)


class ImageFolder:
    """Images by class: PATH/train/CLASS/* with PATH/test/CLASS/*, or PATH/CLASS/* with every fifth by hash for test.

    All have the same size and mode (8-bit grey, RGB or RGBA). Names that start with a dot are left out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = f"image folder {path.name}"

    def available(self) -> Answer:
        there = self.path.is_dir()
        return Answer(there, str(self.path) if there else f"no folder {self.path}")

    def fingerprint(self) -> str:
        if not self.path.is_dir():
            raise UsageError(f"folder:{self.path}: there is no such folder")
        seen = hashlib.sha256()
        for path in sorted(self.path.rglob("*")):
            if path.is_file():
                about = path.stat()
                seen.update(f"{path.relative_to(self.path)}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
        return seen.hexdigest()

    def fetch(self) -> Decoded:
        import numpy as np

        from lecturebench.datasets import digests, labels
        from lecturebench.datasets.splits import every_fifth

        has = [(self.path / name).is_dir() for name in SPLITS]
        if any(has) and not all(has):
            self._fail(f"it has {SPLITS[has.index(True)]}/ but no {SPLITS[has.index(False)]}/")
        if all(has):
            parts = [self._read(self.path / name) for name in SPLITS]
            if parts[0][0].shape[1:] != parts[1][0].shape[1:]:
                self._fail(f"images in train/ have shape {parts[0][0].shape[1:]}, in test/ {parts[1][0].shape[1:]}")
            return labels.images(self.path, [X for X, _ in parts], [y for _, y in parts])
        X, y = self._read(self.path)
        whole = labels.images(self.path, [X, X], [y, y]).train
        positions = every_fifth(digests.example_hashes(whole))
        if not len(positions[1]):
            self._fail(f"it has {len(X)} images and no test/; a test split needs at least 5")
        return labels.images(self.path, [X[part] for part in positions], [np.asarray(y)[part] for part in positions])

    def _read(self, folder: Path) -> tuple[np.ndarray, np.ndarray]:
        """All images below a folder of class folders, (n, h, w, c) uint8, and the name of each one's class."""
        import numpy as np
        from PIL import Image

        pixels: list[np.ndarray] = []
        names: list[str] = []
        first: tuple[Path, Any] | None = None
        for path in sorted(folder.glob("*/*")):
            if path.name.startswith(".") or path.parent.name.startswith("."):
                continue
            try:
                with Image.open(path) as image:
                    form = (image.size, image.mode)
                    content = np.asarray(image)
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                raise UsageError(f"{path}: it cannot be read as an image: {error}") from error
            if form[1] not in MODES:
                raise UsageError(f"{path}: its mode is {form[1]}; convert it to 8-bit grey (L) or RGB")
            if first is None:
                first = (path, form)
            if form != first[1]:
                raise UsageError(f"{path}: {_form(form)}, but {first[0]} is {_form(first[1])}; all must be alike")
            pixels.append(content.reshape(*content.shape[:2], MODES[form[1]]))
            names.append(path.parent.name)
        if not pixels:
            raise UsageError(f"folder:{self.path}: no images in {folder}; it must hold one folder per class")
        return np.stack(pixels), np.array(names)

    def _fail(self, why: str) -> None:
        raise UsageError(f"folder:{self.path}: {why}")


def _form(form: Any) -> str:
    (width, height), mode = form
    return f"{width} x {height} {mode}"


FORMATS: dict[str, type[UserSource]] = {"npz": NpzFile, "csv": CsvFile, "folder": ImageFolder}
