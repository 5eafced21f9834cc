"""Small archives in the formats of the real sources, written without the libraries that read them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def wheel(folder: Path, project: str, version: str, members: dict[str, bytes]) -> tuple[Path, str]:
    """A wheel that pip takes, and its sha256."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{project}-{version}-py3-none-any.whl"
    about = f"{project}-{version}.dist-info"
    members = {
        **members,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(f"{about}/RECORD", "".join(f"{name},,\n" for name in [*members, f"{about}/RECORD"]))
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def mnist_pickle(images: np.ndarray, labels: np.ndarray, protocol: int = 4) -> bytes:
    """``mnist.pkl.gz`` whose three parts are these images (n, 28, 28) and labels, cut in three."""
    X = (images.reshape(len(images), 784) / 256).astype(np.float32)
    parts = tuple(zip(np.split(X, 3), np.split(labels.astype(np.int64), 3), strict=True))
    return gzip.compress(pickle.dumps(parts, protocol=protocol), mtime=0)


def idx(array: np.ndarray) -> bytes:
    """A gzip-packed IDX file of bytes."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0)


def debian_fashion(folder: Path, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> None:
    """The four files of Debian's dataset-fashion-mnist."""
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, (X, y) in (("train", train), ("t10k", test)):
        (folder / f"{prefix}-images-idx3-ubyte.gz").write_bytes(idx(X))
        (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(idx(y))


def tfds_mnist(data_dir: Path, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> Path:
    """A folder as tensorflow-datasets prepares it for mnist, with these images (n, 28, 28) and labels."""
    folder = data_dir / "mnist" / "3.0.1"
    folder.mkdir(parents=True)
    splits = []
    for name, (X, y) in (("train", train), ("test", test)):
        examples = [_example(image, int(label)) for image, label in zip(X, y, strict=True)]
        (folder / f"mnist-{name}.tfrecord-00000-of-00001").write_bytes(b"".join(map(_record, examples)))
        splits.append(
            {
                "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
                "name": name,
                "numBytes": str(sum(map(len, examples))),
                "shardLengths": [str(len(examples))],
            }
        )
    features = "tensorflow_datasets.core.features."
    shape = {"dtype": "uint8", "shape": {"dimensions": ["28", "28", "1"]}}
    (folder / "dataset_info.json").write_text(
        json.dumps({"fileFormat": "tfrecord", "name": "mnist", "splits": splits, "version": "3.0.1"})
    )
    (folder / "features.json").write_text(
        json.dumps(
            {
                "pythonClassName": features + "features_dict.FeaturesDict",
                "featuresDict": {
                    "features": {
                        "image": {"pythonClassName": features + "image_feature.Image", "image": shape},
                        "label": {
                            "pythonClassName": features + "class_label_feature.ClassLabel",
                            "classLabel": {"numClasses": "10"},
                        },
                    }
                },
            }
        )
    )
    return folder


def png(pixels: np.ndarray, path: Path | None = None) -> bytes:
    """Pixels (h, w) or (h, w, c) as PNG; also written to the path, its folders made."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.getvalue())
    return file.getvalue()


def _example(image: np.ndarray, label: int) -> bytes:
    """tf.train.Example, encoded by hand: {"image": PNG bytes, "label": int64}."""
    features: dict[str, Any] = {
        "image": _field(1, _field(1, png(image))),
        "label": _field(3, _field(1, bytes([label]))),
    }
    entries = (_field(1, name.encode()) + _field(2, feature) for name, feature in features.items())
    return _field(1, b"".join(_field(1, entry) for entry in entries))


def _field(number: int, content: bytes) -> bytes:
    size, length = len(content), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def _record(content: bytes) -> bytes:
    """One record of a TFRecord file: length and content, each with its masked CRC-32C."""
    length = len(content).to_bytes(8, "little")
    return length + _masked_crc(length) + content + _masked_crc(content)


def _masked_crc(content: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little")


def openml(number: int, name: str, arff: str, types: dict[str, str], target: str) -> dict[str, bytes]:
    """What OpenML answers for one dataset, by URL. types: by column, "numeric" or "nominal"."""
    api, file = "https://www.openml.org/api/v1/json/data", f"https://www.openml.org/data/v1/download/{number}"
    content = arff.encode()
    values = dict(re.findall(r"@ATTRIBUTE (\S+) \{(.*)\}", arff))
    about: dict[str, Any] = {
        "id": str(number),
        "name": name,
        "version": "1",
        "status": "active",
        "format": "ARFF",
        "description": "made up",
        "url": file,
        "md5_checksum": hashlib.md5(content).hexdigest(),
    }
    features = [
        {
            "index": str(i),
            "name": column,
            "data_type": kind,
            "is_target": str(column == target).lower(),
            "is_ignore": "false",
            "is_row_identifier": "false",
            "number_of_missing_values": "0",
            **({"nominal_value": values[column].split(",")} if kind == "nominal" else {}),
        }
        for i, (column, kind) in enumerate(types.items())
    ]
    return {
        f"{api}/{number}": json.dumps({"data_set_description": about}).encode(),
        f"{api}/features/{number}": json.dumps({"data_features": {"feature": features}}).encode(),
        f"{api}/qualities/{number}": json.dumps({"data_qualities": {"quality": []}}).encode(),
        file: content,
    }
