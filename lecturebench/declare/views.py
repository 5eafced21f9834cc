"""What a method sees of a dataset, beyond the examples as they are stored.

A view makes of a dataset the same dataset with other features: ``view.see(dataset, train)``, where ``train`` are the
positions of the training examples that are fitted. Of them alone it may learn anything, unless its name says otherwise.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    import numpy as np

    from lecturebench.datasets import Dataset

KINDS = {"table": "columns", "images": "images", "text": "texts"}  # what is seen of each kind of data


@dataclass(frozen=True)
class View(ABC):
    """Something to see of a dataset. Its subclasses are frozen dataclasses, whose fields a recipe states.

    kind: of the datasets that it can be had of. words: what was seen, for "Columns …" or "Images …".
    """

    kind: ClassVar[Literal["table", "images"]]

    @property
    @abstractmethod
    def words(self) -> str:
        """What was seen, in words."""

    @abstractmethod
    def see(self, dataset: Dataset, train: np.ndarray) -> Dataset:
        """The dataset as it is seen. train: positions in the training split of the examples that are fitted."""


@dataclass(frozen=True)
class Standardized(View):
    """Every feature less its mean, divided by its standard deviation (n in the denominator); a constant one becomes 0.

    over: "train" takes both over the examples that are fitted. "all" takes them over train and test together: what a
    test example looks like then reaches the model, so it is for published protocols that did so.
    """

    over: Literal["train", "all"] = "train"
    kind = "table"

    def __post_init__(self) -> None:
        if self.over not in ("train", "all"):
            raise ValueError(f"over is {self.over!r}; it must be 'train' or 'all'")

    @property
    def words(self) -> str:
        """Over which examples."""
        return "standardised over train" + (" and test together" if self.over == "all" else "")

    def see(self, dataset: Dataset, train: np.ndarray) -> Dataset:
        """Both splits standardised, in float64."""
        import numpy as np

        everything = self.over == "all"
        over = np.concatenate([dataset.train.X, dataset.test.X]) if everything else dataset.train.X[train]
        X = np.asarray(over, dtype=float)
        mean, spread = X.mean(axis=0), X.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        chosen = "all" if everything else hashlib.sha256(train.astype(np.int64).tobytes()).hexdigest()
        return replace(
            dataset,
            train=replace(dataset.train, X=(dataset.train.X - mean) / spread),
            test=replace(dataset.test, X=(dataset.test.X - mean) / spread),
            digests=dataset.digests | {"standardized on": chosen},
        )


@dataclass(frozen=True)
class AsStored(View):
    """The columns of a table as they are, whatever their units; a table is standardised over train without it."""

    kind = "table"
    words = "as stored"

    def see(self, dataset: Dataset, train: np.ndarray) -> Dataset:
        """The dataset itself."""
        return dataset


@dataclass(frozen=True)
class ShuffledPixels(View):
    """Images whose pixels changed places, all images in the same way; a pixel keeps its colour.

    A network that flattens its input loses nothing by it. One that looks for neighbours no longer finds them.
    seed: of the one permutation, which is the same for every run.
    """

    seed: int = 0
    kind = "images"
    words = "with their pixels shuffled, all in the same way"

    def see(self, dataset: Dataset, train: np.ndarray) -> Dataset:
        """Both splits shuffled; shapes, bytes and labels stay."""
        import numpy as np

        height, width = dataset.train.X.shape[1:3]
        places = np.random.default_rng(self.seed).permutation(height * width)

        def shuffled(X: Any) -> Any:
            return X.reshape(len(X), height * width, -1)[:, places].reshape(X.shape)

        return replace(
            dataset,
            train=replace(dataset.train, X=shuffled(dataset.train.X)),
            test=replace(dataset.test, X=shuffled(dataset.test.X)),
            digests=dataset.digests | {"pixels shuffled by": str(self.seed)},
        )


@dataclass(frozen=True)
class Hog(View):
    """Histograms of oriented gradients: how strongly an image changes in which direction, cell by cell.

    Each cell of ``cell`` x ``cell`` pixels has a histogram of 9 orientations; blocks of 2 x 2 cells, overlapping, are
    scaled to the same size (L2, cut at 0.2, L2 again). A colour image takes at each pixel the channel that changes
    most. Source: Dalal and Triggs 2005, whose cells have 8 pixels, for pedestrians of 64 x 128. By scikit-image.
    """

    cell: int = 8
    kind = "images"

    def __post_init__(self) -> None:
        if self.cell < 2 or self.cell != int(self.cell):
            raise ValueError(f"cell is {self.cell!r}; it must be a whole number of pixels, 2 or above")

    @property
    def words(self) -> str:
        """With the size of a cell."""
        return f"as histograms of gradients in cells of {self.cell} x {self.cell} pixels"

    def see(self, dataset: Dataset, train: np.ndarray) -> Dataset:
        """A table (n, features) of float32, worked out for the examples that are asked for.

        ValueError for images with less than two cells on a side.
        """
        height, width = dataset.train.X.shape[1:3]
        if min(height, width) < 2 * self.cell:
            raise ValueError(
                f"images of {height} x {width} have no block of 2 x 2 cells of {self.cell} x {self.cell} pixels; give "
                f"Hog a cell of at most {min(height, width) // 2}"
            )
        return replace(
            dataset,
            kind="table",
            scale=1.0,
            train=replace(dataset.train, X=_Gradients(dataset.train.X, self.cell)),
            test=replace(dataset.test, X=_Gradients(dataset.test.X, self.cell)),
            digests=dataset.digests | {"histograms of gradients": str(self.cell)},
        )


class _Gradients:
    """The histograms of some images, as an array whose rows are worked out when they are asked for."""

    def __init__(self, images: Any, cell: int) -> None:
        self.images, self.cell = images, cell

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), len(self._of(self.images[0]))

    def __getitem__(self, rows: Any) -> np.ndarray:
        import numpy as np

        return np.stack([self._of(image) for image in self.images[rows]])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype)

    def _of(self, image: np.ndarray) -> np.ndarray:
        import numpy as np
        from skimage.feature import hog

        size = (self.cell, self.cell)
        features = hog(image, orientations=9, pixels_per_cell=size, cells_per_block=(2, 2), channel_axis=-1)
        return np.asarray(features, np.float32)
