"""When each run is at a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lecturebench import Series


def reaching(target: float, titles: tuple[str, str]) -> Callable[[Any, Mapping[str, Series]], str]:
    """Validation error against the step, own rates above, rows "…_common" below; under the curves, when runs are there.

    A run's mark stands at its first look with an error at the target; runs of the same step stand side by side.
    """

    def draw(figure: Any, rows: Mapping[str, Series]) -> str:
        from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

        from lecturebench.report.style import INK

        panels = figure.subplots(2, 1, sharex=True, sharey=True)
        phrases, heights, handles = [], [target], []
        for axes, common, title in zip(panels, (False, True), titles, strict=True):
            lanes = [series for name, series in rows.items() if name.endswith("_common") == common]
            for lane, series in enumerate(lanes):
                series.band(axes, "validation_error", "step")
                steps, errors = series.curve("validation_error", "step")
                heights += [*errors.ravel()]
                times = [first_at(run.curve, target) for run in series.runs]
                there = sorted(time for time in times if np.isfinite(time))
                aside = [0.013 * steps.max(initial=1.0) * there[:i].count(time) for i, time in enumerate(there)]
                axes.plot(
                    *(np.add(there, aside), [0.18 - 0.07 * lane] * len(there), series.style.marker), markersize=5,
                    color=series.style.colour, transform=axes.get_xaxis_transform(), label="there",
                )  # fmt: skip
                when = f" after {there[0]:.0f} to {there[-1]:.0f} steps" if there else ""
                phrases.append(f"{series.title}, {title}: {len(there)} of {len(times)} runs{when}")
            handles += [line for line in axes.lines if line.get_label() != "there"]
            axes.axhline(target, color=INK, linewidth=1.2, linestyle=(0, (5, 2)))
            axes.set_title(title, loc="left", fontsize=11, color=INK)
            axes.set(yscale="log", ylabel="validation error", xlim=(0, None))
            axes.yaxis.set_major_locator(FixedLocator([0.02, target, 0.05, 0.1, 0.2, 0.5, 1.0]))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.tick_params(axis="y", which="minor", left=False)
            axes.grid(axis="y")
        figure.legend(handles=handles, loc="outside lower left", ncols=2)
        low, high = min(heights), max(heights)
        # A quarter of the height is left for the marks.
        high = min(high, max(0.12, 4 * low))
        panels[1].set(xlabel="steps", ylim=(low * (low / high) ** 0.35, high))
        return f"At a validation error of {100 * target:g}%: {'; '.join(phrases)}."

    return draw


def first_at(curve: Any, target: float) -> float:
    """The step of the first look with a validation error at the target or below; infinite if there is none."""
    return min((p["step"] for p in curve if p.get("validation_error", np.inf) <= target), default=np.inf)
