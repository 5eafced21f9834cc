"""How often verdicts are wrong under the designs that judge them, by simulation.

Written by ``python -m benchmarks.speed.stopping --write``, whose docstring says what is simulated; up to
4,000 simulations of each figure.
"""

from collections.abc import Mapping

SIMULATIONS = 4000
# True numbers called better or worse, by the scatter of runs and the seeds begun with.
DESIGN_ERROR_RATES: Mapping[str, Mapping[int, float]] = {
    "normal": {3: 0.0537, 5: 0.0527, 10: 0.0530, 20: 0.0503},
    "log-normal": {3: 0.0680, 5: 0.0607, 10: 0.0575, 20: 0.0542},
    "5% bad runs": {3: 0.0790, 5: 0.0670, 10: 0.0658, 20: 0.0612},
}
# False numbers called reproduced, by the seeds begun with and their distance in sd; normal.
FALSE_NUMBER_RATES: Mapping[int, Mapping[int, float]] = {
    3: {4: 0.0780, 6: 0.0040, 8: 0.0000},
    5: {4: 0.0030, 6: 0.0000, 8: 0.0000},
    10: {4: 0.0000, 6: 0.0000, 8: 0.0000},
    20: {4: 0.0000, 6: 0.0000, 8: 0.0000},
}
# The largest of DESIGN_ERROR_RATES.
WORST_NUMBER_RATE: float = 0.079
# Effects that are none decided at any look, by kind and the seeds after which was looked.
LOOKED_ERROR_RATES: Mapping[str, Mapping[str, float]] = {
    "order in a table": {"5, 10, 20": 0.0290, "3, 6, 12, 20": 0.0325, "10, 20": 0.0185},
    "equivalence in a table": {"5, 10, 20": 0.0290, "3, 6, 12, 20": 0.0325, "10, 20": 0.0185},
    "minimum, a flat path": {"5, 10, 20": 0.0000, "3, 6, 12, 20": 0.0010, "10, 20": 0.0000},
    "minimum, a path that falls": {"5, 10, 20": 0.0100, "3, 6, 12, 20": 0.0150, "10, 20": 0.0060},
    "order in general, seeds alone": {"5, 10, 20": 0.0288, "3, 6, 12, 20": 0.0387, "10, 20": 0.0163},
    "order in general, seeds and examples": {"5, 10, 20": 0.0125, "3, 6, 12, 20": 0.0288, "10, 20": 0.0187},
    "order in general, examples mostly": {"5, 10, 20": 0.0187, "3, 6, 12, 20": 0.0238, "10, 20": 0.0150},
    "race, all arrive": {"5, 10, 20": 0.0295, "3, 6, 12, 20": 0.0278, "10, 20": 0.0210},
    "race, a fifth never arrive": {"5, 10, 20": 0.0272, "3, 6, 12, 20": 0.0240, "10, 20": 0.0203},
    "race, half never arrive": {"5, 10, 20": 0.0127, "3, 6, 12, 20": 0.0140, "10, 20": 0.0120},
}
# Races of equal methods won or lost with one look at 95%, by what arrives and pairs of runs.
RACE_ERROR_RATES: Mapping[str, Mapping[int, float]] = {
    "all arrive": {5: 0.0447, 10: 0.0473, 20: 0.0488},
    "a fifth never arrive": {5: 0.0408, 10: 0.0488, 20: 0.0437},
    "half never arrive": {5: 0.0147, 10: 0.0387, 20: 0.0442},
}
