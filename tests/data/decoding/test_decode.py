from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltbench.data.decoding.decode import decode
from ltbench.errors import CorruptImageError
from tests.trees import picture

NOISE = picture(np.random.default_rng(0), (41, 67), 0)
SMOOTH = NOISE.resize((123, 77), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def orientation() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    return exif


FILES = {
    "jpeg": encoded(SMOOTH, "JPEG"),
    "jpeg of noise": encoded(NOISE, "JPEG", quality=95),
    "jpeg 4:4:4": encoded(SMOOTH, "JPEG", subsampling=0),
    "jpeg 4:2:2": encoded(SMOOTH, "JPEG", subsampling=1),
    "progressive jpeg": encoded(SMOOTH, "JPEG", progressive=True),
    "grey jpeg": encoded(SMOOTH.convert("L"), "JPEG"),
    "cmyk jpeg": encoded(SMOOTH.convert("CMYK"), "JPEG"),
    "turned jpeg": encoded(SMOOTH, "JPEG", exif=orientation()),
    "two pictures in a jpeg": encoded(SMOOTH, "MPO", save_all=True, append_images=[NOISE]),
    "png": encoded(SMOOTH, "PNG"),
    "png with palette": encoded(SMOOTH.quantize(32), "PNG"),
    "png with transparent palette": encoded(SMOOTH.quantize(32), "PNG", transparency=b"\0\x80"),
    "png with alpha": encoded(SMOOTH.convert("RGBA"), "PNG"),
    "one-bit png": encoded(SMOOTH.convert("1"), "PNG"),
    "animated gif": encoded(SMOOTH, "GIF", save_all=True, append_images=[SMOOTH.rotate(90)]),
    "webp": encoded(SMOOTH, "WEBP"),
    "bmp": encoded(SMOOTH, "BMP"),
    "cmyk tiff": encoded(SMOOTH.convert("CMYK"), "TIFF"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("ignore:Palette images with Transparency")  # Pillow's, of the reference
def test_pixels_are_those_of_pillow(name: str) -> None:
    with Image.open(io.BytesIO(FILES[name])) as image:
        expected = np.asarray(image.convert("RGB")).astype(int)
    pixels = decode(FILES[name], name)
    assert pixels.dtype == np.uint8
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).max() <= 2


def test_sixteen_bits_keep_the_upper_eight() -> None:
    levels = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    pixels = decode(encoded(Image.fromarray(levels), "PNG"), "deep.png")
    assert pixels[0, :, 0].tolist() == [0, 0, 1, 128, 255]
    assert (pixels == pixels[..., :1]).all()


DEEP = {
    "png": ("PNG", {}),
    "tiff": ("TIFF", {}),
    "pgm": ("PPM", {}),
    "jp2": ("JPEG2000", {}),
}


@pytest.mark.parametrize("form", DEEP)
@pytest.mark.parametrize("brightest", [255, 256, 65535])
def test_the_scale_of_deep_images_is_that_of_their_type(form: str, brightest: int) -> None:
    levels = np.full((8, 8), brightest, np.uint16)
    name, options = DEEP[form]
    pixels = decode(encoded(Image.fromarray(levels), name, **options), form)
    assert (pixels == brightest >> 8).all()  # whatever the brightest pixel of the image


def test_deep_tiffs_are_read_by_their_tags() -> None:
    levels = np.array([[0, 0x1234, 0xFFFF]], np.uint16)
    white_is_zero = encoded(Image.fromarray(levels), "TIFF", tiffinfo={262: 0})
    assert decode(white_is_zero, "x.tif")[0, :, 0].tolist() == [255, 255 - 0x12, 0]
    deep_pgm = b"P5 3 1 1023\n" + np.array([0, 512, 1023], ">u2").tobytes()
    assert decode(deep_pgm, "x.pgm")[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    ("form", "values", "said"),
    [
        ("TIFF", np.linspace(0, 1, 12, dtype=np.float32), "32-bit floats"),
        ("TIFF", np.linspace(0, 65535, 12, dtype=np.float32), "32-bit floats"),
        ("TIFF", np.linspace(0, 65535, 12).astype(np.int32), "32-bit signed integers"),
        ("PPM", np.linspace(0, 1, 12, dtype=np.float32), "32-bit floats"),
    ],
)
def test_values_of_an_unknown_range_are_refused(form: str, values: Any, said: str) -> None:
    content = encoded(Image.fromarray(values.reshape(3, 4)), form)
    with pytest.raises(CorruptImageError, match=f"got {said}") as raised:
        decode(content, "x")
    assert "8 or 16 bits" in raised.value.hint


def claiming(form: str, content: bytes, height: int) -> bytes:
    """Returns a file whose header claims another height than its data have."""
    changed = bytearray(content)
    at, layout = {
        "jpeg": (max(content.find(b"\xff\xc0"), content.find(b"\xff\xc2")) + 5, ">H"),
        "png": (20, ">I"),
        "bmp": (22, "<i"),
        "gif": (content.find(b"\x2c\0\0\0\0") + 7, "<H"),
        "jp2": (content.find(b"\xff\x51") + 10, ">I"),
        "tiff": (_tag(content, 257) if form == "tiff" else 0, "<H"),
    }[form]
    changed[at : at + struct.calcsize(layout)] = struct.pack(layout, height)
    if form == "png":
        changed[29:33] = zlib.crc32(bytes(changed[12:29])).to_bytes(4, "big")
    if form == "jp2":
        at = content.find(b"ihdr") + 4
        changed[at : at + 4] = struct.pack(">I", height)
    return bytes(changed)


def _tag(content: bytes, wanted: int) -> int:
    """Returns where the value of a little-endian TIFF's tag is."""
    start = int.from_bytes(content[4:8], "little")
    count = int.from_bytes(content[start : start + 2], "little")
    for at in range(start + 2, start + 2 + 12 * count, 12):
        if int.from_bytes(content[at : at + 2], "little") == wanted:
            return at + 8
    raise AssertionError


WHOLE = {
    "jpeg": [
        FILES["jpeg"],
        FILES["progressive jpeg"],
        FILES["grey jpeg"],
        FILES["cmyk jpeg"],
        encoded(SMOOTH.convert("CMYK"), "JPEG", progressive=True),
    ],
    "png": [
        FILES["png"],
        FILES["png with palette"],
        FILES["one-bit png"],
        FILES["png with alpha"],
    ],
    "bmp": [FILES["bmp"]],
    "gif": [FILES["animated gif"], encoded(SMOOTH, "GIF", interlace=0)],
    "jp2": [encoded(SMOOTH, "JPEG2000")],
    "tiff": [
        encoded(SMOOTH, "TIFF"),
        encoded(SMOOTH, "TIFF", compression="tiff_lzw"),
        encoded(SMOOTH, "TIFF", compression="tiff_adobe_deflate"),
    ],
}


@pytest.mark.filterwarnings("ignore:Truncated File Read", "ignore:Corrupt EXIF data")
@pytest.mark.parametrize(("form", "number"), [(f, n) for f in WHOLE for n in range(len(WHOLE[f]))])
def test_data_for_some_of_the_rows_make_no_image(form: str, number: int) -> None:
    content = WHOLE[form][number]
    assert decode(content, "whole").shape == (77, 123, 3)
    with pytest.raises(CorruptImageError, match="cannot be decoded"):
        decode(claiming(form, content, 154), "x")


def test_a_small_file_gets_no_memory_for_the_pixels_that_it_claims() -> None:
    small = picture(np.random.default_rng(0), (41, 37), 0)
    tracemalloc.start()
    for form, content in (("jpeg", encoded(small, "JPEG")), ("png", encoded(small, "PNG"))):
        changed = bytearray(claiming(form, content, 13_000))
        at, layout = (content.find(b"\xff\xc0") + 7, ">H") if form == "jpeg" else (16, ">I")
        changed[at : at + struct.calcsize(layout)] = struct.pack(layout, 13_000)
        with pytest.raises(CorruptImageError, match=r"13,000 x 13,000 pixels"):
            decode(bytes(changed), "small")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**7


@pytest.mark.parametrize(
    "content",
    [
        encoded(Image.new("RGB", (90, 70)), "PNG"),  # its last rows are what a decoder fills in
        encoded(Image.new("RGB", (900, 700), (128, 128, 128)), "JPEG", quality=1, optimize=True),
        FILES["jpeg"][:-2] + b"\0\1\2\3" + FILES["jpeg"][-2:],  # bytes that no decoder needs
    ],
)
def test_whole_files_that_look_short_are_taken(content: bytes) -> None:
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(decode(content, "x") - expected).max() <= 2


def test_the_first_frame_of_an_animation_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    pixels = decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), "a.gif")
    assert pixels[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "it is a web page"),
        (b"  <html>", "it is a web page"),
        (b"not a picture at all", "its format is unknown"),
        (FILES["jpeg"][: len(FILES["jpeg"]) // 2], "truncated"),
        (FILES["jpeg"][:30], "x.jpg cannot be decoded"),
        (FILES["png"][: len(FILES["png"]) // 2], "x.jpg cannot be decoded"),
    ],
)
def test_what_is_no_whole_image_is_told(content: bytes, said: str) -> None:
    with pytest.raises(CorruptImageError, match=said) as caught:
        decode(content, "x.jpg")
    assert "--on-corrupt skip" in caught.value.hint


def test_whatever_a_reader_raises_the_image_is_corrupt() -> None:
    flags = (124).to_bytes(4, "little") + (0x1007).to_bytes(4, "little")
    dds = b"DDS " + flags + (8).to_bytes(4, "little") * 2 + bytes(104)  # no pixel format
    with pytest.raises(CorruptImageError, match=r"x\.jpg cannot be decoded"):
        decode(dds, "x.jpg")


def test_an_image_that_is_too_large_is_called_so() -> None:
    huge = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    with pytest.raises(
        CorruptImageError, match=r"bomb\.png is too large: .* 179 megapix"
    ) as raised:
        decode(huge, "bomb.png")
    assert "save it smaller" in raised.value.hint
