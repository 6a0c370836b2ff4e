"""Predict the classes of images with an exported model; copied into its folder as predict.py.

It needs no ltbench: NumPy, Pillow and what runs the model (torch, onnxruntime, timm or open_clip).

    python predict.py IMAGE ...

prints one JSON object for each image. `Model` is for other programs:

    model = Model(folder)
    logits = model.logits(["one.jpg", "two.png"])  # (2, K)
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BATCH_IMAGES = 16
MAX_WASTE_RATIO = 4  # resized pixels for each used one, up to which the whole image is resized


class Model:
    """An exported model with its preprocessing.

    Args:
        folder: Folder of the model.
        resize: Kernel that resizes: "torch" as ltbench resizes image files, "numpy" as it resizes
            images of data sets in memory; they differ by at most two of 256 levels. None for torch
            where it is installed.
    """

    def __init__(self, folder: str | Path = ".", resize: str | None = None) -> None:
        folder = Path(folder)
        self.settings: dict[str, Any] = json.loads((folder / "preprocess.json").read_text("utf-8"))
        self.names: list[str] = json.loads((folder / "classes.json").read_text("utf-8"))
        self.resolution: int = self.settings["resolution"]
        self.resize = resize or ("numpy" if find_spec("torch") is None else "torch")
        self._run = RUNNERS[self.settings["runner"]](folder, self.settings)

    def logits(self, paths: Iterable[str | Path]) -> NDArray[np.float32]:
        """Returns the logits of image files, (N, K), from the test views of the run."""
        return np.concatenate([rows for _, rows in self.batches(paths)])

    def batches(
        self, paths: Iterable[str | Path]
    ) -> Iterator[tuple[list[str | Path], NDArray[np.float32]]]:
        """Yields some paths and the logits of their images, (B, K)."""
        waiting = list(paths)
        weights = np.array(self.settings["weights"], np.float32)[:, None]
        offset = np.array(self.settings["offset"] or [0.0], np.float32)
        for start in range(0, len(waiting), BATCH_IMAGES):
            part = waiting[start : start + BATCH_IMAGES]
            views = np.concatenate([self.views(decode(path)) for path in part])
            logits = self._run(views).reshape(len(part), len(weights), -1)
            yield part, (logits * weights).sum(axis=1) + offset

    def views(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns the views of an image, (V, 3, R, R), for pixels (height, width, 3)."""
        return np.stack([self._view(pixels, **view) for view in self.settings["views"]])

    def _view(
        self, pixels: NDArray[np.uint8], short_side: int, place: str, flip: bool
    ) -> NDArray[np.uint8]:
        """Returns the crop of an image that is resized to a short side, (3, R, R)."""
        side, sizes = self.resolution, np.array(pixels.shape[:2])
        resized = short_side * sizes // sizes.min()
        free = resized - side
        top, left = np.round(free / 2)
        if place != "center":
            top = free[0] if place.startswith("bottom") else 0
            left = free[1] if place.endswith("right") else 0
        row, column = int(top), int(left)
        wasted = resized.prod() > MAX_WASTE_RATIO * len(self.settings["views"]) * side**2
        ratio = sizes / resized
        if self.resize == "torch" and wasted:
            (top, left), (height, width) = (row, column) * ratio, side * ratio
            image, bicubic = Image.fromarray(pixels), Image.Resampling.BICUBIC
            image = image.resize(
                (side, image.height), bicubic, (left, 0, left + width, image.height)
            )
            image = image.resize((side, side), bicubic, (0, top, side, top + height))
            view = np.asarray(image).transpose(2, 0, 1)
        elif self.resize == "torch":
            view = _by_torch(pixels, int(resized[0]), int(resized[1]))
            view = view[:, row : row + side, column : column + side]
        else:
            rows, columns = (
                _filter(first * scale, side * scale, side, size)
                for first, scale, size in zip((row, column), ratio, sizes, strict=True)
            )
            across = _levels(pixels.transpose(2, 0, 1).astype(np.float32) @ columns.T)
            view = _levels(rows @ across).astype(np.uint8)
        return view[:, :, ::-1] if flip else view


def decode(path: str | Path) -> NDArray[np.uint8]:
    """Returns the pixels of an image file in RGB, (height, width, 3)."""
    with Image.open(path) as image:
        image.load()
        if image.mode.startswith("I"):  # 16 bits of grey: the upper eight
            grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
            return np.repeat(grey[..., None], 3, axis=-1)
        if image.mode == "F":
            raise ValueError(f"{path}: expected 8 to 16 bits a channel, got 32-bit floats")
        converted = image.convert("RGBA") if image.mode == "P" else image
        return np.array(converted.convert("RGB"))


def _by_torch(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Returns an image resized by torch's antialiased bicubic kernel, (3, height, width)."""
    import torch

    image = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    resized: NDArray[np.uint8] = torch.nn.functional.interpolate(
        image, size=(height, width), mode="bicubic", antialias=True
    )[0].numpy()
    return resized


def _filter(start: float, length: float, resolution: int, size: int) -> NDArray[np.float32]:
    """Returns Pillow's bicubic filter of each output pixel over the source pixels, (R, size).

    Args:
        start: First source pixel of the view, with a fraction.
        length: Source pixels of the view.
        resolution: Output pixels R.
        size: Source pixels of the image.
    """
    ratio = length / resolution
    stretch = max(ratio, 1.0)
    center = start + (np.arange(resolution)[:, None] + 0.5) * ratio
    pixel = np.arange(size)
    first = np.floor(center - 2 * stretch + 0.5).clip(min=0)
    last = np.floor(center + 2 * stretch + 0.5).clip(max=size)
    x = np.abs((pixel + 0.5 - center) / stretch)
    near, far = (1.5 * x - 2.5) * x * x + 1, (((x - 5) * x + 8) * x - 4) * -0.5
    weights = np.where(x < 1, near, np.where(x < 2, far, 0.0))
    weights = weights * ((pixel >= first) & (pixel < last))
    scaled: NDArray[np.float32] = (weights / weights.sum(-1, keepdims=True)).astype(np.float32)
    return scaled


def _levels(values: NDArray[np.float32]) -> NDArray[np.float32]:
    levels: NDArray[np.float32] = np.floor(values + np.float32(0.5)).clip(0, 255)
    return levels


def _torch_program(folder: Path, settings: dict[str, Any]) -> Any:
    """Returns a function from views to logits: a program of `torch.export`."""
    import torch

    program: Any = torch.export.load(folder / "model.pt2").module()

    def run(views: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits: NDArray[np.float32] = program(torch.from_numpy(views.copy())).numpy()
            return logits

    return run


def _onnx_program(folder: Path, settings: dict[str, Any]) -> Any:
    """Returns the same for an ONNX model."""
    import onnxruntime

    path = folder / "model.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(views: NDArray[np.uint8]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = session.run(["logits"], {"images": views})[0]
        return logits

    return run


def _timm_model(folder: Path, settings: dict[str, Any]) -> Any:
    """Returns the same for a model of timm."""
    import timm

    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    return _with_classifier(model, folder, settings)


def _open_clip_model(folder: Path, settings: dict[str, Any]) -> Any:
    """Returns the same for a model of open_clip."""
    import open_clip

    model = open_clip.create_model(f"local-dir:{folder}").eval()
    return _with_classifier(model.encode_image, folder, settings)


def _with_classifier(encode: Any, folder: Path, settings: dict[str, Any]) -> Any:
    """Returns the same for an encoder of normalised images."""
    import torch
    from safetensors.torch import load_file

    mean, std = (torch.tensor(settings[key])[:, None, None] for key in ("mean", "std"))
    path = folder / "classifier.safetensors"
    classifier = load_file(path) if path.exists() else None  # else it is part of the model

    def run(views: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            outputs = encode((torch.from_numpy(views.copy()).float() / 255 - mean) / std)
            if classifier is not None:
                if settings["unit_features"]:
                    outputs = torch.nn.functional.normalize(outputs, dim=-1)
                bias = classifier.get("bias")
                outputs = torch.nn.functional.linear(outputs, classifier["weight"], bias)
            logits: NDArray[np.float32] = outputs.numpy()
            return logits

    return run


RUNNERS = {
    "torch": _torch_program,
    "onnx": _onnx_program,
    "timm_model": _timm_model,
    "open_clip_model": _open_clip_model,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the most probable classes of images, one JSON object a line."""
    parser = argparse.ArgumentParser(description="Predict the classes of images.")
    parser.add_argument("images", nargs="+", help="image files")
    parser.add_argument("--top", type=int, default=5, help="classes of an image (default: 5)")
    parser.add_argument(
        "--resize",
        choices=("torch", "numpy"),
        help="resize as ltbench resizes image files (torch), or arrays of pixels (numpy); default: "
        "torch where it is installed",
    )
    given = parser.parse_args(arguments)
    try:
        _print(Model(Path(__file__).parent, given.resize), given.images, max(given.top, 1))
    except (OSError, ValueError) as error:  # an image is missing, or is none
        parser.exit(1, f"error: {error}\n")


def _print(model: Model, images: Sequence[str], top: int) -> None:
    for paths, logits in model.batches(images):
        largest = logits.max(axis=1, keepdims=True)
        probabilities = np.exp(logits - largest)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        for path, row in zip(paths, probabilities, strict=True):
            order = np.argsort(-row, kind="stable")[:top]
            shown = {
                "file": str(path),
                "classes": [model.names[label] for label in order],
                "probabilities": [round(float(row[label]), 6) for label in order],
            }
            sys.stdout.write(json.dumps(shown) + "\n")


if __name__ == "__main__":
    main()
