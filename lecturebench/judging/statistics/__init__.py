"""Statistics and verdicts: what was published against what was measured. Plain numbers in, judgements out.

Nothing here reads a disk or a clock; whatever resamples gets a generator passed in. Errors and losses are shares in
[0, 1] or any other unit, the same throughout one call; ``show`` turns a number of that unit into text.
The rules are those of DESIGN.md, section "Verdicts"; each docstring says what it adds to them.
"""

from lecturebench.judging.statistics.common import (
    ALPHA,
    BOOTSTRAP_SEED,
    FEWEST_RACES,
    FEWEST_SEEDS,
    LEVEL,
    LOOKED_LEVEL,
    MOST_LOOKS,
    MOST_SEEDS,
    NAN,
    SLACK,
    TOLERANCE,
    About,
    Interval,
    Judgement,
    Losses,
    Show,
    Verdict,
    not_run,
    plain,
    t_quantile,
)
from lecturebench.judging.statistics.effects import judge_chain, judge_equivalence, judge_minimum, judge_order
from lecturebench.judging.statistics.formulas import best_combination, judge_identity, least_error, one_standard_error
from lecturebench.judging.statistics.numbers import (
    end_standard_error,
    judge_number,
    prediction_factors,
    prediction_half_width,
    sampling_interval,
)
from lecturebench.judging.statistics.races import judge_time_to_target, win_probability
from lecturebench.judging.statistics.resampling import (
    interval_over_examples,
    interval_over_seeds,
    paired_interval,
    settled,
)

__all__ = [
    "ALPHA",
    "BOOTSTRAP_SEED",
    "FEWEST_RACES",
    "FEWEST_SEEDS",
    "LEVEL",
    "LOOKED_LEVEL",
    "MOST_LOOKS",
    "MOST_SEEDS",
    "NAN",
    "SLACK",
    "TOLERANCE",
    "About",
    "Interval",
    "Judgement",
    "Losses",
    "Show",
    "Verdict",
    "best_combination",
    "end_standard_error",
    "interval_over_examples",
    "interval_over_seeds",
    "judge_chain",
    "judge_equivalence",
    "judge_identity",
    "judge_minimum",
    "judge_number",
    "judge_order",
    "judge_time_to_target",
    "least_error",
    "not_run",
    "one_standard_error",
    "paired_interval",
    "plain",
    "prediction_factors",
    "prediction_half_width",
    "sampling_interval",
    "settled",
    "t_quantile",
    "win_probability",
]
