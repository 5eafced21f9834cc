"""Decode a dataset with tensorflow-datasets into one .npz; run as a script, in a process of its own.

    tfds_export.py --prepared FOLDER OUT.npz
    tfds_export.py --download NAME DATA_DIR OUT.npz

The .npz holds {train,test}_X and _y; for texts, _X is all of them as UTF-8, with _offsets. On failure the last line on
stderr says why; the exit code is 1 if the data is at fault, 3 if memory, disk, network or an import is.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def _builder(arguments: list[str]) -> Any:
    import tensorflow_datasets as tfds  # type: ignore[import-untyped,unused-ignore]

    # Some versions look for Google's bucket first, and retry for minutes without a network.
    tfds.core.utils.gcs_utils._is_gcs_disabled = True
    if arguments[0] == "--prepared":
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


def main(arguments: list[str]) -> int:
    """Write the arrays to the last argument; the exit code."""
    try:
        builder = _builder(arguments)
        np.savez(arguments[-1], **_arrays(builder, "train"), **_arrays(builder, "test"))  # type: ignore[arg-type,unused-ignore]
    except Exception as error:
        text = str(error).strip() or "no reason given"
        print(f"{type(error).__name__}: {text.splitlines()[0]}", file=sys.stderr, flush=True)
        return 3 if isinstance(error, ImportError | MemoryError | OSError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
