"""The lecture's network in PyTorch by hand: all data in memory, or on the card, and batches by index.

``python torch_memory.py mnist.npz --seed 0 --threads 2``; the last line that it prints is JSON.
"""

import argparse
import json
import resource
import time

import numpy as np
import psutil
import torch
from torch import nn

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("mnist")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
parser.add_argument("--threads", type=int, required=True)
arguments = parser.parse_args()
device = torch.device("cuda" if arguments.device == "gpu" else "cpu")

torch.set_num_threads(arguments.threads)
torch.manual_seed(arguments.seed)
with np.load(arguments.mnist) as data:
    x_train, x_test = (
        torch.from_numpy(data[name].reshape(-1, 784).astype("float32") / 255).to(device)
        for name in ("x_train", "x_test")
    )
    y_train, y_test = (torch.from_numpy(data[name].astype("int64")).to(device) for name in ("y_train", "y_test"))
n = len(x_train) * 4 // 5
x_validation, y_validation = x_train[n:], y_train[n:]
loaded = time.time()

model = nn.Sequential(
    *(nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.4)),
    *(nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.3)),
    nn.Linear(128, 10),
).to(device)
# Keras' RMSprop: PyTorch's own defaults are a rate of 0.01 and a decay of 0.99.
optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001, alpha=0.9, eps=1e-7, foreach=True)
cross_entropy = nn.CrossEntropyLoss()


def error(x, y):
    """Share of wrong predictions, nothing dropped."""
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) != y).float().mean().item()


for _ in range(arguments.epochs):
    model.train()
    for batch in torch.randperm(n, device=device).split(128):
        optimizer.zero_grad()
        loss = cross_entropy(model(x_train[batch]), y_train[batch])
        loss.backward()
        optimizer.step()
    error(x_validation, y_validation)
test_error = error(x_test, y_test)
seconds = time.time() - loaded

said = {
    "start_seconds": loaded - psutil.Process().create_time(),
    "seconds": seconds,
    "error": test_error,
    "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    "versions": {"torch": str(torch.__version__)},
}
print(json.dumps(said))
