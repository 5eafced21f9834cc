"""ImageNet 2012 as tensorflow-datasets prepares it: found in a folder, and read from there image by image.

Nobody may pass its images on, so that nothing here downloads them. They fill 150 GB, so that nothing copies them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from lecturebench.datasets.decoded import Decoded, Split
from lecturebench.datasets.sources import (
    TFDS_EXPORT,
    TFDS_QUIET,
    Answer,
    NotUsable,
    Say,
    TfdsFolder,
    last_line,
    unsaid,
)
from lecturebench.errors import DataCorrupt

NAME = "imagenet2012"
# Its test split has no labels; what papers print is of the 50,000 images of validation.
TRAIN, TEST = "train", "validation"
HOW_TO_GET_IT = (
    "ask for ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar at https://image-net.org, put them into "
    "DIR/downloads/manual, run `tfds build imagenet2012 --data_dir DIR`, and name DIR by --data-dir"
)
SHOWN = 4  # entries of a folder in which it was not found


class ImageNetFolder(TfdsFolder):
    """A folder that holds ImageNet 2012 as ``tfds build imagenet2012`` leaves it there."""

    def __init__(self, data_dir: Path | None) -> None:
        super().__init__(NAME, "images", (), data_dir)

    def available(self) -> Answer:
        """Also says what was found in the folders in its place, and how it is had."""
        if importlib.util.find_spec("tensorflow_datasets") is None or self._prepared():
            return super().available()
        looked = "; ".join(f"{what} {folder} {_found(folder)}" for what, folder in self.folders)
        return Answer(False, f"no {NAME}/VERSION/dataset_info.json: {looked}; {HOW_TO_GET_IT}")

    def fingerprint(self) -> str:
        """Changes when the folder is another or a file in it is, by size and time; "" where there is none.

        No digest is pinned, so that only this tells one folder's images from another's in the cache.
        """
        prepared = self._prepared()
        if not prepared:
            return ""
        seen = hashlib.sha256(str(prepared.resolve()).encode(errors="surrogateescape"))
        for file in sorted(prepared.iterdir()):
            about = file.stat()
            seen.update(f"\0{file.name} {about.st_size} {about.st_mtime_ns} {about.st_ctime_ns}".encode())
        return seen.hexdigest()

    def fetch(self, say: Say = unsaid) -> Decoded:
        """Where its images lie; each file is read once for it. DataCorrupt for a folder that lacks any."""
        import numpy as np

        from lecturebench.datasets.jpegs import Jpegs

        prepared = self._prepared()
        if not prepared:
            raise NotUsable(self.available().why)
        with tempfile.TemporaryDirectory(prefix="lecturebench-") as folder:
            out = Path(folder) / "places.npz"
            command = [sys.executable, "-P", str(TFDS_EXPORT), "--places", str(prepared), TRAIN, TEST, str(out)]
            code, said = _followed(command, lambda line: say(f"{NAME}: {line}"))
            if code == 1:
                raise DataCorrupt(f"{self.name} {prepared}: {said}; prepare it anew or name another folder")
            if code:
                raise NotUsable(said or f"its process ended with {code}")
            with np.load(out, allow_pickle=False) as arrays:
                train, test = (
                    Split(Jpegs([Path(file) for file in arrays[f"{split}_files"]], arrays[f"{split}_places"]),
                          arrays[f"{split}_y"].astype(np.int64))
                    for split in ("train", "test")
                )  # fmt: skip
                classes = tuple(map(str, arrays["classes"]))
        return Decoded(kind="images", task="classification", train=train, test=test, classes=classes, scale=255.0)


def _found(folder: Path) -> str:
    """What lies in a folder, in words."""
    if not folder.is_dir():
        return "is no folder"
    names = sorted(entry.name for entry in folder.iterdir())
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"has {', '.join(names[:SHOWN])}{more}" if names else "is empty"


def _followed(command: list[str], say: Say) -> tuple[int, str]:
    """A process's exit code and its last word on stderr; its lines on stdout are said as they come."""
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **TFDS_QUIET},
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                say(line.strip())
        errors.seek(0)
        return process.returncode, last_line(errors.read())
