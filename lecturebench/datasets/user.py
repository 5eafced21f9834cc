"""A user's own data, by form: see `spelling`. They get digests, but have none to compare with.

What is wrong with them is a UsageError that names the file, and the row, column or array where it can.

The cache knows them by path and fingerprint. Of a single file that is the SHA-256 of its content: cheap, and right
whatever happens to its times. A folder of many images is only looked through, see `imagefolder.fingerprint`, since
reading them all on each load would cost what the cache is there to save.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

from lecturebench.datasets.decoded import Decoded
from lecturebench.datasets.sources import Answer, Say, Source, unsaid
from lecturebench.datasets.spelling import Spelling
from lecturebench.errors import UsageError


class UserSource(Source, Protocol):
    """A source that is a user's own, or of the user's choice."""

    def __init__(self, spelling: Spelling) -> None: ...

    def fingerprint(self) -> str:
        """Changes when the data does. UsageError if there is nothing at the path."""


class _UserFile:
    form: str

    def __init__(self, spelling: Spelling) -> None:
        self.spelling, self.path = spelling, spelling.path
        self.name = f"{self.form} file {self.path.name}"

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
    """``x_train, y_train, x_test, y_test`` as in Keras' ``mnist.npz``, or as MedMNIST names them.

    x: images (n, h, w) or (n, h, w, c), or a table (n, p) of finite numbers. y: (n,), (n, 1) or one-hot; integers or
    text for classification; floats for regression, on tables only.
    """

    form = "npz"

    def fetch(self, say: Say = unsaid) -> Decoded:
        from lecturebench.datasets import npzfile

        return npzfile.read(self.spelling)


class CsvFile(_UserFile):
    """A table with a header, or ``?header=none``; see `tabular` for what is read from it.

    A column `split` (train or test) decides the split; without one, every fifth row by hash is for test. Rows keep the
    order of the file.
    """

    form = "csv"

    def fetch(self, say: Say = unsaid) -> Decoded:
        from lecturebench.datasets import csvfile

        return csvfile.read(self.spelling, say)


class ParquetFile(_UserFile):
    """A table as `CsvFile`, with the types that the file says."""

    form = "parquet"

    def fetch(self, say: Say = unsaid) -> Decoded:
        from lecturebench.datasets import frames

        return frames.parquet(self.spelling)


class ArffFile(_UserFile):
    """A table as `CsvFile`, with the types that the file says."""

    form = "arff"

    def fetch(self, say: Say = unsaid) -> Decoded:
        from lecturebench.datasets import arfffile

        return arfffile.read(self.spelling)


class OpenmlDataset:
    """A table of OpenML by its id, which stands for the same data for ever."""

    name = "OpenML"

    def __init__(self, spelling: Spelling) -> None:
        self.spelling = spelling

    def available(self) -> Answer:
        from lecturebench.datasets import frames

        return frames.openml_available(self.spelling)

    def fingerprint(self) -> str:
        return self.spelling.place

    def fetch(self, say: Say = unsaid) -> Decoded:
        from lecturebench.datasets import frames

        return frames.openml(self.spelling)


class ImageFolder:
    """Images by class: PATH/train/CLASS/* with PATH/test/CLASS/*, or PATH/CLASS/* with every fifth by hash for test.

    All have the same size and mode (8-bit grey, RGB, either with alpha).
    """

    def __init__(self, spelling: Spelling) -> None:
        self.path = spelling.path
        self.name = f"image folder {self.path.name}"

    def available(self) -> Answer:
        there = self.path.is_dir()
        return Answer(there, str(self.path) if there else f"no folder {self.path}")

    def fingerprint(self) -> str:
        from lecturebench.datasets import imagefolder

        return imagefolder.fingerprint(self.path)

    def fetch(self, say: Say = unsaid) -> Decoded:
        from lecturebench.datasets import imagefolder

        return imagefolder.read(self.path)


FORMATS: dict[str, type[UserSource]] = {
    "npz": NpzFile,
    "csv": CsvFile,
    "parquet": ParquetFile,
    "arff": ArffFile,
    "folder": ImageFolder,
    "openml": OpenmlDataset,
}
