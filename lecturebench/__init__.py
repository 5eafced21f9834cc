"""lecturebench: re-measure what a deep-learning lecture states, and say whether it holds.

The names that a benchmark file needs. Importing this package imports neither NumPy nor Keras.
"""

from lecturebench.benchmark import (
    Baseline,
    Benchmark,
    Choice,
    Drawing,
    Experiment,
    Measured,
    Network,
    Profile,
    Training,
)
from lecturebench.published import (
    EquivalenceClaim,
    IdentityClaim,
    MinimumClaim,
    NumberClaim,
    OrderClaim,
    TimeToTargetClaim,
    assumed,
    stated,
)
from lecturebench.schedules import Schedule

__version__ = "0.1.0"

__all__ = [
    "Baseline",
    "Benchmark",
    "Choice",
    "Drawing",
    "EquivalenceClaim",
    "Experiment",
    "IdentityClaim",
    "Measured",
    "MinimumClaim",
    "Network",
    "NumberClaim",
    "OrderClaim",
    "Profile",
    "Schedule",
    "TimeToTargetClaim",
    "Training",
    "assumed",
    "stated",
]
