"""Reads images by class out of folders: PATH/train/CLASS/* and PATH/test/CLASS/*, or PATH/CLASS/* without a split.

`scan` says which files are read, and nothing else is: the arrays and the fingerprint both go by it. Links to files and
folders are followed; no folder is looked into deeper than its class, so that they cannot run in a circle.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lecturebench.datasets.pictures import Pictures, shown
from lecturebench.errors import UsageError

if TYPE_CHECKING:
    from lecturebench.datasets.description import Described

# A word of a folder's name that says its split, as in Training, test_set, val2017 or imagesTest.
SPLIT = re.compile(r"(train|test|val)(?:ing|id|idation)?(?:set|data)?")
# What file managers, archives and tools leave behind.
LITTER = {
    "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "$recycle.bin",
    ".ds_store", ".localized", ".appledouble", ".appledesktop", ".spotlight-v100", ".fseventsd", ".trashes",
    ".temporaryitems", ".documentrevisions-v100", ".directory", ".thumbnails", ".picasa.ini", ".nomedia",
    ".dropbox", ".dropbox.attr", ".dropbox.cache", ".stfolder", ".stversions", ".stignore",
    ".git", ".gitignore", ".gitattributes", ".gitkeep", ".gitmodules", ".keep", ".svn", ".hg", ".hgignore",
    ".dvc", ".dvcignore", ".ipynb_checkpoints", ".vscode", ".idea",
}  # fmt: skip
LITTER_BEGINS = ("._", ".nfs", ".trash-", ".fuse_hidden")


@dataclass(frozen=True)
class Folder:
    """A listing, without litter. folders, files: the entries by name in order, links followed."""

    path: Path
    folders: dict[str, os.DirEntry[str]]
    files: dict[str, os.DirEntry[str]]


@dataclass
class Layout:
    """What is read: by split ("train", "test", "val", or "" without one), then by class, the image files in order.

    left_out: paths below the root that are not read, for the notes; litter: those that nobody put there. named: by
    split, a folder that is only like it in name. within: folders that were read in place of those of the same name that
    hold them.
    """

    splits: dict[str, dict[str, list[os.DirEntry[str]]]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    litter: set[str] = field(default_factory=set)
    named: dict[str, str] = field(default_factory=dict)
    within: list[str] = field(default_factory=list)

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
    return _Scan(path).look()


def read(path: Path) -> Described:
    """The images of a folder, all of one size and mode, and what was done to get them. UsageError names the file."""
    import numpy as np

    from lecturebench.datasets import digests, labels
    from lecturebench.datasets.description import Described, Reading
    from lecturebench.datasets.splits import every_fifth

    layout = scan(path)
    pictures = Pictures(path)
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
    notes = pictures.notes()
    if layout.named:
        notes.append(f"By their names: {labels.listed(f'{split} is {name}/' for split, name in layout.named.items())}.")
    if layout.within:
        notes.append(f"Read from within a folder of the same name: {labels.listed(layout.within)}.")
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
    notes += _doubts(decoded.classes, set(parts))
    reading = Reading(target="folder name", split=split, notes=(*notes, *labels.notes(decoded)))
    return Described(**vars(decoded), reading=reading)


def split_of(name: str, beside: Collection[str] = ()) -> str | None:
    """The split that a folder's name says ("train", "test" or "val") by one of its words; None for none or several.

    beside: the names of all folders; two that differ only in train and test say it as well, be it in no word.
    """
    words = re.split(r"[\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold())
    splits = {said[1] for said in map(SPLIT.fullmatch, words) if said}
    for split, other in (("train", "test"), ("test", "train")):
        if split in name.casefold() and name.casefold().replace(split, other) in map(str.casefold, beside):
            splits.add(split)
    return splits.pop() if len(splits) == 1 else None


def _is_litter(name: str) -> bool:
    return name.casefold() in LITTER or name.casefold().startswith(LITTER_BEGINS)


def _doubts(classes: Sequence[str], splits: Collection[str]) -> list[str]:
    """What may be wrong with the names of classes, a sentence each."""
    import numpy as np

    from lecturebench.datasets import labels

    doubts = []
    like_splits = [name for name in classes if split_of(name)]
    if like_splits and "" in splits:
        doubts.append(
            f"By their names these may be splits, and are taken for classes since they hold images: "
            f"{labels.listed(like_splits)}."
        )
    absent = [classes[i] for i in labels.missing(np.array(classes))]
    if absent:
        doubts.append(f"Class {labels.listed(map(repr, absent))} may stand for no label: is it a class?")
    return doubts


class _Scan:
    """One look through the folders."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.layout = Layout()
        self.known: dict[tuple[int, int], Path] = {}

    def look(self) -> Layout:
        if not self.path.is_dir():
            self._fail("there is no such folder")
        root = self._unwrapped(self._listing(self.path))
        splits = self._splits(root)
        if not splits:
            self.layout.splits[""] = self._classes(root)
            return self.layout
        for missing, other in (("train", "test"), ("test", "train")):
            if missing not in splits:
                has = splits.get(other) or splits["val"]
                also = f"; rename {splits['val']}/ if it is what methods are tested on" if "val" in splits else ""
                self._fail(f"it has {shown(has)}/ but no {missing}/{shown(also)}")
        self._leave_out({name: entry for name, entry in root.folders.items() if name not in splits.values()})
        for split in sorted(splits, key=("train", "val", "test").index):
            self.layout.splits[split] = self._classes(self._unwrapped(self._listing(root.path / splits[split])))
        return self.layout

    def _splits(self, root: Folder) -> dict[str, str]:
        """By split, the name of its folder; none where the folders are classes, be one of them called Train."""
        named: dict[str, list[str]] = {}
        for name in root.folders:
            split = split_of(name, root.folders)
            if split:
                named.setdefault(split, []).append(name)
        for split, names in named.items():  # beside train/, a train_masks/ is another thing
            named[split] = [name for name in names if SPLIT.fullmatch(name.casefold())] or names
        nested = [name for names in named.values() for name in names if self._listing(root.path / name).folders]
        if not (nested or named.keys() >= {"train", "test"} or len(named) == len(root.folders)):
            return {}
        for names in named.values():
            if len(names) > 1:
                self._fail(f"{shown(names[0])}/ and {shown(names[1])}/ both name a split; which is it?")
        splits = {split: names[0] for split, names in named.items()}
        self.layout.named = {
            split: shown(name) for split, name in splits.items() if not SPLIT.fullmatch(name.casefold())
        }
        return splits

    def _unwrapped(self, folder: Folder) -> Folder:
        """The folder, or the one of the same name that it holds and that holds the others: an archive unpacked twice.

        Files that lie beside it are left out.
        """
        self._leave_out(folder.files)
        inner = folder.folders.get(os.path.basename(os.path.abspath(folder.path)))
        if inner is None or len(folder.folders) > 1:
            return folder
        listing = self._listing(Path(inner.path))
        if not listing.folders:
            return folder
        self.layout.within.append(self._below(inner))
        return self._unwrapped(listing)

    def _classes(self, split: Folder) -> dict[str, list[os.DirEntry[str]]]:
        """By class, in the order of their names, the images of a folder of class folders."""
        classes: dict[str, list[os.DirEntry[str]]] = {}
        for folder in split.folders.values():
            listing = self._listing(Path(folder.path))
            if listing.folders:
                inner = sorted(listing.folders)
                hint = f"did you mean folder:{shown(folder.path)}?" if len(split.folders) == 1 else "move its images up"
                self._fail(
                    f"class folder {self._below(folder)}/ holds folders itself ({shown(inner[0])}/): {hint}; "
                    "splits are called train, test and val"
                )
            if not listing.files:
                self._fail(f"class folder {self._below(folder)}/ has no images; put some in, or remove it")
            for entry in (folder, *listing.files.values()):
                if entry.name.startswith("."):
                    self._fail(f"{self._below(entry)} is hidden: rename it if it is to be read, or move it out")
            name = shown(folder.name)
            if name in classes:
                self._fail(f"two class folders are shown as {name}; give them names in UTF-8")
            classes[name] = list(listing.files.values())
        if not classes:
            n = f", but {len(split.files)} files" if split.files else ""
            hint = "" if split.path == self.path else "; if it is a class, give it a name without train, test and val"
            self._fail(f"no folders in {shown(split.path)}{n}; it must hold one folder per class{hint}")
        return classes

    def _listing(self, folder: Path) -> Folder:
        listed = Folder(folder, {}, {})
        try:
            about = os.stat(folder)
            with os.scandir(folder) as entries:
                for entry in sorted(entries, key=lambda entry: os.fsencode(entry.name)):
                    if _is_litter(entry.name):
                        self.layout.litter.add(self._below(entry))
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
        self.layout.left_out += [self._below(entry) for entry in entries.values()]

    def _below(self, entry: os.DirEntry[str]) -> str:
        return shown(os.path.relpath(entry.path, self.path))

    def _fail(self, why: str) -> NoReturn:
        raise UsageError(f"folder:{self.path}: {why}")
