"""ImageNet 2012 in small: archives of a few images as its owners hand them out, prepared by tensorflow-datasets."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

SYNSETS = ("n01440764", "n15075141")  # the first and the last class
PREPARE = """
import sys
import tensorflow_datasets as tfds
tfds.core.utils.gcs_utils._is_gcs_disabled = True
tfds.builder("imagenet2012", data_dir=sys.argv[1]).download_and_prepare()
"""


def prepared(data_dir: Path, train: int = 6, test: int = 4) -> dict[str, bytes]:
    """Prepare so many images of each of two classes for training, and so many for validation; the JPEGs by name."""
    rng = np.random.default_rng(0)
    manual = data_dir / "downloads" / "manual"
    manual.mkdir(parents=True)
    files = {f"ILSVRC2012_val_{i + 1:08}.JPEG": jpeg(rng) for i in range(test)}
    (manual / "ILSVRC2012_img_val.tar").write_bytes(_tar(files))
    by_class = {f"{synset}.tar": {f"{synset}_{i}.JPEG": jpeg(rng, bright) for i in range(train)}
                for synset, bright in zip(SYNSETS, (60, 190), strict=True)}  # fmt: skip
    (manual / "ILSVRC2012_img_train.tar").write_bytes(_tar({name: _tar(own) for name, own in by_class.items()}))
    subprocess.run([sys.executable, "-c", PREPARE, str(data_dir)], check=True, capture_output=True, timeout=300)
    return files | {name: content for own in by_class.values() for name, content in own.items()}


def jpeg(rng: np.random.Generator, bright: int = 128) -> bytes:
    """A photograph of noise, of some size and brightness, every third or so in grey."""
    height, width = rng.integers(60, 400, 2)
    pixels = np.clip(rng.normal(bright, 40, (height // 8 + 1, width // 8 + 1, 3)), 0, 255).astype(np.uint8)
    image = Image.fromarray(pixels).resize((int(width), int(height)))
    file = io.BytesIO()
    (image.convert("L") if rng.random() < 0.3 else image).save(file, "JPEG")
    return file.getvalue()


def _tar(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return file.getvalue()
