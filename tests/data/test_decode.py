from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltbench.data.decode import decode
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
        (b"not a picture at all", "no known image format"),
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


def test_a_bomb_is_refused() -> None:
    huge = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    with pytest.raises(CorruptImageError, match="decompression bomb"):
        decode(huge, "bomb.png")
