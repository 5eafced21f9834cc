"""Forecasts that learn nothing."""

from __future__ import annotations

from typing import Any

import numpy as np


class LastValue:
    """Predicts that the next value is the last one."""

    def predict(self, X: Any) -> Any:
        """The last column of X (m, steps), as (m,)."""
        return np.asarray(X)[:, -1].copy()


def last_value(X: Any, y: Any) -> LastValue:
    """A straw man for forecasts of series: tomorrow will be as today.

    X: (n, steps), past values of y alone, the oldest first, in the units of y. y: (n,). Nothing is fitted.
    Source: ISLP, sec. 10.5.2. Raises ValueError for X that is no table.
    """
    if np.ndim(X) != 2:
        raise ValueError(f"X has shape {np.shape(X)}; it must be (n, steps)")
    return LastValue()
