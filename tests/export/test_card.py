from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from ltbench.api.finished_run import load_run
from ltbench.backbone import Backbone
from ltbench.export.card import ExportFacts, model_card
from ltbench.export.formats import Format
from ltbench.export.trained_model import TrainedModel
from ltbench.export.view_plan import ViewPlan, center_plan
from ltbench.registry.registry import Registry
from tests.runs import spec_of, store

HOSTILE = "<script>alert(1)</script> [link](http://x.y) `code` | cell\n# title"


@pytest.fixture
def model(registry: Registry, tmp_path: Path) -> TrainedModel:
    spec = spec_of(registry, method="lora")
    names = {"names": [HOSTILE, *(f"class {number}" for number in range(5))]}
    directory = store(tmp_path, spec, changed={"classes": names, "warnings": [HOSTILE]})
    half = (0.5, 0.5, 0.5)
    images, logits = torch.zeros(1, 3, 8, 8, dtype=torch.uint8), torch.zeros(1, 6)
    return TrainedModel(
        result=load_run(directory),
        backbone=Backbone(nn.Flatten(), width=192, resolution=8, mean=half, std=half),
        head=nn.Identity(),
        unmerged=(),
        plan=center_plan(8),
        transductive=False,
        images=images,
        logits=logits,
        merge_error=0.0,
    )


def facts(form: Format) -> ExportFacts:
    return ExportFacts(form, {"model.pt2": "f" * 64}, 2.5e-6, ("A note.",), unit_features=True)


@pytest.mark.parametrize("form", [to for to in Format if to != Format.HF_FOLDER])
def test_a_card_has_data_accuracies_hashes_and_limits(model: TrainedModel, form: Format) -> None:
    text = model_card(model, facts(form))
    _, metadata, body = text.split("---\n", 2)
    assert json.loads(metadata)["pipeline_tag"] == "image-classification"
    metrics = model.result.metrics
    low, high = metrics.intervals["accuracy"] or (0.0, 0.0)
    for part in (
        "| many | 2 | 270 |",
        "| medium | 2 | 90 |",
        "| few | 2 | 12 |",
        f"| overall | {metrics.accuracy:.1f} | {low:.1f} to {high:.1f} |",
        f"calibration error is {metrics.ece:.1f} %",
        "```text\nltbench run\n```",
        "`model.pt2` | `" + "f" * 64,
        "at most 2.5e-06",
        "not known to ltbench",
        "## Limits",
        "A note.",
        model.result.hash,
    ):
        assert part in body, part
    assert "predict.py" in body or form == Format.SAFETENSORS


def test_results_on_val_and_intervals_that_were_too_narrow_are_not_passed_off(
    model: TrainedModel,
) -> None:
    result = model.result
    metrics = result.metrics.model_copy(update={"interval_method": None})
    run = {"metrics": metrics, "spec": replace(result.spec, split="val")}
    changed = TrainedModel(**{**vars(model), "result": result.model_copy(update=run)})
    _, metadata, body = model_card(changed, facts(Format.TORCH)).split("---\n", 2)
    (entry,) = json.loads(metadata)["model-index"][0]["results"]
    assert entry["dataset"]["split"] == "val"
    assert f"| overall | {metrics.accuracy:.1f} | - |" in body


def test_a_card_says_that_its_accuracies_are_those_of_all_views(model: TrainedModel) -> None:
    said = "Without it, on one view, the accuracies differ from those below:"
    assert said not in model_card(model, facts(Format.TORCH))
    (view,) = center_plan(8).views
    twice = ViewPlan((view, replace(view, flip=True)), (0.5, 0.5))
    changed = TrainedModel(**{**vars(model), "plan": twice})
    assert said in model_card(changed, facts(Format.TORCH))


def test_names_of_others_are_no_markup(model: TrainedModel) -> None:
    text = model_card(model, facts(Format.TORCH))
    assert "<script>" not in text
    assert "[link](" not in text
    assert "\n# title" not in text
    assert text.count("alert") == 2


def test_a_command_cannot_end_its_block(model: TrainedModel) -> None:
    environment = model.result.environment.model_copy(
        update={"command": ["/home/me/ltbench", "run", "```\n# title"]}
    )
    result = model.result.model_copy(update={"environment": environment})
    changed = TrainedModel(**{**vars(model), "result": result})
    text = model_card(changed, facts(Format.TORCH))
    assert "\n# title" not in text
    assert "/home/me" not in text
    assert "ltbench run '''' # title'" in text
