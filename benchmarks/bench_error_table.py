"""MNIST digits: do two-layer networks beat linear classifiers?

Slide "Why Neural Network?" prints four test errors. The network of slide "Example: MNIST Digits" has 256 and 128
hidden units; it and the softmax regression minimise the cross-entropy of slide "Cross-Entropy Loss",

    -sum_i sum_m y_im log f_m(x_i),    f_m(X) = exp(Z_m) / sum_l exp(Z_l).

The ridge row adds lambda * sum theta^2 over the weights of the two hidden layers. The slide's numbers are those of
ISLP, Table 10.1; the recipe is that of its authors' lab.
"""

from baselines.dummy import most_frequent
from baselines.linear import linear_discriminant, multinomial_logistic
from lecturebench import (
    Baseline,
    Benchmark,
    Choice,
    Network,
    NumberClaim,
    OrderClaim,
    Profile,
    Training,
    assumed,
    stated,
)
from lecturebench.models.dense import softmax_regression, two_layer

BOOK = Training(optimizer="rmsprop", learning_rate=0.001, batch_size=128, epochs=30, validation=0.2)

# No source prints lambda. The grid and the seeds were fixed before the first fit, half a decade a step.
PENALTY = Choice(grid=(1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2), seeds=(1001, 1002, 1003))

METHODS = (
    Network("ridge", "Neural Network + Ridge Regularization", two_layer, BOOK, units=(256, 128), penalty=PENALTY),
    Network("dropout", "Neural Network + Dropout Regularization", two_layer, BOOK, units=(256, 128), rates=(0.4, 0.3)),
    Network(
        "softmax",
        "Multinomial Logistic Regression",
        softmax_regression,
        BOOK,
        notes=("Fitted as the book fits it: one softmax layer, 30 epochs of RMSprop.",),
    ),
    Baseline(
        "logistic",
        "Multinomial Logistic Regression (scikit-learn)",
        multinomial_logistic,
        iterations=100,
        notes=(
            "The same model, fitted by L-BFGS on the whole training split; it stops after 100 iterations at most.",
            "It carries no claim: the published 7.2% comes from the softmax network above.",
        ),
    ),
    Baseline("lda", "Linear Discriminant Analysis", linear_discriminant),
    Baseline("dummy", "Most frequent class", most_frequent, notes=("The floor: it does not look at the image.",)),
)

BOOK_NETWORK = {
    "network": stated("784-256-128-10, ReLU, softmax, 235,146 parameters", "ISLP, sec. 10.2"),
    "loss": stated("cross-entropy", 'slide "Cross-Entropy Loss"; ISLP, sec. 10.7'),
    "data": stated("60,000 train, 10,000 test, pixels / 255", "ISLP, sec. 10.2; R lab, chunks 15 to 19"),
    "batch size": stated("128", "ISLP, sec. 10.7.2"),
    "validation": stated("20% of train held out, 48,000 fitted", "ISLP, sec. 10.7.2"),
}
LAB_TRAINING = {
    "optimiser": stated("RMSprop, Keras' defaults (rate 0.001)", "R lab, chunks 15 to 19"),
    "epochs": stated("30, the last epoch's weights", "R lab, chunks 15 to 19"),
}
ONE_RUN = {"runs": assumed("one", "the book prints one number and no spread")}
RANDOM_SPLIT = "The held-out 20% are drawn by the run's seed; Keras' validation_split takes the last ones."

CLAIMS = (
    NumberClaim(
        method="ridge",
        printed="2.3%",
        dataset="mnist",
        source="ISLP (2023), Table 10.1, p. 406",
        slide="Why Neural Network?",
        protocol=BOOK_NETWORK
        | {
            "penalty": stated("lambda * sum theta^2 on W1 and W2; output weights free", "ISLP, eq. 10.31"),
            "lambda": assumed(
                "chosen on validation data: the largest within one standard error of the best",
                "no source prints it; the book's own rule, sec. 6.1.3",
            ),
            "biases": assumed("free", "the formula sums over weights; no source says"),
            "optimiser": assumed("RMSprop, rate 0.001", "the dropout row's; no lab fits this row"),
            "epochs": assumed("30", "Fig. 10.18 runs to 30"),
        }
        | ONE_RUN,
        deviations=(RANDOM_SPLIT,),
    ),
    NumberClaim(
        method="dropout",
        printed="1.8%",
        dataset="mnist",
        source="ISLP (2023), Table 10.1, p. 406",
        slide="Why Neural Network?",
        protocol=BOOK_NETWORK
        | LAB_TRAINING
        | {"dropout": stated("0.4 after layer 1, 0.3 after layer 2", "R lab, chunks 15 to 19")}
        | ONE_RUN,
        deviations=(RANDOM_SPLIT,),
    ),
    NumberClaim(
        method="softmax",
        printed="7.2%",
        dataset="mnist",
        source="ISLP (2023), Table 10.1, p. 406",
        slide="Why Neural Network?",
        protocol={
            "network": stated("one softmax layer, 7,850 parameters in Keras", "R lab, chunks 20 and 21"),
            "data": BOOK_NETWORK["data"],
            "batch size": stated("128", "R lab, chunks 20 and 21"),
            "validation": stated("20% of train held out", "R lab, chunks 20 and 21"),
        }
        | LAB_TRAINING
        | ONE_RUN,
        deviations=(RANDOM_SPLIT,),
    ),
    NumberClaim(
        method="lda",
        printed="12.7%",
        dataset="mnist",
        source="ISLP (2023), Table 10.1, p. 406",
        slide="Why Neural Network?",
        protocol={
            "method": stated("linear discriminant analysis of sec. 4.4", "ISLP, sec. 10.2"),
            "software": assumed("scikit-learn, solver lsqr", "the book prints no code for this row"),
            "pixels": assumed("all 784, constant ones too", "no source says; scikit-learn's minimum norm handles them"),
            "train size": assumed("all 60,000", "nothing is chosen, so nothing needs to be held out"),
            "priors": assumed("the classes' shares in train", "scikit-learn's and R's default"),
        },
    ),
    OrderClaim(
        order=("dropout", "ridge", "softmax", "lda"),
        dataset="mnist",
        source="ISLP (2023), Table 10.1, p. 406",
        slide="Why Neural Network?",
        protocol={"comparison": assumed("paired by seed on the same 10,000 test images", "the slide compares by eye")},
    ),
)

BENCHMARK = Benchmark(
    title="Why neural network? The lecture's error table",
    methods=METHODS,
    claims=CLAIMS,
    datasets=("mnist", "fashion_mnist", "cifar10", "digits"),
    stand_in="digits",
    profiles={
        "smoke": Profile(
            seeds=1, dataset="digits", epochs=2, train_size=512, grid=2, choice_seeds=2, judges=False, time_limit=300
        ),
        "lecture": Profile(seeds=5, time_limit=1800),
        "full": Profile(seeds=20, time_limit=3600),
    },
)
