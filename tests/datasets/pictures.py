"""Pictures made up for tests, in files and folders."""

import io

import numpy as np
from PIL import Image

from tests.datasets import build

RNG = np.random.default_rng(0)


def images(n, height=4, channels=3):
    return RNG.integers(0, 256, (n, height, 5, channels) if channels > 1 else (n, height, 5), dtype=np.uint8)


def fill(folder, n=3):
    """n images in a folder, made where it is not there; the pixels are given back."""
    pictures = images(n)
    for i, picture in enumerate(pictures):
        build.png(picture, folder / f"{i}.png")
    return pictures


def split_folder(root, train="train", test="test", classes="ab"):
    for split in (train, test):
        for label in classes:
            fill(root / split / label)
    return f"folder:{root}"


PICTURE = Image.fromarray(images(1)[0])


def encoded(form, picture=PICTURE, **how):
    file = io.BytesIO()
    picture.save(file, format=form, **how)
    return file.getvalue()


def folder_with(tmp_path, **files):
    fill(tmp_path / "a")
    for name, content in files.items():
        path = tmp_path / "b" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return f"folder:{tmp_path}"


def write_all(folder, contents):
    for i, content in enumerate(contents):
        (folder / "ab"[i % 2]).mkdir(exist_ok=True)
        (folder / "ab"[i % 2] / str(i)).write_bytes(content)
    return f"folder:{folder}"
