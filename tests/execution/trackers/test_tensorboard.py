"""Event files, read back with TensorBoard's own readers."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import pytest

from lecturebench.execution.trackers import open_tracker
from tests.execution.trackers.build import FAILED, make_record

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def without_tensorflow(monkeypatch: pytest.MonkeyPatch):
    """TensorBoard's readers take TensorFlow where it is installed, unless this module is there."""
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", types.ModuleType("notf"))


def read(file: Path):
    """One run."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(file.parent)).Reload()


def test_tensorboard_reads_scalars_with_steps_and_times(tmp_path):
    open_tracker("tensorboard", "", tmp_path).log(make_record(3))
    [file] = tmp_path.glob("tensorboard/**/*tfevents*")
    assert file.parent == tmp_path / "tensorboard/error_table/dropout/mnist-smoke-jax-seed3-00000000"
    events = read(file)
    assert set(events.Tags()["scalars"]) == {
        *("loss/train", "error/train", "error/validation", "error/test", "loss/test")
    }
    assert [(event.step, event.value) for event in events.Scalars("loss/train")] == [(1, 2.0), (2, 1.0)]
    assert [event.wall_time for event in events.Scalars("error/test")] == [1793527206.5]


def test_hparams_tab_lists_every_run_with_recipe_metrics_and_status(tmp_path):
    from tensorboard import context
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

    tracker = open_tracker("tensorboard", str(tmp_path / "tb"), tmp_path)
    tracker.log(make_record(1))
    tracker.log(make_record(2, recipe={"penalty": 0.1, "nested": {"on": True}}))
    tracker.log(make_record(3, **FAILED))
    runs = EventMultiplexer().AddRunsFromDirectory(str(tmp_path / "tb")).Reload()
    provider = MultiplexerDataProvider(runs, str(tmp_path))
    tab = backend_context.Context(TBContext(data_provider=provider))
    asked = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=9, allowed_statuses=[api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE]
    )
    groups = list_session_groups.Handler(context.RequestContext(), tab, "", asked).run().session_groups
    by_seed = {group.hparams["seed"].number_value: group for group in groups}
    assert sorted(by_seed) == [1, 2, 3]
    assert by_seed[1].hparams["options.rho"].number_value == 0.9
    assert by_seed[2].hparams["nested.on"].bool_value is True
    assert {metric.name.tag: metric.value for metric in by_seed[1].metric_values}["error/test"] == 0.25
    assert by_seed[3].sessions[0].status == api_pb2.STATUS_FAILURE
    assert by_seed[3].hparams["status"].string_value == "timeout"


def test_run_told_twice_or_fitted_anew_is_one_file(tmp_path):
    for record in (make_record(), make_record(), make_record(metrics={"test": {"error": 0.5}})):
        open_tracker("tensorboard", "", tmp_path).log(record)
    [file] = tmp_path.glob("tensorboard/**/*tfevents*")
    assert [event.value for event in read(file).Scalars("error/test")] == [0.5]


def test_tensorboard_is_written_without_tensorflow(tmp_path):
    code = (
        "import sys; from pathlib import Path; from lecturebench.execution.trackers import open_tracker\n"
        "from tests.execution.trackers.build import make_record\n"
        "open_tracker('tensorboard', '', Path(sys.argv[1])).log(make_record())\n"
        "print(sorted({'tensorflow', 'torch', 'keras', 'mlflow'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"
