"""What a fitted network forecasts, day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lecturebench import Measured

if TYPE_CHECKING:
    from lecturebench import Dataset, Trained


def forecast_by(trained: Trained, dataset: Dataset) -> Measured:
    """forecast, true: (test days,), in the units of y. spread: the ratio of their standard deviations."""
    forecast, true = trained.outputs(dataset.test.X)[:, 0].astype(float), np.asarray(dataset.test.y)
    return Measured({"spread": float(forecast.std() / true.std())}, arrays={"forecast": forecast, "true": true})
