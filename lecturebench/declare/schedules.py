"""Learning rates as functions of the step: slide "Tricks of Deep Learning", "Learning Scheduler: Decay or Periodic"."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import numpy as np

Kind = Literal["constant", "step", "exponential", "cosine", "restarts", "triangular", "pieces"]


@dataclass(frozen=True)
class Schedule:
    """The learning rate of step t of a training with T steps, as a multiple of the base rate.

    With the warm-up of w = round(warmup * T) steps, but at most T - 1, and the progress t' = (t - w) / (T - w) in
    [0, 1) after it:

    - constant: 1
    - step: factor^floor(t' * periods), a drop after each of ``periods`` equal parts
    - exponential: factor^(t' * periods), the same decay without steps
    - cosine: (1 + cos(pi t')) / 2 (Loshchilov & Hutter 2017, eq. 5 with eta_min = 0 and one cycle)
    - restarts: the cosine anew in each of ``periods`` equal cycles (the same, T_mult = 1)
    - triangular: from ``factor`` up to 1 and back within each of ``periods`` cycles (Smith 2017, sec. 3)
    - pieces: what each of ``pieces`` says, (length, multiple) in their order, lengths as shares of their sum:
      ((2, 1.0), (1, 0.1), (1, 0.01)) are two drops, after a half and after three quarters

    Warm-up is linear: (t + 1) / w of the rate that follows it. Cycles start at whole steps: in integers, so that no
    rounding moves one. ValueError for an unknown kind, periods that are no whole number above 0, a factor outside
    (0, 1], a warm-up outside [0, 1), and pieces of another kind's or without whole lengths and multiples above 0.
    """

    kind: Kind = "constant"
    periods: int = 1
    factor: float = 0.1
    warmup: float = 0.0
    pieces: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind is {self.kind!r}; it must be one of {', '.join(get_args(Kind))}")
        if self.periods < 1 or self.periods != int(self.periods):
            raise ValueError(f"periods is {self.periods!r}; it must be a whole number, at least 1")
        if not 0 < self.factor <= 1:
            raise ValueError(f"factor is {self.factor!r}; it must be in (0, 1]")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup is {self.warmup!r}; it must be a share of the steps in [0, 1)")
        if bool(self.pieces) != (self.kind == "pieces"):
            raise ValueError(f"pieces is {self.pieces!r} and kind {self.kind!r}; kind 'pieces' has them, no other does")
        for length, multiple in self.pieces:
            if length < 1 or length != int(length) or not multiple > 0:
                raise ValueError(
                    f"pieces has {(length, multiple)!r}; a length is a whole number above 0, a multiple above 0"
                )

    def rates(self, steps: int) -> np.ndarray:
        """The multiples of the base rate, (steps,) float64.

        ValueError unless there is at least one step, and after the warm-up one for each of the periods.
        """
        import numpy as np

        if steps < 1:
            raise ValueError(f"steps is {steps!r}; a schedule has at least 1")
        warm = min(round(self.warmup * steps), steps - 1)
        left = steps - warm
        if self.periods > left:
            raise ValueError(f"periods is {self.periods!r} for {left} steps after warm-up; it must be at most {left}")
        t = np.arange(left)
        cycle, position = np.divmod(t * self.periods, left)
        within = position / left
        after = {
            "constant": np.ones(left),
            "step": self.factor**cycle,
            "exponential": self.factor ** (t * self.periods / left),
            "cosine": (1 + np.cos(math.pi * t / left)) / 2,
            "restarts": (1 + np.cos(math.pi * within)) / 2,
            "triangular": self.factor + (1 - self.factor) * (1 - np.abs(2 * within - 1)),
            "pieces": self._in_pieces(t, left) if self.pieces else np.ones(left),
        }[self.kind]
        rising = np.arange(1, warm + 1) / max(warm, 1)
        return np.concatenate([rising * after[0], after])

    def _in_pieces(self, t: np.ndarray, steps: int) -> np.ndarray:
        import numpy as np

        lengths, multiples = map(np.array, zip(*self.pieces, strict=True))
        ends = np.cumsum(lengths)
        return np.asarray(multiples[np.searchsorted(ends, t * ends[-1] // steps, side="right")], dtype=float)
