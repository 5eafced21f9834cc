"""What ISLP (An Introduction to Statistical Learning, with Applications in Python, 2023) prints, said once.

Table 10.1 is the lecture's error table, Table 10.2 the salaries. "R lab" is the authors' keras notebook for the R
edition, `Ch10-deeplearning-lab-keras.Rmd`, chunk by chunk: it holds code and no output.
"""

from __future__ import annotations

from benchmarks.sources.source import Source
from lecturebench import assumed, stated

ONE_RUN = {"runs": assumed("one", "the book prints one number and no spread")}
PAIRED = {"comparison": assumed("paired by seed on the same test examples", "the book compares by eye")}
FREE = {
    "penalty": stated("lambda * sum theta^2 on W1 and W2; output weights free", "ISLP, eq. 10.31"),
    "biases": assumed("free", "the formula sums over weights; no source says"),
}

# -- MNIST ------------------------------------------------------------------------------------------------------------

TABLE_10_1 = Source(
    source="ISLP (2023), Table 10.1, p. 406",
    slide="Why Neural Network?",
    protocol={
        "data": stated("60,000 train, 10,000 test, pixels / 255", "ISLP, sec. 10.2; R lab, chunks 15 to 19"),
    },
)
FITTED = {
    "batch size": stated("128", "ISLP, sec. 10.7.2; R lab, chunks 15 to 21"),
    "validation": stated(
        "the last 20% of train held out, 48,000 fitted",
        "ISLP, sec. 10.7.2; R lab's validation_split, which takes the last in the published order",
    ),
}
NETWORK = FITTED | {
    "network": stated("784-256-128-10, ReLU, softmax, 235,146 parameters", "ISLP, sec. 10.2"),
    "loss": stated("cross-entropy", 'slide "Cross-Entropy Loss"; ISLP, sec. 10.7'),
}
LAB_TRAINING = {
    "optimiser": stated("RMSprop, Keras' defaults (rate 0.001)", "R lab, chunks 15 to 21"),
    "epochs": stated("30, the last epoch's weights", "R lab, chunks 15 to 21"),
}
RIDGE = (
    NETWORK
    | FREE
    | {
        "lambda": assumed(
            "chosen on validation data: the largest within one standard error of the best",
            "no source prints it; the book's own rule, sec. 6.1.3",
        ),
        "validation": assumed(
            "the last 20% of train held out", "20% by sec. 10.7.2; which ones as the lab's other rows"
        ),
        "optimiser": assumed("RMSprop, rate 0.001", "the dropout row's; no lab fits this row"),
        "epochs": assumed("30", "Fig. 10.18 runs to 30"),
    }
)
DROPOUT = NETWORK | LAB_TRAINING | {"dropout": stated("0.4 after layer 1, 0.3 after layer 2", "R lab, chunks 15 to 19")}
SOFTMAX = (
    FITTED
    | LAB_TRAINING
    | {"network": stated("one softmax layer, 7,850 parameters in Keras", "R lab, chunks 20 and 21")}
)
DISCRIMINANT = {
    "method": stated("linear discriminant analysis of sec. 4.4", "ISLP, sec. 10.2"),
    "software": assumed("scikit-learn, solver lsqr", "the book prints no code for this row"),
    "pixels": assumed("all 784, constant ones too", "no source says; scikit-learn's minimum norm handles them"),
    "train size": assumed("all 60,000", "nothing is chosen, so nothing needs to be held out"),
    "priors": assumed("the classes' shares in train", "scikit-learn's and R's default"),
}

# -- Hitters ----------------------------------------------------------------------------------------------------------

TABLE_10_2 = Source(
    source="ISLP (2023), Table 10.2, p. 426",
    slide="Single Layer Neural Network",
    dataset="hitters",
    metric="mae",
    protocol={
        "data": stated("263 players with a salary, 19 variables; 176 train, 87 test", "ISLP, sec. 10.6"),
        "split": stated("set.seed(13), sample(263, 87) in R", "R lab, chunk 1"),
        "metric": stated("mean absolute error on test, in thousands of dollars", "ISLP, Table 10.2"),
    },
)
LEAST_SQUARES = {
    "protocol": stated("text and R lab, which agree", "R lab, chunks 1 and 2; readers' runs of it: 254.6687"),
    "method": stated("least squares on all 19 variables, 20 parameters", "ISLP, Table 10.2"),
}
LASSO = {
    "protocol": stated("R lab, which fills in the text", "R lab, chunks 3 and 4; readers' runs of it: 252.2994"),
    "lambda": stated("10-fold cross-validation on the training players", "ISLP, sec. 10.6"),
    "criterion": stated("mean absolute error, the lambda with the smallest", "R lab, chunk 4"),
    "folds": stated("those that follow from set.seed(13)", "R lab, chunks 1 and 4; glmnet's cv.glmnet draws them next"),
    "grid": assumed(
        "100 lambdas, evenly spaced on a logarithmic scale down to 1/10,000 of the largest",
        "glmnet's default, and the lab gives no other",
    ),
}
LASSO_DEVIATIONS = (
    "Columns are scaled over the players fitted, as glmnet does with whatever it is given; so the lab's own scaling of "
    "all 263 players beforehand changes no fit.",
    "19 columns: the lab's twentieth, the other indicator of League, gives the lasso nothing to choose.",
    "glmnet ends its path where little more is explained; ours goes on to the end.",
)
SALARY_NETWORK = {
    "protocol": stated("text, not the R lab", "ISLP, sec. 10.6; the lab has 50 units, dropout 0.4, 1,500 epochs"),
    "network": stated("one hidden layer, 64 ReLU units, 1,345 parameters", "ISLP, Table 10.2; sec. 10.6"),
    "batch size": stated("32", "ISLP, footnote 20"),
    "epochs": stated("1,000", "ISLP, footnote 20"),
    "dropout": stated("10%", "ISLP, footnote 20"),
    "loss": stated("squared error", 'slide "Train Neural Networks"; ISLP, eq. 10.23'),
    "optimiser": assumed(
        "RMSprop, rate 0.001, Keras' defaults",
        "the R lab's; footnote 20 says stochastic gradient descent and gives no rule or rate",
    ),
    "scaling": stated("each column to mean 0 and standard deviation 1 over all 263 players", "R lab, chunk 3"),
    "salary": assumed("not scaled", "the R lab's; the text says nothing"),
    "weights": assumed("the last epoch's", "the R lab's; the text says nothing"),
}

# -- IMDB -------------------------------------------------------------------------------------------------------------

SECTION_10_4 = Source(
    source="ISLP (2023), sec. 10.4",
    slide="Word Embedding",
    dataset="imdb_reviews",
    metric="accuracy",
    protocol={
        "data": stated("25,000 train, 25,000 test, the 10,000 most frequent words", "ISLP, sec. 10.4"),
        "features": stated("which of them a review has, 1.3% of the entries", "ISLP, sec. 10.4"),
        "validation": stated("2,000 of train", "ISLP, sec. 10.4; R lab, chunk 35"),
        "words": assumed(
            "letters, digits and apostrophes inside, of what is fitted; no line breaks, no sign for a review's start",
            "the lab takes Keras' numbers, which keep 'br' and begin with a 1",
        ),
    },
)
BAG_LASSO = {
    "penalties": stated("50, from the smallest that leaves no word to 1/10,000 of it", "Python lab, line 3734"),
    "solver": stated("liblinear", "Python lab, line 3734"),
    "lambda": assumed("the fewest errors on the 2,000", "Fig. 10.11 shows all; the text says where the best is"),
}
BAG_NETWORK = {
    "network": stated("two hidden layers of 16 ReLU units", "ISLP, sec. 10.4; R lab, chunk 38"),
    "optimiser": stated("RMSprop, Keras' defaults", "R lab, chunk 38"),
    "batch size": stated("512", "R lab, chunk 39"),
}
BAG_BEST = BAG_NETWORK | {
    "epochs": stated("20", "R lab, chunk 39"),
    "weights": stated(
        "those of the epoch with the least validation error", "ISLP, sec. 10.4: a solution is picked along"
    ),
}
BAG_LAST = BAG_NETWORK | {
    "epochs": stated("30, the last epoch's weights", "Python lab, lines 3490 to 3700"),
    "number": stated("0.8550", "ISLP, sec. 10.9.5; later tags of the lab print 0.8450 to 0.8544"),
}

SECTION_10_5_1 = Source(
    source="ISLP (2023), sec. 10.5.1",
    slide="Recurrent Neural Networks",
    dataset="imdb_reviews",
    metric="accuracy",
    protocol={
        "data": stated("25,000 train, 25,000 test, the 10,000 most frequent words", "ISLP, sec. 10.5.1"),
        "network": stated("embedding 32, 32 units, the last state", "ISLP, sec. 10.5.1; R lab, chunk 41"),
        "reviews": stated("the last 500 words, zeros in front", "ISLP, sec. 10.5.1"),
        "words": assumed(
            "letters, digits and apostrophes inside, of what is fitted; no line breaks, no sign for a review's start",
            "the lab takes Keras' numbers, which keep 'br' and begin with a 1",
        ),
        "runs": assumed("one", "the book prints one number and no spread"),
    },
)
LSTM = {
    "optimiser": stated("RMSprop, Keras' defaults (rate 0.001)", "R lab, chunks 40 to 43"),
    "batch size": stated("128", "R lab, chunks 40 to 43; the Python lab has 300"),
    "epochs": stated("10, the last epoch's weights", "R lab, chunks 40 to 43; the Python lab has 20 at rate 0.01"),
    "validation": stated("the test reviews are watched and choose nothing", "R lab, chunks 40 to 43"),
    "dropout": assumed("none", "the labs have none; the text speaks of dropout, for the simple network"),
}
SIMPLE_RNN = {
    "dropout": assumed("0.2 of the last state", "the text says 'dropout regularization' and no rate; no lab fits it"),
    "optimiser": assumed("RMSprop", "that of the LSTM; no lab fits the simple network"),
    "rate": assumed("chosen of 0.0003, 0.001, 0.003 on a fifth of the training reviews", "no source prints any"),
    "batch size": assumed("128", "that of the LSTM"),
    "epochs": assumed("10, the last epoch's weights, on four fifths of the reviews", "those of the LSTM"),
}
# Of both in one claim, which fits them otherwise.
BOTH = {
    "simple network": assumed("dropout 0.2, the rate chosen, four fifths of the reviews", "no lab fits it"),
    "LSTM": stated("no dropout, rate 0.001, all reviews", "R lab, chunks 40 to 43"),
    "epochs": assumed("10 for both, batches of 128", "the R lab's for the LSTM"),
}
FOUR_FIFTHS = (
    "The simple network is fitted on 20,000 of the 25,000 training reviews: each run holds out a fifth of its own."
)
IN_BUCKETS = (
    "Zeros in front up to the next multiple of 32 words and not up to 500, in batches of one length: less than half "
    "of the work. The LSTM is fitted both ways."
)
UNLIKE_BATCHES = (
    "The LSTM reads rows of 500 numbers and the simple network batches of one length; the LSTM in batches of one "
    "length is a row of its own."
)

# -- NYSE -------------------------------------------------------------------------------------------------------------

SECTION_10_5_2 = Source(
    source="ISLP (2023), sec. 10.5.2",
    slide="Recurrent Neural Networks",
    dataset="nyse",
    metric="r2",
    protocol={
        "data": stated(
            "6,051 days from 3 December 1962; 1,770 from 2 January 1980 on are the test", "ISLP, sec. 10.5.2"
        ),
        "metric": stated("R^2 on the test days", "ISLP, sec. 10.5.2"),
    },
)
LAGGED = {
    "lags": stated("5, of log volume, Dow Jones return and log volatility", "ISLP, sec. 10.5.2"),
    "scaling": stated(
        "each series to mean 0 and standard deviation 1 over all 6,051 days", "R lab, chunk 46; Python lab"
    ),
    "train days": stated("the 4,276 with five days before them", "Python lab, shape (6046, 5, 3); the text says 4,281"),
}
YESTERDAY = {"forecast": stated("the day before's volume", "ISLP, sec. 10.5.2")}
AUTOREGRESSION = LAGGED | {
    "method": stated("least squares, 16 coefficients", "ISLP, sec. 10.5.2; Python lab, line 4383")
}
WITH_DAY = {
    "day": stated("five indicators of the day that is forecast", "ISLP, sec. 10.5.2; Python lab, line 4442"),
}
AUTOREGRESSION_DAY = (
    LAGGED | WITH_DAY | {"method": stated("least squares on 20 numbers", "ISLP, sec. 10.5.2; Python lab, line 4442")}
)
SERIES_TRAINING = {
    "optimiser": stated("RMSprop, Keras' defaults (rate 0.001)", "R lab, chunks 51 to 55"),
    "weights": stated("the last epoch's; the test days are watched and choose nothing", "R lab, chunk 52"),
}
FORECASTER = (
    LAGGED
    | SERIES_TRAINING
    | {
        "network": stated("12 units, tanh, 205 parameters", "ISLP, sec. 10.5.2; R lab, chunk 51"),
        "dropout": stated("0.1 of the last state", "Python lab, line 4575; the R lab drops inputs and states too"),
        "batch size": stated("64", "R lab, chunk 52; Python lab"),
        "epochs": stated("200", "R lab, chunk 52; Python lab"),
    }
)
ONE_BIAS = ("A unit has one bias, as the slide's formula has it; the Python lab's has two.",)
NONLINEAR = LAGGED | {
    "optimiser": assumed("RMSprop, Keras' defaults (rate 0.001)", "the labs' for the row with the day"),
    "weights": assumed("the last epoch's", "the labs' for the row with the day"),
    "network": assumed("32 ReLU units, dropout 0.5", "the labs' for the row with the day; the text gives none"),
    "batch size": assumed("64", "the Python lab's for the row with the day; the R lab has 32"),
    "epochs": assumed("20", "the Python lab's for the row with the day; the R lab has 100"),
}
NONLINEAR_DAY = (
    LAGGED
    | WITH_DAY
    | SERIES_TRAINING
    | {
        "network": stated("20 inputs, 32 ReLU units, dropout 0.5", "Python lab, lines 4897 to 4974; R lab, chunk 55"),
        "batch size": stated("64", "Python lab, lines 4897 to 4974; the R lab has 32"),
        "epochs": stated("20", "Python lab, lines 4897 to 4974; the R lab has 100"),
    }
)
FORECASTER_DAY = LAGGED | {
    "day": assumed("five indicators of the day that is forecast, beside every lag", "left as exercise 12 of the book"),
    "network": assumed("12 units, tanh, 265 parameters", "that of the row without the day; the book gives none"),
    "dropout": assumed("0.1 of the last state", "that of the row without the day"),
    "training": assumed(
        "RMSprop, rate 0.001, batch 64, 200 epochs, the last one's weights", "that of the row without the day"
    ),
}

# The fold of each of the 176 training players, in file order, as `cv.glmnet` draws it after the split with the same
# stream: `set.seed(13)`, `sample(263, 87)`, then `sample(rep(seq(10), length = 176))`, less 1. Mersenne Twister with
# rejection sampling, computed outside R by the generator that gives the book's 87 test players too.
LASSO_FOLDS = tuple(
    map(
        int,
        "2095830046698750275022467805220140509188609259364327404589918118204937457233713624055862"
        "5675981171843288116362131048183734075774205197954221694730539662856067894431963795196343",
    )
)
