"""The table of submissions in the README of Fashion-MNIST (zalandoresearch/fashion-mnist), said once.

Its authors say above it that they have not tested these submissions. All are test accuracies.
"""

from __future__ import annotations

from benchmarks.sources.source import Source
from lecturebench import assumed, stated

README = "zalandoresearch/fashion-mnist, README at b2617bb"
CODE = "zalandoresearch/fashion-mnist, benchmark/convnet.py"

SUBMISSIONS = Source(
    source=f"{README}, table of submissions",
    slide="Convolutional Neural Network",
    dataset="fashion_mnist",
    metric="accuracy",
    protocol={
        "data": stated("60,000 train, 10,000 test", README),
        "status": stated("sent in, and not tested by the dataset's authors", f"{README}, line 154"),
        "runs": assumed("one", "the table prints one number and no spread"),
    },
)

# By submission, as printed.
PRINTED = {
    "2 conv + pooling, Keras": "0.876",
    "2 conv + pooling, TensorFlow": "0.916",
    "2 conv + pooling, PyTorch, ELU": "0.903",
    "2 conv, under 100K parameters": "0.925",
    "2 conv, 113K parameters": "0.922",
    "2 conv + 3 FC, 1.8M parameters": "0.932",
    "3 conv + batch normalisation": "0.903",
    "3 conv + 2 FC + dropout": "0.926",
    "MLP 256-128-100": "0.8833",
    "HOG + SVM": "0.926",
    "XGBoost": "0.898",
    "ResNet18": "0.949",
    "WRN40-4": "0.967",
}
HUMANS = "0.835"  # of 1,000 test images, by the majority of three people without expertise in fashion

TWO_CONV_TENSORFLOW = {
    "network": stated(
        "conv 32 5x5, ReLU, max pool 2x2, conv 64 5x5, ReLU, max pool 2x2, dense 1024, ReLU, dropout 0.4, softmax; "
        "convolutions keep the size",
        CODE,
    ),
    "optimiser": stated("plain SGD, rate 0.001", CODE),
    "batch size": stated("400", CODE),
    "steps": stated("200,000, about 1,333 epochs of all 60,000; evaluated after every 2,000", CODE),
    "which evaluation": assumed(
        "the last", "100 are made and no source says which one the table has; an older README says '>300 epochs'"
    ),
}
TWO_CONV_KERAS = {
    "network": stated("2 conv + pooling", README),
    "training": assumed("that of our other networks", "the table links no code for its 0.876"),
}
HOG_SVM = {
    "features": stated("histogram of oriented gradients", README),
    "classifier": stated("support vector machine", README),
    "parameters": assumed("chosen on validation data", "the table prints neither cells nor kernel nor penalty"),
}
BOOSTING = {
    "method": stated("gradient boosting, XGBoost", README),
    "parameters": assumed("chosen on validation data or defaults", "not read in the submission itself"),
}
