"""What the examples of keras.io print, said once: code and output of one run each, by the makers of the library."""

from __future__ import annotations

from benchmarks.sources.source import Source
from lecturebench import assumed, stated

CONVNET = "keras-team/keras-io, examples/vision/md/mnist_convnet.md at 38324b7"

MNIST_CONVNET = Source(
    source=CONVNET,
    slide="Convolutional Neural Network",
    metric="accuracy",
    protocol={
        "data": stated("60,000 train, 10,000 test, pixels / 255", CONVNET),
        "network": stated(
            "conv 32 3x3, ReLU, max pool 2x2, conv 64 3x3, ReLU, max pool 2x2, dropout 0.5, softmax: 34,826 parameters",
            CONVNET,
        ),
        "loss": stated("cross-entropy", CONVNET),
        "optimiser": stated("Adam, Keras' defaults (rate 0.001, epsilon 1e-7)", CONVNET),
        "batch size": stated("128", CONVNET),
        "epochs": stated("15, the last epoch's weights", CONVNET),
        "validation": stated("the last 10% of train held out, 54,000 fitted", f"{CONVNET}: validation_split"),
        "runs": assumed("one", "the page shows the output of one"),
    },
)
# The page prints 0.9922000169754028, which is the float32 next to 0.9922: 9,922 of 10,000 digits, an error of 0.78%.
MNIST_ACCURACY = "0.9922"
MNIST_PARAMETERS = 34_826
