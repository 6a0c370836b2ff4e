"""Predictions as a notebook shows them."""

from __future__ import annotations

import numpy as np

from ltbench.prediction.image_predictions import ImagePredictions
from ltbench.prediction.prediction_table import SkippedImage


def test_a_notebook_shows_the_first_images() -> None:
    found = ImagePredictions(
        class_names=("ant", "<bee>"),
        indices=np.arange(30),
        paths=tuple(f"{number}.png" for number in range(30)),
        classes=np.tile([1, 0], (30, 1)),
        probabilities=np.tile([0.75, 0.25], (30, 1)),
        skipped=(SkippedImage(30, "x.png", "x.png does not exist"),),
    )
    shown = found._repr_html_()
    assert "<caption>30 images, the first 20; 1 skipped</caption>" in shown
    row = "<tr><td>19.png</td><td>&lt;bee&gt;</td><td>75.0</td><td>ant 25.0</td></tr>"
    assert row in shown
    assert "20.png" not in shown


def test_images_without_paths_are_numbered() -> None:
    found = ImagePredictions(
        ("ant",), np.array([4]), (), np.array([[0]]), np.array([[1.0]]), skipped=()
    )
    shown = found._repr_html_()
    assert "<caption>1 image</caption>" in shown
    assert "<tr><td>4</td><td>ant</td><td>100.0</td><td></td></tr>" in shown
