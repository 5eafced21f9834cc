"""What a convolution assumes: images before and after their pixels changed places, and what networks make of them."""

from __future__ import annotations

from typing import Any

from lecturebench.report.stock import Rows, contact_sheet

PAIRS = (("CNN", "cnn_few", "cnn_shuffled"), ("Dense network", "dense_few", "dense_shuffled"))


def draw_pixels(figure: Any, rows: Rows) -> str:
    """Above images and the same images shuffled, below the test errors of both networks on both."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import PercentFormatter

    from lecturebench.report.style import MUTED

    above, below = figure.subplots(2, 1, height_ratios=(3, 4))
    contact_sheet(above, rows["sheet"].array("images")[0], rows=("as it is", "shuffled"))
    phrases, furthest = [], 0.0
    for y, (name, *methods) in enumerate(PAIRS):
        errors = [rows[method].values("error") for method in methods]
        style = rows[methods[0]].style
        means = [float(each.mean()) for each in errors]
        below.annotate(
            "", (means[1], y), (means[0], y), arrowprops={"arrowstyle": "-|>", "color": style.colour, "shrinkB": 6}
        )
        for each, mean, filled in zip(errors, means, (True, False), strict=True):
            face = style.colour if filled else "none"
            below.plot(each, [y + 0.16] * len(each), ".", color=style.colour, markersize=4, alpha=0.6)
            below.plot([mean], [y], style.marker, color=style.colour, markerfacecolor=face, markersize=9)
        furthest = max(furthest, *(float(each.max()) for each in errors))
        phrases.append(f"{name} errs on {100 * means[0]:.2f}% as they are and {100 * means[1]:.2f}% shuffled")
    below.set_yticks(range(len(PAIRS)), [name for name, *_ in PAIRS])
    below.set(ylim=(len(PAIRS) - 0.5, -0.5), xlabel="test error", xlim=(0, 1.06 * furthest))
    below.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    below.grid(axis="x")
    handles = [
        Line2D([], [], color=MUTED, marker="o", linestyle="none", label="as they are"),
        Line2D([], [], color=MUTED, marker="o", linestyle="none", fillstyle="none", label="shuffled"),
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=2)
    return f"Images, the same shuffled, and test errors: {'; '.join(phrases)}."
