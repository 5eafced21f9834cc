"""Whatever lies in place of a record or its arrays: every command names it, leaves it where it is and goes on."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from lecturebench.cli import main
from lecturebench.store import Store
from tests.made_up import put_no_file

pytestmark = pytest.mark.faults
ODD = ("empty", "deep", "folder", "pipe", "device", "loop", "flipped")


def put(odd, path, sound):
    if odd == "empty":
        path.write_bytes(b"")
    elif odd == "deep":
        path.write_text("[" * 200_000)
    elif odd == "flipped":
        path.write_text(json.dumps(sound | {"seed": sound["seed"] + 1}))
    else:
        put_no_file(path, odd)


def test_odd_things_are_named_by_every_command_and_block_none(tmp_path, capsys):
    out = tmp_path / "out"
    run = ["run", "error_table", "--profile", "smoke", "--out", str(out), "--method", "dummy"]
    assert main(run) == 0
    [record] = Store(out).read()[0]
    sound = json.loads((out / "runs" / record.key / "record.json").read_text())
    for odd in ODD:
        folder = out / "runs" / odd
        shutil.copytree(out / "runs" / record.key, folder)
        for name in ("record.json", "predictions.npz"):
            (folder / name).unlink()
            put(odd, folder / name, sound | {"key": odd})
        put(odd, out / "figures" / f"{odd}.svg", sound)
    (out / "figures" / "manifest.json").unlink()
    os.mkfifo(out / "figures" / "manifest.json")
    commands = [run, ["report", str(out)], ["verify", str(out)], ["list", "--runs", "--out", str(out)]]
    commands += [["compare", str(out), str(out)]]
    for command in commands:
        capsys.readouterr()
        assert main(command) in (0, 1), command
        shown = capsys.readouterr()
        text = shown.out + shown.err
        for odd in ODD:
            assert f"runs/{odd}/record.json: " in text, (command, odd)
        assert ("7 differences" if command[0] == "verify" else "dummy") in text, "and nothing else"
    for odd in ODD:
        assert os.path.lexists(out / "runs" / odd / "record.json")
    assert "0 runs fitted, 1 were there already" in _again(run, capsys)


def _again(run, capsys):
    capsys.readouterr()
    assert main(run) == 0
    return capsys.readouterr().out
