"""Files of pictures: what is read as what it shows, and what is refused with what to do."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from lecturebench import datasets
from lecturebench.datasets import imagefolder, pictures
from lecturebench.errors import UsageError
from tests.datasets import build
from tests.datasets.pictures import encoded, fill, folder_with, images, write_all
from tests.datasets.reading import notes, refusal

RNG = np.random.default_rng(0)
CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (build.png(images(1, height=6)[0]), "5 x 6 RGB, but .*0.png is 5 x 4 RGB; all must be alike"),
        (build.png(images(1, channels=1)[0]), "5 x 4 L, but .*0.png is 5 x 4 RGB; all must be alike"),
        (build.png(images(1)[0])[:-30], "cannot be read as an image"),
        (build.png(np.zeros((4, 5), np.uint16)), "16 bits a channel; convert"),
        (encoded("TIFF", Image.fromarray(np.zeros((4, 5), np.uint16))), "16 bits a channel"),
        (encoded("TIFF", Image.fromarray(np.zeros((4, 5), np.float32))), "32 bits a channel"),
        (encoded("TIFF", Image.fromarray(np.zeros((4, 5), np.int32))), "32 bits a channel"),
        (encoded("TIFF", Image.new("L", (5, 4)), tiffinfo={339: 2}), "it has numbers below 0"),
        (b"P6 5 4 65535\n" + bytes(120), "16 bits a channel"),
        (b"P5 5 4 65535\n" + bytes(40), "16 bits a channel"),
        (b"P5 5 4 1023\n" + bytes(40), "10 bits a channel"),
        (b"P3 5 4 65535\n" + b"9 " * 60, "16 bits a channel"),
        (encoded("JPEG", Image.new("CMYK", (5, 4))), "its mode is CMYK; convert"),
        (encoded("TIFF", Image.new("LAB", (5, 4))), "its mode is LAB; convert"),
        (encoded("ICO", Image.new("RGB", (16, 16)), sizes=[(16, 16)]), "its format is ICO; convert it to PNG"),
        (encoded("GIF", save_all=True, append_images=[Image.new("RGB", (5, 4))]), "it holds 2 pictures"),
        (encoded("TIFF", save_all=True, append_images=[Image.new("RGB", (5, 4))]), "it holds 2 pictures"),
        (encoded("PNG", save_all=True, append_images=[Image.new("RGB", (5, 4))]), "it holds 2 pictures"),
        (encoded("WEBP", save_all=True, append_images=[Image.new("RGB", (5, 4))]), "it holds 2 pictures"),
        (b"text", "it is no image; move it out of the class folders"),
        (b"", "it is no image; move it out of the class folders"),
    ],
)  # fmt: skip
def test_an_image_unlike_the_others_or_none_at_all_is_named(tmp_path, content, said):
    with pytest.raises(UsageError, match=f"{tmp_path}/b/odd: .*{said}"):
        datasets.load(folder_with(tmp_path, odd=content))


def png_of_depth(depth, colour, channels, values, passes=(), lost=0):
    """A PNG made by hand, of 16-bit values (h, w, channels), interlaced or with lost rows, as Pillow writes none."""
    import struct
    import zlib

    height, width = values.shape[:2]
    parts = [values[y::down, x::right] for x, y, right, down in passes or ((0, 0, 1, 1),)]
    rows = [b"\0" + row.astype(f">u{depth // 8}").tobytes() for part in parts if part.size for row in part]
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, bool(passes))),
        (b"IDAT", zlib.compress(b"".join(rows[: len(rows) - lost]))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_png_of_16_bits_is_refused_in_every_colour_type(tmp_path, colour, channels):
    fill(tmp_path / "a")
    for depth, refused in ((16, True), (8, False)):
        content = png_of_depth(depth, colour, channels, np.zeros((4, 5, channels), int))
        (tmp_path / "a" / "0.png").write_bytes(content)
        assert ("0.png: it has 16 bits a channel" in refusal(f"folder:{tmp_path}")) == refused


@pytest.mark.parametrize("passes", [(), pictures.ADAM7])
def test_png_that_lacks_a_row_is_refused(tmp_path, passes):
    picture = images(1)[0]
    fill(tmp_path / "a")
    (tmp_path / "a" / "0.png").write_bytes(png_of_depth(8, 2, 3, picture, passes))
    X, _ = pictures.Pictures(tmp_path).read(imagefolder.scan(tmp_path).splits[""])
    np.testing.assert_array_equal(X[0], picture)
    (tmp_path / "a" / "0.png").write_bytes(png_of_depth(8, 2, 3, picture, passes, lost=1))
    assert "a/0.png: it has fewer rows of pixels than it says" in refusal(f"folder:{tmp_path}")


def test_pictures_of_16_bits_are_refused_by_their_depth():
    assert "dark/0.png: it has 16 bits a channel" in refusal(f"folder:{CASES / 'sixteen_bit'}")


def test_grey_with_alpha_has_two_channels(tmp_path):
    for label in "ab":
        for i, picture in enumerate(images(5, channels=2)):
            build.png(picture, tmp_path / label / f"{i}.png")
    assert datasets.load(f"folder:{tmp_path}").train.X.shape == (8, 4, 5, 2)


def test_pictures_with_a_palette_and_of_one_bit_are_what_they_show(tmp_path):
    colours = [Image.fromarray(RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8)) for _ in range(10)]
    (tmp_path / "plain").mkdir()
    (tmp_path / "palette").mkdir()
    plain = datasets.load(write_all(tmp_path / "plain", [encoded("PNG", picture) for picture in colours]))
    name = write_all(tmp_path / "palette", [encoded("PNG", picture.quantize(256)) for picture in colours])
    assert datasets.load(name).train.X.shape == plain.train.X.shape
    assert "10 images with a palette, read as the colours it stands for." in notes(name)
    (tmp_path / "bits").mkdir()
    name = write_all(tmp_path / "bits", [encoded("PNG", picture.convert("1")) for picture in colours])
    assert set(np.unique(datasets.load(name).train.X)) == {0, 255}
    assert "10 images of 1 bit, read as 0 and 255." in notes(name)


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ([b"P5 5 4 15\n" + bytes([i] * 20) for i in range(10)], "10 images of fewer than 256 greys"),
        ([encoded("PNG", Image.new("L", (5, 4), i), bits=4) for i in range(10)], "10 images of fewer than 256 greys"),
        (
            [encoded("PNG", Image.new("L", (5, 4), i), transparency=0) for i in range(10)],
            "10 images with a colour that",
        ),
        ([b"P1 5 4\n" + b"0 1 " * 10] * 10, "10 images of 1 bit, read as 0 and 255"),
        ([b"P5 5 4 255\n" + bytes([i] * 20) for i in range(10)], "Pixels reach 9"),
    ],
)
def test_what_is_done_to_few_greys_and_transparent_colours_is_said(tmp_path, contents, said):
    name = write_all(tmp_path, contents)
    assert notes(name).startswith(said)


def test_palette_gives_the_exact_colours(tmp_path):
    picture = Image.new("P", (2, 1))
    picture.putpalette([1, 2, 3, 250, 128, 7])
    picture.putdata([1, 0])
    fill(tmp_path / "a")
    for path in (tmp_path / "a").iterdir():
        path.write_bytes(encoded("PNG", picture))
    X, _ = pictures.Pictures(tmp_path).read(imagefolder.scan(tmp_path).splits[""])
    assert X[0].tolist() == [[[250, 128, 7], [1, 2, 3]]]


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_upright_and_that_is_said(tmp_path, form, orientation):
    """The same picture stored in any of the eight ways of EXIF is the same data."""
    stored = {
        1: lambda x: x, 2: lambda x: x[:, ::-1], 3: lambda x: x[::-1, ::-1], 4: lambda x: x[::-1],
        5: lambda x: x.transpose(1, 0, 2), 6: lambda x: np.rot90(x), 7: lambda x: np.rot90(x, 2).transpose(1, 0, 2),
        8: lambda x: np.rot90(x, -1),
    }[orientation]  # fmt: skip
    shown = images(10)
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = orientation
    how = {"lossless": True} if form == "WEBP" else {}
    for folder, turn in (("plain", lambda x: x), ("turned", stored)):
        (tmp_path / folder).mkdir()
        tag = {} if folder == "plain" else {"exif": exif}
        made = [Image.fromarray(np.ascontiguousarray(turn(picture))) for picture in shown]
        write_all(tmp_path / folder, [encoded(form, picture, **how, **tag) for picture in made])
    name = f"folder:{tmp_path / 'turned'}"
    assert datasets.load(name).digests == datasets.load(f"folder:{tmp_path / 'plain'}").digests
    assert ("10 images turned upright" in notes(name)) == (orientation != 1)


def test_previews_behind_a_photograph_are_left_out_and_said(tmp_path):
    preview = Image.new("RGB", (3, 3))
    name = write_all(tmp_path, [encoded("MPO", save_all=True, append_images=[preview]) for _ in range(10)])
    assert datasets.load(name).train.X.shape[1:] == (4, 5, 3)
    assert "10 images with previews behind the picture (MPO)" in notes(name)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"]), st.data())
def test_a_damaged_image_is_read_or_refused_in_one_line(tmp_path, form, data):
    content = bytearray(encoded(form))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(len(content) - 1, 200)))] = data.draw(st.integers(0, 255))
    fill(tmp_path / "a", n=5)
    (tmp_path / "a" / "odd").write_bytes(content)
    fill(tmp_path / "b", n=5)
    said = ""
    try:
        imagefolder.read(tmp_path)
    except UsageError as error:
        said = str(error)
    assert "\n" not in said
