"""Reads images by class out of folders: PATH/train/CLASS/* and PATH/test/CLASS/*, or PATH/CLASS/* without a split.

`scan` says which files are read, and nothing else is: the arrays and the fingerprint both go by it. Links to files and
folders are followed; no folder is looked into deeper than its class, so that they cannot run in a circle.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from lecturebench.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from lecturebench.datasets.description import Described

SPLIT_OF = {
    "train": "train", "training": "train", "test": "test", "testing": "test",
    "val": "val", "valid": "val", "validation": "val",
}  # fmt: skip
# What file managers and archives leave behind; so do names that start with a dot.
LITTER = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "$recycle.bin"}

# Formats whose depth is known to be 8 bits or can be told; others, JPEG 2000 for one, are cut to 8 bits unsaid.
FORMATS = ("PNG", "JPEG", "MPO", "GIF", "BMP", "TIFF", "WEBP", "PPM")
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
BITS_PER_SAMPLE, ORIENTATION = 258, 274

TURNED = "turned upright as their EXIF orientation says"
PALETTE = "with a palette, read as the colours it stands for"
BLACK_AND_WHITE = "of 1 bit, read as 0 and 255"
FIRST_OF_SEVERAL = "with previews behind the picture (MPO), of which the picture is read"


@dataclass(frozen=True)
class Folder:
    """A listing, without litter. folders, files: the entries by name in order, links followed."""

    path: Path
    folders: dict[str, os.DirEntry[str]]
    files: dict[str, os.DirEntry[str]]


@dataclass
class Layout:
    """What is read: by split ("train", "test", "val", or "" without one), then by class, the image files in order.

    left_out: paths below the root that are not read, for the notes; litter: those that nobody put there.
    """

    splits: dict[str, dict[str, list[os.DirEntry[str]]]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    litter: set[str] = field(default_factory=set)

    def files(self) -> Iterator[os.DirEntry[str]]:
        for classes in self.splits.values():
            for entries in classes.values():
                yield from entries


def fingerprint(path: Path) -> str:
    """Changes when a file that `read` would read does: by path, size, times and inode, links followed.

    The contents are not read, since large photographs take minutes and this is asked on each load; 10,000 files cost
    0.05 s. A file whose size and modification time were put back is known by its ctime, which the system alone sets.
    """
    layout = scan(path)
    seen = hashlib.sha256("\0".join(layout.left_out).encode())
    for entry in layout.files():
        try:
            about = entry.stat()
        except OSError as error:
            raise UsageError(f"{shown(entry.path)}: it cannot be read: {error.strerror}") from error
        seen.update(os.fsencode(entry.path.removeprefix(str(path))))
        seen.update(f"\0{about.st_size} {about.st_mtime_ns} {about.st_ctime_ns} {about.st_ino}\0".encode())
    return seen.hexdigest()


def scan(path: Path) -> Layout:
    """The files that are read. UsageError for folders that are not laid out as images by class."""
    return _Scan(path).layout()


def read(path: Path) -> Described:
    """The images of a folder, all of one size and mode, and what was done to get them. UsageError names the file."""
    import numpy as np

    from lecturebench.datasets import digests, labels
    from lecturebench.datasets.description import Described, Reading
    from lecturebench.datasets.splits import every_fifth

    layout = scan(path)
    pictures = _Pictures()
    parts = {split: pictures.read(classes) for split, classes in layout.splits.items()}
    if "" in parts:
        X, y = parts[""]
        whole = labels.images(path, [X, X], [y, y]).train
        positions = every_fifth(digests.example_hashes(whole))
        if not len(positions[1]):
            raise UsageError(f"folder:{path}: it has {len(X)} images and no test/; a test split needs at least 5")
        labels.check_drawn(path, y, positions, "lay out train/ and test/ yourself")
        decoded = labels.images(path, [X[part] for part in positions], [y[part] for part in positions])
        split = "every fifth image by hash is for test"
    else:
        training = [parts[split] for split in ("train", "val") if split in parts]
        X, y = (np.concatenate([part[i] for part in training]) for i in (0, 1))
        decoded = labels.images(path, [X, parts["test"][0]], [y, parts["test"][1]])
        split = "as the folders have it"
    notes = [f"{n} image{'s' if n > 1 else ''} {what}." for what, n in pictures.done.items()]
    if pictures.warned:
        notes.append(f"Pillow warned {len(pictures.warned)} times of odd files, first: {pictures.warned[0]}")
    if "val" in parts:
        n = [len(part[1]) for part in training]
        notes.append(
            f"Train is {n[0]} images and the {n[1]} of validation: a run draws its validation examples from both."
        )
    if layout.left_out:
        notes.append(f"Not read, since they lie in no class folder: {labels.listed(layout.left_out)}.")
    if layout.litter:
        notes.append(
            f"Not read: {len(layout.litter)} that file managers leave behind (.DS_Store, Thumbs.db and the like)."
        )
    reading = Reading(target="folder name", split=split, notes=(*notes, *labels.notes(decoded)))
    return Described(**vars(decoded), reading=reading)


def shown(name: object) -> str:
    """A path or name for people: bytes that are no UTF-8, which file names may have, as \\xNN."""
    return os.fsencode(str(name)).decode("utf-8", "backslashreplace")


class _Scan:
    """One look through the folders."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found = Layout()
        self.known: dict[tuple[int, int], Path] = {}

    def layout(self) -> Layout:
        if not self.path.is_dir():
            self._fail("there is no such folder")
        root = self._listing(self.path)
        self._leave_out(root.files)
        splits = self._splits(root)
        if not splits:
            self.found.splits[""] = self._classes(root)
            return self.found
        for missing, other in (("train", "test"), ("test", "train")):
            if missing not in splits:
                has = splits.get(other) or splits["val"]
                also = f"; rename {splits['val']}/ if it is what methods are tested on" if "val" in splits else ""
                self._fail(f"it has {has}/ but no {missing}/{also}")
        self._leave_out({name: entry for name, entry in root.folders.items() if name not in splits.values()})
        for split in sorted(splits, key=("train", "val", "test").index):
            listing = self._listing(self.path / splits[split])
            self._leave_out(listing.files)
            self.found.splits[split] = self._classes(listing)
        return self.found

    def _splits(self, root: Folder) -> dict[str, str]:
        """By split, the name of its folder; none where the folders are classes, be one of them called Train."""
        named: dict[str, str] = {}
        for name in root.folders:
            split = SPLIT_OF.get(name.casefold())
            if split in named:
                self._fail(f"{named[split]}/ and {name}/ both name a split; which is it?")
            if split:
                named[split] = name
        if any(self._listing(self.path / name).folders for name in named.values()) or named.keys() >= {"train", "test"}:
            return named
        return {} if len(named) < len(root.folders) else named

    def _classes(self, split: Folder) -> dict[str, list[os.DirEntry[str]]]:
        """By class, in the order of their names, the images of a folder of class folders."""
        classes: dict[str, list[os.DirEntry[str]]] = {}
        for folder in split.folders.values():
            listing = self._listing(Path(folder.path))
            if listing.folders:
                inner = sorted(listing.folders)
                hint = f"did you mean folder:{shown(folder.path)}?" if len(split.folders) == 1 else "move its images up"
                self._fail(f"class folder {self._below(folder)}/ holds folders itself ({shown(inner[0])}/): {hint}")
            if not listing.files:
                self._fail(f"class folder {self._below(folder)}/ has no images; put some in, or remove it")
            name = shown(folder.name)
            if name in classes:
                self._fail(f"two class folders are shown as {name}; give them names in UTF-8")
            classes[name] = list(listing.files.values())
        if not classes:
            self._fail(f"no images in {shown(split.path)}; it must hold one folder per class")
        return classes

    def _listing(self, folder: Path) -> Folder:
        listed = Folder(folder, {}, {})
        try:
            about = os.stat(folder)
            with os.scandir(folder) as entries:
                for entry in sorted(entries, key=lambda entry: os.fsencode(entry.name)):
                    if entry.name.startswith(".") or entry.name.casefold() in LITTER:
                        self.found.litter.add(self._below(entry))
                    elif entry.is_dir():
                        listed.folders[entry.name] = entry
                    elif entry.is_file():
                        listed.files[entry.name] = entry
                    else:
                        self._fail(f"{self._below(entry)} is no file, or a link to nothing; remove it")
        except OSError as error:
            raise UsageError(f"folder:{self.path}: {shown(folder)} cannot be read: {error.strerror}") from error
        other = self.known.setdefault((about.st_dev, about.st_ino), folder)
        if other != folder:
            self._fail(f"{shown(folder)} and {shown(other)} are one and the same folder; remove one of them")
        return listed

    def _leave_out(self, entries: dict[str, os.DirEntry[str]]) -> None:
        self.found.left_out += [self._below(entry) for entry in entries.values()]

    def _below(self, entry: os.DirEntry[str]) -> str:
        return shown(os.path.relpath(entry.path, self.path))

    def _fail(self, why: str) -> NoReturn:
        raise UsageError(f"folder:{self.path}: {why}")


class _Pictures:
    """Reads image files that must be alike. done: what was done to how many; warned: what Pillow found odd."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.warned: list[str] = []
        self.first: tuple[str, tuple[Any, str]] | None = None

    def read(self, classes: dict[str, list[os.DirEntry[str]]]) -> tuple[np.ndarray, np.ndarray]:
        """The images of all classes, (n, h, w, c) uint8, and the name of each one's class."""
        import numpy as np

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            pixels = [self._pixels(entry.path) for entries in classes.values() for entry in entries]
        self.warned += [" ".join(str(warning.message).split()) for warning in caught]
        names = [name for name, entries in classes.items() for _ in entries]
        return np.stack(pixels), np.array(names)

    def _pixels(self, path: str) -> np.ndarray:
        import numpy as np
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(path) as opened:
                image = self._as_channels(opened, path)
                form, content = (image.size, image.mode), np.asarray(image)
        except UnidentifiedImageError as error:
            raise UsageError(f"{shown(path)}: it is no image; move it out of the class folders") from error
        except UsageError:
            raise
        except Exception as error:  # Pillow's readers fail on damaged files in many ways, struct.error for one
            raise UsageError(f"{shown(path)}: it cannot be read as an image: {error}") from error
        if self.first is None:
            self.first = (shown(path), form)
        if form != self.first[1]:
            raise UsageError(
                f"{shown(path)}: {_form(form)}, but {self.first[0]} is {_form(self.first[1])}; all must be alike"
            )
        return content.reshape(*content.shape[:2], CHANNELS[form[1]])

    def _as_channels(self, image: Any, path: str) -> Any:
        """The picture upright and of a mode in `CHANNELS`, its values those of the file; UsageError if it cannot be."""
        from PIL import ImageOps

        if image.format not in FORMATS:
            raise UsageError(f"{shown(path)}: its format is {image.format}; convert it to PNG")
        bits = _bits(image)
        if bits > 8:
            raise UsageError(
                f"{shown(path)}: it has {bits} bits a channel; convert all images to 8 bits by one and the same scale"
            )
        if image.format == "MPO":
            self.done[FIRST_OF_SEVERAL] += 1
        elif getattr(image, "n_frames", 1) > 1:
            raise UsageError(f"{shown(path)}: it holds {image.n_frames} pictures; save each one as a file of its own")
        turned = image.getexif().get(ORIENTATION, 1) in range(2, 9)
        image.load()
        if turned:
            self.done[TURNED] += 1
            image = ImageOps.exif_transpose(image)  # leaves a TIFF alone, which `load` has turned
        if image.mode == "P":
            self.done[PALETTE] += 1
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        elif image.mode == "1":
            self.done[BLACK_AND_WHITE] += 1
            image = image.convert("L")
        if image.mode not in CHANNELS:
            raise UsageError(f"{shown(path)}: its mode is {image.mode}; convert it to 8-bit grey (L) or RGB")
        return image


def _bits(image: Any) -> int:
    """The bits a channel in the file, where there may be more than 8: Pillow gives many such files as 8-bit images."""
    if image.format == "TIFF":
        return int(max(image.tag_v2.get(BITS_PER_SAMPLE, (1,))))
    if image.format == "PPM" and image.tile[0].codec_name == "ppm":
        return int(image.tile[0].args[-1]).bit_length()
    # How PNG and PGM files store a pixel, for example "RGB;16B". In a BMP, ";16" is said of the whole pixel.
    return 16 if image.format in ("PNG", "PPM") and any(";16" in str(tile.args) for tile in image.tile) else 8


def _form(form: Any) -> str:
    (width, height), mode = form
    return f"{width} x {height} {mode}"
