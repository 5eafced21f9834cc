"""Recurrent networks on the stock exchange: do they forecast trading better than lags and a straight line?

Slides "Recurrent Neural Networks" and "Recurrent Neural Network Loss": a sequence X_1, ..., X_L goes through a network
whose hidden layer remembers,

    A_lk = g(w_k0 + sum_j w_kj X_lj + sum_s u_ks A_(l-1)s),    O_L = beta_0 + sum_k beta_k A_Lk,

and only the last output is compared with the response, by sum_i (y_i - o_iL)^2.

The book's example (ISLP, sec. 10.5.2) is the New York stock exchange from 1962 to 1986: from three series of the last
five days, how much is traded tomorrow? 12 units learn from the days until 1979 and forecast the 1,770 days after. Its
measure is R^2 on these: the share of their variation that a forecast explains. The book prints 0.42 for the network,
0.41 for a straight line on the same 15 numbers (autoregression), 0.42 for one hidden layer on them; 0.46, 0.46 and
0.47 with the day of the week. That tomorrow will be as today explains 0.18.

The book standardises the series over all days, test days among them. A second set of networks takes means and
deviations of the training days alone and shows what that leak is worth. For the straight line it is worth nothing:
least squares is the same in any units.
"""

from dataclasses import replace
from typing import Any, Literal

from baselines.forecasts import last_value
from baselines.linear import least_squares
from benchmarks.experiments.forecasts import forecast_by
from benchmarks.figures.forecasts import draw_forecasts
from benchmarks.sources import islp
from lecturebench import Baseline, Benchmark, Drawing, Lags, Network, Profile, Training
from lecturebench.models.forecasts import nonlinear_autoregression, recurrent_forecast

SERIES = ("DJ_return", "log_volume", "log_volatility")
DAYS = ("mon", "tues", "wed", "thur", "fri")
STEPS = 5
# Mean and standard deviation of log_volume, by which answers are turned back: over all days, and those until 1979.
VOLUME = {"all": (-0.008336, 0.233665), "train": (-0.012437, 0.230933)}

RNN = Training("rmsprop", 0.001, batch_size=64, epochs=200, validation=0.0)
AR = Training("rmsprop", 0.001, batch_size=64, epochs=20, validation=0.0)
LEAK = ("What the book's scaling is worth: here test days decide no mean and no deviation.",)


def networks(end: str, words: str, known: tuple[str, ...], over: Literal["all", "train"]) -> tuple[Network, Network]:
    """Both networks on lags that are standardised over those days."""
    common: dict[str, Any] = {"notes": LEAK if over == "train" else (), "probe": forecast_by, "target": VOLUME[over]}
    lags = Lags(STEPS, SERIES, known, over)
    return (
        Network(f"rnn{end}", f"Recurrent network{words}", recurrent_forecast, RNN, lags, units=12, rate=0.1, **common),
        Network(
            *(f"nonlinear{end}", f"Nonlinear autoregression{words}", nonlinear_autoregression, AR),
            replace(lags, flat=True),
            units=32,
            rate=0.5,
            **common,
        ),
    )


METHODS = (
    Baseline("yesterday", "As today", last_value, True, Lags(1, ("log_volume",), over="none", flat=True)),
    Baseline("ar", "Autoregression", least_squares, True, Lags(STEPS, SERIES, over="all", flat=True)),
    Baseline("ar_day", "Autoregression, day", least_squares, True, Lags(STEPS, SERIES, DAYS, over="all", flat=True)),
    *networks("", "", (), "all"),
    *networks("_day", ", day", DAYS, "all"),
    *networks("_train", ", scaled on train", (), "train"),
    *networks("_day_train", ", day, scaled on train", DAYS, "train"),
)

CLAIMS = (
    islp.SECTION_10_5_2.number("yesterday", "0.18", islp.YESTERDAY),
    islp.SECTION_10_5_2.number("ar", "0.41", islp.AUTOREGRESSION),
    islp.SECTION_10_5_2.number("ar_day", "0.46", islp.AUTOREGRESSION_DAY),
    islp.SECTION_10_5_2.number("rnn", "0.42", islp.FORECASTER | islp.ONE_RUN, islp.ONE_BIAS),
    islp.SECTION_10_5_2.number("nonlinear", "0.42", islp.NONLINEAR | islp.ONE_RUN),
    islp.SECTION_10_5_2.number("rnn_day", "0.46", islp.FORECASTER_DAY | islp.ONE_RUN, islp.ONE_BIAS),
    islp.SECTION_10_5_2.number("nonlinear_day", "0.47", islp.NONLINEAR_DAY | islp.ONE_RUN),
)

DRAWINGS = (
    Drawing(
        *("forecasts", "Forecast and truth", draw_forecasts, ("rnn",)),
        caption="The test days' trading, and the forecast of each from the five days before it; a band holds all runs.",
        size=(6.4, 5.2),
    ),
)

BENCHMARK = Benchmark(
    title="Recurrent networks: trading on the New York stock exchange",
    methods=METHODS,
    claims=CLAIMS,
    drawings=DRAWINGS,
    datasets=("nyse",),
    task="regression",
    metric="r2",
    profiles={
        "smoke": Profile(seeds=1, epochs=2, judges=False, time_limit=300),
        "lecture": Profile(seeds=10, time_limit=600),
        "full": Profile(seeds=50, time_limit=600),
    },
)
