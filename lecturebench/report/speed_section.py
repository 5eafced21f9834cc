"""The page's section on speed: what ``speed.csv`` beside the runs says, or a note that it cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lecturebench.report.album import Plate
from lecturebench.report.basis import code, digest_of
from lecturebench.report.speed import Curve, Speed, summary
from lecturebench.report.speed_lines import FILE, read
from lecturebench.report.style import Picture


@dataclass(frozen=True)
class SpeedSection:
    """What there is to show of speed; None where nothing was measured. notes: why it cannot be shown."""

    found: Speed | None = None
    plates: tuple[Plate, ...] = ()
    notes: tuple[str, ...] = ()


def speed_section(folder: Path) -> SpeedSection:
    """What a store's folder has of it."""
    file = folder / FILE
    if not file.exists():
        return SpeedSection()
    try:
        found = summary(read(file))
    except ValueError as error:
        return SpeedSection(notes=(f"speed is not shown: {error}",))
    plates = []
    for device, quantity in dict.fromkeys((curve.device, curve.quantity) for curve in found.curves):
        curves = [curve for curve in found.curves if (curve.device, curve.quantity) == (device, quantity)]
        name = f"speed-growth-{'memory' if quantity == 'MiB' else quantity}" + ("" if device == "cpu" else "-gpu")
        plates.append(Plate(name, digest_of(code(), repr(curves)), partial(_growth, name, curves)))
    return SpeedSection(found, tuple(plates))


def _growth(name: str, curves: Sequence[Curve]) -> Picture:
    from lecturebench.report.speed_growth import growth

    return growth(name, curves)
