"""The same networks in PyTorch by hand, with its native ``nn.LSTM`` and ``scaled_dot_product_attention``: data in
memory, and batches by index.

``python torch_reviews.py reviews.npz --network lstm --threads 2``; with ``--bucket 32`` each batch is of reviews of one
length, rounded up to a multiple of 32 words. The last line that it prints is JSON.
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
parser.add_argument("reviews", help="x_train, y_train, x_test, y_test: rows of words' numbers, 0 or 1")
parser.add_argument("--network", choices=("lstm", "transformer"), required=True)
parser.add_argument("--bucket", type=int, help="words; all rows are seen whole by default")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
parser.add_argument("--threads", type=int, required=True)
arguments = parser.parse_args()
device = torch.device("cuda" if arguments.device == "gpu" else "cpu")

torch.set_num_threads(arguments.threads)
torch.manual_seed(arguments.seed)
with np.load(arguments.reviews) as data:
    x_train, y_train, x_test, y_test = (
        torch.from_numpy(data[name].astype("int64")).to(device) for name in ("x_train", "y_train", "x_test", "y_test")
    )
rows, length = int(x_train.max()) + 1, x_train.shape[1]
loaded = time.time()


class Lstm(nn.Module):  # type: ignore[misc]
    def __init__(self):
        super().__init__()
        self.words, self.lstm, self.answer = nn.Embedding(rows, 32), nn.LSTM(32, 32, batch_first=True), nn.Linear(32, 2)

    def forward(self, x):
        return self.answer(self.lstm(self.words(x))[0][:, -1])


class Transformer(nn.Module):  # type: ignore[misc]
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(rows, 32), nn.Embedding(length, 32)
        self.queries, self.keys, self.values = (nn.Linear(32, 64) for _ in range(3))  # 2 heads of 32
        self.together, self.norms = nn.Linear(64, 32), nn.ModuleList(nn.LayerNorm(32, eps=1e-6) for _ in range(2))
        self.dense = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32))
        self.drop = nn.Dropout(0.1)
        self.answer = nn.Sequential(nn.Dropout(0.1), nn.Linear(32, 20), nn.ReLU(), nn.Dropout(0.1), nn.Linear(20, 2))

    def forward(self, x):
        x = self.words(x) + self.places.weight
        q, k, v = (part(x).unflatten(-1, (2, 32)).transpose(1, 2) for part in (self.queries, self.keys, self.values))
        looked_up = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2)
        x = self.norms[0](x + self.drop(self.together(looked_up)))
        x = self.norms[1](x + self.drop(self.dense(x)))
        return self.answer(x.mean(dim=1))


def widths(x):
    """Of each row how many of its last numbers are seen."""
    if arguments.bucket is None:
        return torch.full((len(x),), length)
    words = (x != 0).sum(dim=1).clamp(min=1)
    return (-(-words // arguments.bucket) * arguments.bucket).clamp(max=length)


def batches(widths, size, shuffled):
    """Indices of rows of one width each, with that width."""
    order = torch.randperm(len(widths)) if shuffled else torch.arange(len(widths))
    each = [(width, part) for width in widths.unique().tolist() for part in order[(widths == width)[order]].split(size)]
    return [each[i] for i in torch.randperm(len(each))] if shuffled else each


if arguments.network == "lstm":
    model, size = Lstm().to(device), 128
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001, alpha=0.9, eps=1e-7, foreach=True)  # Keras' numbers
else:
    model, size = Transformer().to(device), 32
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7, foreach=True)
cross_entropy = nn.CrossEntropyLoss()
train_widths, test_widths = widths(x_train.cpu()), widths(x_test.cpu())
for _ in range(arguments.epochs):
    model.train()
    for width, batch in batches(train_widths, size, shuffled=True):
        optimizer.zero_grad()
        loss = cross_entropy(model(x_train[batch][:, -width:]), y_train[batch])
        loss.backward()
        optimizer.step()
model.eval()
with torch.no_grad():
    wrong = sum(
        int(model(x_test[batch][:, -width:]).argmax(1).ne(y_test[batch]).sum())
        for width, batch in batches(test_widths, 1000, shuffled=False)
    )
seconds = time.time() - loaded

said = {
    "start_seconds": loaded - psutil.Process().create_time(),
    "seconds": seconds,
    "error": wrong / len(x_test),
    "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    "versions": {"torch": str(torch.__version__)},
}
print(json.dumps(said))
