"""Training steps on PyTorch: a plain loop over data that already lies in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from lecturebench.training.backends.objective import objective, random_layers


def prepare(threads: int, device: str) -> None:
    """Set threads and reproducible kernels. Keras takes the GPU if it sees one: the worker hides it for `cpu`."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)


def gpu_name() -> str | None:
    """The first GPU that PyTorch sees, or None."""
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


def threads_used() -> int:
    """Threads of one operation, as PyTorch has them."""
    return int(torch.get_num_threads())


def gradient(function: Callable[..., Any], values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The gradient of a scalar function at float64 arrays, one array for each."""
    point = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values]
    return [slope.numpy() for slope in torch.autograd.grad(function(*point), point)]


def seed_by(values: Sequence[np.ndarray]) -> None:
    """Seed PyTorch's own generator by what a run starts from, the states of Keras' generators among it.

    On PyTorch, Keras' dropout passes over its generator and draws by this one.
    """
    content = hashlib.sha256(b"".join(np.ascontiguousarray(value).tobytes() for value in values))
    torch.manual_seed(int.from_bytes(content.digest()[:7]))


class Steps:
    """Training steps of one model, on the training set that was loaded last; see the TensorFlow one for shapes."""

    def __init__(self, model: Any, optimizer: Any, task: str, scale: float) -> None:
        self.model, self.optimizer, self.task, self.scale = model, optimizer, task, scale
        self.random_layers = random_layers(model)
        self.kernels = {"update": f"Keras' {type(optimizer).__name__}"}
        self.device = next(iter(model.variables)).value.device

    def load(self, X: np.ndarray, y: np.ndarray) -> None:
        """Place a training set."""
        self.X, self.y = self._tensor(X), self._tensor(y)

    def train(self, batches: np.ndarray, masks: list[np.ndarray]) -> tuple[float, float]:
        """One step for each row of ``batches``; the summed loss and error."""
        order = self._tensor(batches)
        drawn = [self._tensor(mask) for mask in masks]
        loss = torch.zeros((), device=self.device)
        error = torch.zeros((), device=self.device)
        for i in range(len(batches)):
            step_loss, step_error = self._step(order[i], [mask[i] for mask in drawn])
            loss += step_loss
            error += step_error
        return float(loss) * batches.shape[1], float(error)

    def compile(self, batches: np.ndarray, masks: list[np.ndarray]) -> None:
        """Nothing to do: PyTorch runs each step as it comes."""

    def outputs(self, X: np.ndarray) -> np.ndarray:
        """The network's linear outputs (n, outputs) for one batch of X as stored."""
        with torch.no_grad():
            return self.model(self._inputs(self._tensor(X)), training=False).cpu().numpy()  # type: ignore[no-any-return]

    def weights(self) -> list[np.ndarray]:
        """All that training changes: trainable and other variables of the model, then the optimiser's."""
        return [np.array(variable.value.detach().cpu()) for variable in self._variables()]

    def set_weights(self, values: list[np.ndarray]) -> None:
        """Put back what ``weights`` gave."""
        for variable, value in zip(self._variables(), values, strict=True):
            variable.assign(value)
        seed_by(values)

    def _variables(self) -> list[Any]:
        return [*self.model.trainable_variables, *self.model.non_trainable_variables, *self.optimizer.variables]

    def _tensor(self, values: np.ndarray) -> Any:
        return torch.from_numpy(np.array(values)).to(self.device)

    def _inputs(self, x: Any) -> Any:
        return x.to(torch.float32) * self.scale

    def _step(self, batch: Any, masks: list[Any]) -> tuple[Any, Any]:
        for layer, mask in zip(self.random_layers, masks, strict=True):
            layer.mask = mask
        z = self.model(self._inputs(self.X[batch]), training=True)
        loss, error = objective(self.task, self.y[batch], z)
        loss = sum(self.model.losses, start=loss)
        variables = self.model.trainable_variables
        gradient = torch.autograd.grad(loss, [variable.value for variable in variables])
        with torch.no_grad():
            self.optimizer.apply(list(gradient), variables)
        return loss.detach(), error.detach()
