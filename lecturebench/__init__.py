"""lecturebench: re-measure what a deep-learning lecture states, and say whether it holds.

The names that a benchmark file needs. Importing this package imports neither NumPy nor Keras.
"""

from typing import TYPE_CHECKING, Any

from lecturebench.autodiff import gradient
from lecturebench.declare.benchmark import Benchmark, Drawing, Profile, profiles
from lecturebench.declare.claims import (
    EquivalenceClaim,
    IdentityClaim,
    MinimumClaim,
    NumberClaim,
    OrderClaim,
    TimeToTargetClaim,
    assumed,
    selected,
    stated,
)
from lecturebench.declare.lag_views import Lags
from lecturebench.declare.methods import Baseline, Experiment, Measured, Network, Trained
from lecturebench.declare.schedules import Schedule
from lecturebench.declare.slides import Formula, Matrix, Sentence, Slide, Table
from lecturebench.declare.training import Choice, Training
from lecturebench.declare.views import AsStored, Hog, ShuffledPixels, Standardized
from lecturebench.declare.word_views import CleanedText, WordIndices, WordPresence
from lecturebench.metrics import Metric, Predictions

if TYPE_CHECKING:  # what experiments and drawings are given: names for their signatures
    from lecturebench.datasets import Dataset as Dataset
    from lecturebench.report.series import Series as Series

__version__ = "0.1.0"

__all__ = [
    "AsStored",
    "Baseline",
    "Benchmark",
    "Choice",
    "CleanedText",
    "Drawing",
    "EquivalenceClaim",
    "Experiment",
    "Formula",
    "Hog",
    "IdentityClaim",
    "Lags",
    "Matrix",
    "Measured",
    "Metric",
    "MinimumClaim",
    "Network",
    "NumberClaim",
    "OrderClaim",
    "Predictions",
    "Profile",
    "Schedule",
    "Sentence",
    "ShuffledPixels",
    "Slide",
    "Standardized",
    "Table",
    "TimeToTargetClaim",
    "Trained",
    "Training",
    "WordIndices",
    "WordPresence",
    "assumed",
    "gradient",
    "profiles",
    "selected",
    "stated",
    "win_probability",
]


def win_probability(a: Any, b: Any) -> tuple[float, float, float]:
    """P(A < B) + P(A = B) / 2 for one run of each row, with its 95% interval; see `lecturebench.judging.statistics`."""
    from lecturebench.judging import statistics

    return statistics.win_probability(a, b)
