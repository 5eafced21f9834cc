"""What a node of a cluster sends back, as bytes that can hold nothing but texts, numbers and arrays of numbers.

The caller reads them without running anything: JSON, and arrays without objects. What a record says of itself must be
what was asked for, since it decides where it is written and what it counts for.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from lecturebench.execution.plan import Run
from lecturebench.execution.standing import edits
from lecturebench.store import LARGEST, Record, parse

FILES = ("predictions", "measured")


def packed(record: Record, arrays: Mapping[str, Mapping[str, Any]] | None) -> bytes:
    """A record and its arrays, as `Store.write` takes them."""
    import numpy as np

    text = np.frombuffer(json.dumps(record.to_json()).encode(), np.uint8)
    named = {f"{file} {name}": array for file, own in (arrays or {}).items() for name, array in own.items()}
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, record=text, **named)
    return content.getvalue()


def unpacked(content: object, run: Run) -> tuple[Record, dict[str, dict[str, Any]] | None]:
    """The record of a run and its arrays. ValueError for whatever no node of ours can have sent for that run."""
    import numpy as np

    if not isinstance(content, bytes | bytearray | memoryview):
        raise ValueError(f"it sent {type(content).__name__}, no bytes")
    file = io.BytesIO(content)
    arrays: dict[str, dict[str, Any]] = {}
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(part.file_size for part in archive.infolist()) > LARGEST:
                raise ValueError(f"more than {LARGEST:,} bytes")
        file.seek(0)
        with np.load(file, allow_pickle=False) as parts:
            record = Record.from_json(parse(parts["record"].tobytes().decode()))
            for name in set(parts.files) - {"record"}:
                kind, _, of = name.partition(" ")
                if kind not in FILES:
                    raise ValueError(f"an array {name!r}")
                arrays.setdefault(kind, {})[of] = np.asarray(parts[name])
    except Exception as error:  # what is forged raises almost anything
        raise ValueError(f"it sent what no run gives: {error}") from None
    differing = edits(record, run) + ([] if record.key == run.key else [f"its key is {record.key!r}"])
    if differing:
        raise ValueError(f"it sent the record of another run: {'; '.join(differing)}")
    return record, arrays or None
