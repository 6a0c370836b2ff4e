"""Settings of the measured runs."""

from __future__ import annotations

DIGITS = {"dataset": "digits_lt", "backbone": "clip_tiny"}
JPEGS = {
    "dataset": "imagenet_lt",
    "dataset.lists": "own",
    "backbone": "open_clip",
    "backbone.tag": "none",
    "init": "random",
}
METHODS = ("lift_plus", "classifier_only", "full", "lora", "vpt", "bitfit")
