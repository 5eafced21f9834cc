"""A pool's setting that fits seeds side by side on a CPU too, where tests can see it. Workers load it by its name."""

from __future__ import annotations

from lecturebench.execution.worker import Setting


class Together(Setting):
    """As on a GPU."""

    together = True
