"""A run as one event file that TensorBoard opens: scalars by epoch, and what its HParams tab shows.

Written with TensorBoard's own records and messages, which need no TensorFlow: its `EventFileWriter` and its hparams
functions import that. A run is written whole when it has ended, so telling the same again replaces the file.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

from lecturebench.errors import UsageError
from lecturebench.execution.trackers.scalars import began, ended, flat, scalars
from lecturebench.store import Record, write_whole

FILE = "events.out.tfevents.lecturebench"  # found by the middle; one name, so that a run has one file


class TensorBoard:
    """``FOLDER/benchmark/method/…``: a folder per run, named so that TensorBoard's filter finds it."""

    name = "tensorboard"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"the folder {str(folder)!r} for TensorBoard cannot be made: {error.strerror}") from None
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"the folder {str(folder)!r} for TensorBoard cannot be written")

    def log(self, record: Record) -> None:
        """Write the run's file."""
        write_whole(self.folder / run_name(record) / FILE, event_file(record))

    def finish(self, folder: Path) -> None:
        """Nothing: TensorBoard shows runs, not tables."""


def run_name(record: Record) -> str:
    """What TensorBoard calls the run; the key's start tells apart what differs only in its recipe."""
    role = "-choice" if record.role == "choice" else ""
    last = f"{record.dataset['name']}-{record.profile}-{record.backend}{role}-seed{record.seed}-{record.key[:8]}"
    return "/".join(re.sub(r"[^\w.-]+", "_", part) for part in (record.benchmark, record.method, last))


def event_file(record: Record) -> bytes:
    """The content of the run's event file."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata
    from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo
    from tensorboard.summary.writer.record_writer import RecordWriter

    file = io.BytesIO()
    writer = RecordWriter(file)
    begin, end = began(record), ended(record)

    def write(time: float, value: Summary.Value, step: int = 0) -> None:
        writer.write(Event(wall_time=time, step=step, summary=Summary(value=[value])).SerializeToString())

    def write_session(tag: str, content: HParamsPluginData) -> None:
        described = metadata.create_summary_metadata(content)
        write(begin, Summary.Value(tag=tag, metadata=described, tensor=metadata.NULL_TENSOR))

    start_info = SessionStartInfo(start_time_secs=begin)
    for name, value in hyperparameters(record).items():
        kind = "bool_value" if isinstance(value, bool) else "string_value" if isinstance(value, str) else "number_value"
        setattr(start_info.hparams[name], kind, value)
    end_info = SessionEndInfo(status=STATUS_SUCCESS if record.status == "ok" else STATUS_FAILURE, end_time_secs=end)

    writer.write(Event(wall_time=begin, file_version="brain.Event:2").SerializeToString())
    write_session(metadata.SESSION_START_INFO_TAG, HParamsPluginData(session_start_info=start_info))
    for scalar in scalars(record):
        write(scalar.time, Summary.Value(tag=scalar.name, simple_value=scalar.value), scalar.step)
    write_session(metadata.SESSION_END_INFO_TAG, HParamsPluginData(session_end_info=end_info))
    return file.getvalue()


def hyperparameters(record: Record) -> dict[str, bool | int | float | str]:
    """What a person picks runs by in the HParams tab: the row, how it ended, its recipe."""
    return {
        "benchmark": record.benchmark,
        "method": record.method,
        "dataset": str(record.dataset["name"]),
        "profile": record.profile,
        "backend": record.backend,
        "device": record.device,
        "seed": record.seed,
        "role": record.role,
        "status": record.status,
        **flat(record.recipe),
    }
