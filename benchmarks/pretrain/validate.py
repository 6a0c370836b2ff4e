"""Zero-shot accuracy on held-out digits and on characters of reserved fonts."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image
from safetensors.torch import load_file
from sklearn.datasets import load_digits
from torch import Tensor

from benchmarks.pretrain import fonts
from benchmarks.pretrain.concepts import DIGITS, PHOTO, concepts
from benchmarks.pretrain.model import create, normalize
from benchmarks.pretrain.render import SIDE, Faces, draw
from ltbench_plugins.backbones.clip_tiny import tokenize


def validation_digits() -> tuple[Tensor, Tensor]:
    """Returns scikit-learn's digits without every fifth of a class, which is for test."""
    data = load_digits()
    keep = np.ones(len(data.target), bool)
    for label in range(10):
        keep[np.flatnonzero(data.target == label)[4::5]] = False
    images = [_enlarge(image) for image in data.images[keep]]
    return _as_batch(images), torch.as_tensor(data.target[keep])


def _enlarge(image: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Image.Image:
    grey = Image.fromarray(np.rint(image * (255 / 16)).astype(np.uint8))
    return grey.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def _as_batch(images: list[Image.Image]) -> Tensor:
    grey = torch.from_numpy(np.stack([np.asarray(image) for image in images]))
    batch: Tensor = grey.float().div(255).unsqueeze(1).expand(-1, 3, -1, -1)
    return batch


@torch.no_grad()
def predict(model: open_clip.CLIP, images: Tensor, names: list[str]) -> Tensor:
    """Returns the best class of each image by the prompt of zero-shot use."""
    texts = model.encode_text(tokenize([PHOTO.format(name) for name in names]), normalize=True)
    best: Tensor = (model.encode_image(normalize(images), normalize=True) @ texts.T).argmax(-1)
    return best


def digits_accuracy(model: open_clip.CLIP, images: Tensor, labels: Tensor) -> float:
    """Returns the zero-shot accuracy on digits in percent."""
    return float((predict(model, images, list(DIGITS)) == labels).float().mean() * 100)


def reserved_accuracy(model: open_clip.CLIP, each: int) -> dict[str, float]:
    """Returns top-1 accuracy per kind, among all concepts, on fonts never drawn in pretraining.

    Letters also get a score that forgives the case, which a lone glyph does not always show.
    """
    faces, known = Faces(fonts.load("reserved")), concepts()
    rng = np.random.default_rng(1)
    drawn = [(row, concept) for row, concept in enumerate(known) if concept.text]
    masks = [
        Image.fromarray(draw(concept, faces, rng, strokes=0.0))
        for _, concept in drawn
        for _ in range(each)
    ]
    truth = np.repeat([row for row, _ in drawn], each)
    names = [concept.name for concept in known]
    guess = predict(model, _as_batch(masks), names).numpy()
    kinds = np.array([known[row].kind for row in truth])
    scores = {
        kind: float((guess == truth)[kinds == kind].mean() * 100)
        for kind in ("digit", "letter", "symbol")
    }
    plain = np.array([concept.text.lower() or concept.name for concept in known])
    letters = kinds == "letter"
    scores["letter, any case"] = float((plain[guess] == plain[truth])[letters].mean() * 100)
    return scores


def main() -> None:
    """Validates a weights file for the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--each", type=int, default=40, help="reserved drawings of a character")
    options = parser.parse_args()
    model = create().eval()
    state = {name: value.float() for name, value in load_file(options.weights).items()}
    model.load_state_dict(state, strict=False)
    print(f"digits, zero-shot: {digits_accuracy(model, *validation_digits()):.1f} %")
    for kind, score in reserved_accuracy(model, options.each).items():
        print(f"reserved fonts, {kind}: {score:.1f} %")


if __name__ == "__main__":
    main()
