"""Datasets by name: where they come from, one canonical order, digests, and a cache that is memory-mapped.

`load` is the way in. Importing this package imports neither NumPy nor TensorFlow; TensorFlow never enters the calling
process at all, since tensorflow-datasets decodes in a process of its own.
"""

from lecturebench.datasets.catalogue import IN_TIME, STREAMED, known
from lecturebench.datasets.decoded import Dataset, Kind, Split, Task
from lecturebench.datasets.description import Description
from lecturebench.datasets.loading import Status, describe, load, outline, recall, status, verify
from lecturebench.datasets.published import published_order
from lecturebench.datasets.splits import mirrored, resplit_by, validation_split

__all__ = [
    "IN_TIME",
    "STREAMED",
    "Dataset",
    "Description",
    "Kind",
    "Split",
    "Status",
    "Task",
    "describe",
    "known",
    "load",
    "mirrored",
    "outline",
    "published_order",
    "recall",
    "resplit_by",
    "status",
    "validation_split",
    "verify",
]
