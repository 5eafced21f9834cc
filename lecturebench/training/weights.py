"""First weights: every variable of a network that starts at random is drawn by NumPy, from the run's own stream.

Keras draws with the backend's generator and remembers nothing of it: one seed gives other weights on another backend,
and a network that is used again starts where the process left it. So a network is watched while it is built: which
initialiser made which variable, however deep it is nested. Those that draw are called again for each run, with Keras'
random functions in NumPy's hands. What starts at random in another way is named and refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TRUNCATED_AT_TWO = 0.87962566103423978  # standard deviation of a standard normal cut off at two


@dataclass
class Watch:
    """What happened while a network was built, by the id of the variable. kept: so that no id is used twice.

    by_numpy: first values are drawn by NumPy: a run draws them anew, and JAX would take a second to compile them.
    """

    by_numpy: bool = True
    initializers: dict[int, Callable[..., Any]] = field(default_factory=dict)
    assigned: set[int] = field(default_factory=set)
    seeds: set[int] = field(default_factory=set)
    kept: list[Any] = field(default_factory=list)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take down the variables and seed generators that are made inside."""
        import keras

        made, assign, seeded = keras.Variable.__init__, keras.Variable.assign, keras.random.SeedGenerator.__init__

        def make(variable: Any, initializer: Any, *args: Any, **kwargs: Any) -> Any:
            self.kept.append(variable)
            if not isinstance(initializer, str) and not callable(initializer):
                return made(variable, initializer, *args, **kwargs)
            self.initializers[id(variable)] = keras.initializers.get(initializer)
            with _numpys(np.random.default_rng(0)) if self.by_numpy else nullcontext():
                return made(variable, initializer, *args, **kwargs)

        def take(variable: Any, value: Any) -> Any:
            self.assigned.add(id(variable))
            return assign(variable, value)

        def seed(generator: Any, *args: Any, **kwargs: Any) -> None:
            seeded(generator, *args, **kwargs)
            self.seeds.add(id(generator.state))

        with (
            replaced(keras.Variable, {"__init__": make, "assign": take}),
            replaced(keras.random.SeedGenerator, {"__init__": seed}),
        ):
            yield


class Start:
    """How the variables of one network start. draws: whether any is drawn.

    ValueError, in one line with layer and variable, for one that starts at random without an initialiser that the run
    could call again.
    """

    def __init__(self, build: Callable[[], Any]) -> None:
        watch = Watch()
        with watch.watching():
            self.model = build()
        if watch.assigned & watch.initializers.keys():
            # The builder may make something of first values, by a seed of their own perhaps: then of Keras' own.
            watch = Watch(by_numpy=False)
            with watch.watching():
                self.model = build()
        self.initializers: dict[int, Callable[..., Any]] = {}
        self.seeds = {i for i, variable in enumerate(self._variables) if id(variable) in watch.seeds}
        left = {}
        for i, variable in enumerate(self._variables):
            if i in self.seeds:
                continue
            initializer = watch.initializers.get(id(variable))
            if initializer is None or id(variable) in watch.assigned:
                left[i] = variable
            elif self._draws(variable, initializer):
                self.initializers[i] = initializer
        if left:
            self._unchanged(left, build)

    @property
    def _variables(self) -> list[Any]:
        return [*self.model.trainable_variables, *self.model.non_trainable_variables]

    def draw(self, fresh: list[np.ndarray], weights: np.random.Generator, layers: np.random.Generator) -> list[Any]:
        """``fresh``, as ``Steps.weights`` gave it, with all that starts at random drawn anew.

        weights: draws the variables, in their order. layers: seeds the generators of Keras' own random layers.
        """
        values = list(fresh)
        with _numpys(weights):
            for i, variable in enumerate(self._variables):
                if i in self.initializers:
                    values[i] = _called(self.initializers[i], variable)
        for i in sorted(self.seeds):
            values[i] = np.array([layers.integers(2**31), 0], values[i].dtype)
        return values

    def _draws(self, variable: Any, initializer: Callable[..., Any]) -> bool:
        """Whether it draws. Called twice alike it must give the same, and the variable's own value if it draws not."""
        values, counts = [], []
        for _ in range(2):
            with _numpys(np.random.default_rng(0)) as numpys:
                values.append(_called(initializer, variable))
            counts.append(numpys.count)
        if not counts[0]:
            values[0] = _value(variable)
        if not _same(*values):
            how = f"{getattr(initializer, '__qualname__', type(initializer).__name__)} draws without keras.random"
            raise ValueError(f"{_named(variable)} starts at random and {how}: no seed of a run reaches it")
        return counts[0] > 0

    def _unchanged(self, left: Mapping[int, Any], build: Callable[[], Any]) -> None:
        """Variables that no initialiser explains must be the same whenever the network is built."""
        again = build()
        others = [*again.trainable_variables, *again.non_trainable_variables]
        for i, variable in left.items():
            if i >= len(others) or others[i] is variable:
                raise ValueError(
                    f"{_named(variable)} was made before the network: earlier runs would have trained it; make its "
                    "layer inside the function that builds the network"
                )
            if not _same(_value(variable), _value(others[i])):
                raise ValueError(
                    f"{_named(variable)} starts at random and without an initialiser: no seed of a run reaches it; "
                    "make it by add_weight(initializer=…)"
                )


def draw_weights(model: Any, fresh: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """``fresh`` with each weight that starts at random drawn by ``rng``, as a run of the same network draws them.

    model: of Keras' sequential or functional kind. fresh: its trainable variables, then the others, then whatever else.
    """
    import keras

    return Start(lambda: keras.models.clone_model(model)).draw(fresh, rng, np.random.default_rng(0))


def variance_scaling(
    shape: tuple[int, ...], scale: float, mode: str, distribution: str, rng: np.random.Generator,
    fans: tuple[int, int] | None = None,
) -> np.ndarray:  # fmt: skip
    """Weights (…, inputs, outputs) with variance scale / fan: Glorot, He and LeCun are choices of scale and mode.

    mode: fan_in, fan_out or fan_avg. distribution: uniform, untruncated_normal or truncated_normal (cut at two
    standard deviations). fans: inputs and outputs where the shape does not say them.
    Source: Glorot & Bengio 2010, eq. 16; He et al. 2015, sec. 2.2.
    """
    if fans is None and len(shape) < 2:
        fans = (math.prod(shape), math.prod(shape))
    field_size = math.prod(shape[:-2])
    fan_in, fan_out = fans or (shape[-2] * field_size, shape[-1] * field_size)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    variance = scale / max(1.0, fan)
    if distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return rng.uniform(-limit, limit, shape).astype(np.float32)
    if distribution == "untruncated_normal":
        return rng.normal(0.0, math.sqrt(variance), shape).astype(np.float32)
    return (_cut_normal(shape, rng) * math.sqrt(variance) / TRUNCATED_AT_TWO).astype(np.float32)


def orthogonal(shape: tuple[int, ...], gain: float, rng: np.random.Generator) -> np.ndarray:
    """Weights (…, outputs) whose columns, or rows where those are fewer, are orthonormal times ``gain``.

    The Q of a normal matrix, its signs such that every such matrix is equally likely. Source: Saxe et al. 2014.
    """
    rows, columns = math.prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))
    return np.asarray(gain * (q if rows >= columns else q.T).reshape(shape), np.float32)


def _cut_normal(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Standard normal numbers, those beyond two drawn again."""
    normal = np.asarray(rng.normal(size=shape))
    while (far := np.abs(normal) > 2).any():
        normal[far] = rng.normal(size=int(far.sum()))
    return normal


class _Numpys:
    """Keras' random functions, drawn by ``rng`` in the order of their calls; what they say of seeds is passed over."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.count = rng, 0

    def drawn(self, values: Any, dtype: Any) -> Any:
        """Values as a tensor of the backend."""
        import keras

        self.count += 1
        return keras.ops.convert_to_tensor(np.asarray(values), dtype=dtype or keras.config.floatx())

    def normal(self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
        return self.drawn(self.rng.normal(mean, stddev, shape), dtype)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
    ) -> Any:
        return self.drawn(mean + _cut_normal(tuple(shape), self.rng) * stddev, dtype)

    def uniform(self, shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
        return self.drawn(self.rng.uniform(minval, maxval, shape), dtype)

    def randint(self, shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
        return self.drawn(self.rng.integers(minval, maxval, shape), dtype)

    def variance_scaling(self, initializer: Any, shape: Any, dtype: Any = None) -> Any:
        axes = (initializer.input_axes, initializer.output_axes)
        fans = None if None in axes else tuple(math.prod(shape[axis] for axis in each) for each in axes)
        scaled = (tuple(shape), initializer.scale, initializer.mode, initializer.distribution, self.rng, fans)
        return self.drawn(variance_scaling(*scaled), dtype)

    def orthogonal(self, initializer: Any, shape: Any, dtype: Any = None) -> Any:
        return self.drawn(orthogonal(tuple(shape), initializer.gain, self.rng), dtype)


@contextmanager
def _numpys(rng: np.random.Generator) -> Iterator[_Numpys]:
    """Inside, whatever Keras draws eagerly is drawn by ``rng``."""
    import keras
    from keras.src import backend  # where all of Keras draws: its public functions may be imported by name anywhere

    numpys = _Numpys(rng)

    def refused(name: str) -> Callable[..., Any]:
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise ValueError(f"an initialiser draws by keras.random.{name}; use normal, truncated_normal or uniform")

        return refuse

    drawn = {name: getattr(numpys, name) for name in ("normal", "truncated_normal", "uniform", "randint")}
    others = {name: refused(name) for name in ("beta", "binomial", "categorical", "dropout", "gamma", "shuffle")}
    # Whole initialisers where the backends would differ in the last digit, or where the order of rounding counts.
    scaling = {"__call__": lambda initializer, *args, **kwargs: numpys.variance_scaling(initializer, *args, **kwargs)}
    turning = {"__call__": lambda initializer, *args, **kwargs: numpys.orthogonal(initializer, *args, **kwargs)}
    with (
        replaced(backend.random, drawn | others),
        replaced(keras.initializers.VarianceScaling, scaling),
        replaced(keras.initializers.Orthogonal, turning),
    ):
        yield numpys


@contextmanager
def replaced(owner: Any, attributes: Mapping[str, Any]) -> Iterator[None]:
    """``owner`` with other attributes inside; afterwards as it was, whether it had them itself or inherited them."""
    own = {name: vars(owner)[name] for name in attributes if name in vars(owner)}
    for name, value in attributes.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name in attributes:
            if name in own:
                setattr(owner, name, own[name])
            else:
                delattr(owner, name)


def _called(initializer: Callable[..., Any], variable: Any) -> np.ndarray:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(initializer(tuple(variable.shape), dtype=variable.dtype)))


def _value(variable: Any) -> np.ndarray:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(variable))


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    return first.shape == second.shape and bool(np.all((first == second) | ((first != first) & (second != second))))


def _named(variable: Any) -> str:
    layer, _, name = variable.path.rpartition("/")
    return f"layer {layer!r}: its variable {name!r}"
