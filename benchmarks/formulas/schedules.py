"""The rates of slide "Tricks of Deep Learning", "Learning Scheduler: Decay or Periodic", step by step."""

from __future__ import annotations

import math
from fractions import Fraction

WARMUP = 0.1  # share of the steps, where there is a warm-up


def rate(kind: str, t: int, steps: int, warm: int = 0) -> float:
    """The rate of step t = 0, 1, … of a training of so many steps, as a share of the base rate eta.

    kind: constant, step, exponential, cosine, restarts (two cycles) or triangular (two). warm: steps of warm-up, each
    (t + 1) / warm of the first rate that follows them. Times are fractions, so that no rounding moves the start of a
    cycle. Cosine and restarts: Loshchilov & Hutter 2017, eq. 5; triangular: Smith 2017, sec. 3.
    """
    if t < warm:
        return (t + 1) / warm * rate(kind, warm, steps, warm)
    t, steps = t - warm, steps - warm
    eta, base, eta_min = 1.0, 0.1, 0.0
    if kind == "step":
        return eta * math.pow(0.1, math.floor(3 * Fraction(t, steps)))
    if kind == "exponential":
        return eta * math.pow(0.1, 2 * t / steps)
    if kind in ("cosine", "restarts"):
        T_i = Fraction(steps, 1 if kind == "cosine" else 2)
        T_cur = t % T_i
        return eta_min + (eta - eta_min) * (1 + math.cos(math.pi * T_cur / T_i)) / 2
    if kind == "triangular":
        stepsize = Fraction(steps, 4)
        cycle = math.floor(1 + t / (2 * stepsize))
        x = abs(t / stepsize - 2 * cycle + 1)
        return base + (eta - base) * max(0.0, 1 - float(x))
    return eta
