"""The lecture's layers in scikit-learn's MLPClassifier, which has neither dropout nor RMSprop: Adam, and no mask.

``early_stopping`` is how it holds out a fifth and looks at it after each epoch; it stops nothing here.
``python sklearn_mlp.py mnist.npz --seed 0``; the last line that it prints is JSON.
"""

import argparse
import json
import resource
import time
import warnings

import numpy as np
import psutil
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("mnist")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=10)
arguments = parser.parse_args()

with np.load(arguments.mnist) as data:
    x_train, x_test = (data[name].reshape(-1, 784).astype("float32") / 255 for name in ("x_train", "x_test"))
    y_train, y_test = data["y_train"], data["y_test"]
loaded = time.time()

warnings.simplefilter("ignore", ConvergenceWarning)  # so many epochs and no more are meant
model = MLPClassifier(
    hidden_layer_sizes=(256, 128),
    batch_size=128,
    max_iter=arguments.epochs,
    early_stopping=True,
    validation_fraction=0.2,
    n_iter_no_change=arguments.epochs,
    random_state=arguments.seed,
)
predicted = model.fit(x_train, y_train).predict(x_test)
seconds = time.time() - loaded

said = {
    "start_seconds": loaded - psutil.Process().create_time(),
    "seconds": seconds,
    "error": float(np.mean(predicted != y_test)),
    "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    "versions": {"scikit-learn": sklearn.__version__},
}
print(json.dumps(said))
