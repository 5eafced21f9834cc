"""The convnet of Keras' examples in PyTorch by hand: data in memory with channels last, and batches by index.

``python torch_convnet.py mnist.npz --seed 0 --threads 2``; the last line that it prints is JSON.
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
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
parser.add_argument("--threads", type=int, required=True)
arguments = parser.parse_args()
device = torch.device("cuda" if arguments.device == "gpu" else "cpu")

torch.set_num_threads(arguments.threads)
torch.manual_seed(arguments.seed)
with np.load(arguments.mnist) as data:
    x_train, x_test = (
        torch.from_numpy(data[name].reshape(-1, 1, 28, 28).astype("float32") / 255)
        .to(device)
        .to(memory_format=torch.channels_last)
        for name in ("x_train", "x_test")
    )
    y_train, y_test = (torch.from_numpy(data[name].astype("int64")).to(device) for name in ("y_train", "y_test"))
n = len(x_train) * 9 // 10
x_validation, y_validation = x_train[n:], y_train[n:]
loaded = time.time()

model = nn.Sequential(
    *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10)),
).to(device, memory_format=torch.channels_last)
optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7, foreach=True)  # Keras' epsilon
cross_entropy = nn.CrossEntropyLoss()


def error(x, y):
    """Share of wrong predictions, nothing dropped, a thousand images at once."""
    model.eval()
    with torch.no_grad():
        return torch.cat([model(part).argmax(1) for part in x.split(1000)]).ne(y).float().mean().item()


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
