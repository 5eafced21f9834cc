"""Export a dataset of tensorflow-datasets into one .npz; run as a script, in a process of its own.

    tfds_export.py --prepared FOLDER OUT.npz
    tfds_export.py --download NAME DATA_DIR OUT.npz
    tfds_export.py --places FOLDER TRAIN TEST OUT.npz

The .npz holds {train,test}_X and _y; for texts, _X is all of them as UTF-8, with _offsets. With --places it holds of
photographs that are too many where they lie: {train,test}_files and _places as of `jpegs.Jpegs`, _y, and the names of
the classes; TRAIN and TEST are the splits' names there, and a line on stdout says how far it is. On failure the last
line on stderr says why; the exit code is 1 if the data is at fault, 3 if memory, disk, network or an import is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

JPEG = b"\xff\xd8"
# A record of a TFRecord file: its length (8 bytes), a checksum of that, its content, a checksum of that.
LENGTH, CHECKSUM = 8, 4


def _builder(arguments: list[str]) -> Any:
    import tensorflow_datasets as tfds  # type: ignore[import-untyped,unused-ignore]

    # Some versions look for Google's bucket first, and retry for minutes without a network.
    tfds.core.utils.gcs_utils._is_gcs_disabled = True
    if arguments[0] != "--download":
        return tfds.builder_from_directory(arguments[1])
    builder = tfds.builder(arguments[1], data_dir=arguments[2])
    builder.download_and_prepare()
    return builder


def _arrays(builder: Any, split: str) -> dict[str, np.ndarray]:
    import tensorflow_datasets as tfds  # type: ignore[import-untyped,unused-ignore]

    batches = list(tfds.as_numpy(builder.as_dataset(split=split, batch_size=1000, shuffle_files=False)))
    y = np.concatenate([batch["label"] for batch in batches])
    if "image" in batches[0]:
        return {f"{split}_X": np.concatenate([batch["image"] for batch in batches]), f"{split}_y": y}
    texts = [text for batch in batches for text in batch["text"]]
    utf8 = np.frombuffer(b"".join(texts), dtype=np.uint8)
    return {f"{split}_X": utf8, f"{split}_offsets": np.cumsum([0, *map(len, texts)], dtype=np.int64), f"{split}_y": y}


def _places(builder: Any, name: str) -> dict[str, np.ndarray]:
    """Of a split of photographs its files, the places of its JPEGs in them, and their labels."""
    import tensorflow as tf

    splits = builder.info.splits
    if name not in splits:
        raise ValueError(f"it has the splits {', '.join(splits) or 'none'}, and no {name}")
    files = [Path(path) for path in splits[name].filepaths]
    places, labels = [], []
    for number, path in enumerate(files):
        print(f"looking through file {number + 1:,} of {len(files):,} of {name}", flush=True)
        for first, record in _records(path):
            features = tf.train.Example.FromString(record).features.feature
            [image], [label] = features["image"].bytes_list.value, features["label"].int64_list.value
            if not image.startswith(JPEG):
                raise ValueError(f"{path.name} has an image that is no JPEG, in its record at byte {first:,}")
            places.append((number, first + record.index(image), len(image)))
            labels.append(label)
    if len(labels) != splits[name].num_examples:
        raise ValueError(f"{name} says it has {splits[name].num_examples:,} examples, and has {len(labels):,}")
    return {"files": np.array(list(map(str, files))), "places": np.array(places), "y": np.array(labels)}


def _records(path: Path) -> Iterator[tuple[int, bytes]]:
    """First byte and content of each record of a TFRecord file."""
    with path.open("rb") as file:
        while head := file.read(LENGTH + CHECKSUM):
            size, first = int.from_bytes(head[:LENGTH], "little"), file.tell()
            content = file.read(size)
            if len(head) < LENGTH + CHECKSUM or len(content) < size or len(file.read(CHECKSUM)) < CHECKSUM:
                raise ValueError(f"{path.name} ends inside a record, after {file.tell():,} bytes")
            yield first, content


def _all_places(builder: Any, train: str, test: str) -> dict[str, np.ndarray]:
    """The places of both splits, and the names of the classes."""
    features, form = builder.info.features, builder.info.file_format.value
    if not {"image", "label"} <= set(features):
        raise ValueError(f"it has the features {', '.join(features)}, and needs image and label")
    if form != "tfrecord":
        raise ValueError(f"its files are {form}; prepare it with --file_format=tfrecord")
    found = {f"{split}_{what}": array for split, name in (("train", train), ("test", test))
             for what, array in _places(builder, name).items()}  # fmt: skip
    return found | {"classes": np.array(features["label"].names)}


def main(arguments: list[str]) -> int:
    """Write the arrays to the last argument; the exit code."""
    try:
        builder = _builder(arguments)
        if arguments[0] == "--places":
            arrays = _all_places(builder, *arguments[2:4])
        else:
            arrays = _arrays(builder, "train") | _arrays(builder, "test")
        np.savez(arguments[-1], **arrays)  # type: ignore[arg-type,unused-ignore]
    except Exception as error:
        text = str(error).strip() or "no reason given"
        print(f"{type(error).__name__}: {text.splitlines()[0]}", file=sys.stderr, flush=True)
        return 3 if isinstance(error, ImportError | MemoryError | OSError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
