"""Heads against the paper authors' own code."""

from __future__ import annotations

import pytest
import torch

from ltbench_plugins.heads import ltbench_register_heads
from tests import parity
from tests.covered import value_of

REFERENCES = {
    "cosine": "CosineClassifier",
    "l2norm": "L2NormClassifier",
    "layernorm": "LayerNormClassifier",
    "linear": "LinearClassifier",
}


@value_of("head", *REFERENCES)
@pytest.mark.parametrize("name", REFERENCES)
def test_logits_equal_the_reference(name: str) -> None:
    stored, reference = parity.values(), f"classifier/{REFERENCES[name]}"
    ctx = parity.context(parity.facts()["class_counts"], parity.clip_vit())
    spec = next(spec for spec in ltbench_register_heads() if spec.name == name)
    head = spec.build(spec.config(), ctx)
    start = {"weight": stored["classifier/weight"]}
    if name == "linear":
        start["bias"] = stored[f"{reference}/bias"]
    head.load_state_dict(start)
    with torch.no_grad():
        logits = head(stored["classifier/features"])
    assert parity.relative(logits, stored[f"{reference}/logits"]) < 1e-4
