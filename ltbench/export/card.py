"""Model card of an exported model: Markdown with the metadata that model hubs read."""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import PurePath
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from ltbench import __version__
from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_GROUPS, SHOT_RULES
from ltbench.backbone import Library
from ltbench.config.options import as_typed
from ltbench.config.runspec import Choice
from ltbench.export.formats import Format
from ltbench.export.trained_model import TrainedModel
from ltbench.io.text import line_text, markdown_text
from ltbench.metric_names import ACCURACIES
from ltbench.storage.result_schema import RunResult
from ltbench.storage.valid_intervals import valid_interval

_HUB_LIBRARIES = {
    Format.TIMM: Library.TIMM.value,
    Format.OPENCLIP: Library.OPEN_CLIP.value,
    Format.ONNX: "onnx",
}
"""Library that a model hub shows for a format, where that is not PyTorch."""
_PACKAGES = ("torch", *Library, "onnx", "onnxruntime", "safetensors")
_DISTRIBUTIONS: Mapping[str, str] = {Library.OPEN_CLIP: "open_clip_torch"}
_MAX_LISTED_CLASSES = 50


@dataclass(frozen=True)
class ExportFacts:
    """Facts on an export that its card states.

    Args:
        form: Format that was written.
        hashes: SHA-256 of each file, by name.
        max_error: Largest difference of a logit from the trained model's.
        notes: Sentences on the format.
        unit_features: Whether the head scales the features to unit length.
    """

    form: Format
    hashes: Mapping[str, str]
    max_error: float
    notes: tuple[str, ...]
    unit_features: bool


def model_card(model: TrainedModel, facts: ExportFacts) -> str:
    """Returns the text of README.md.

    Names of others are written without markup.

    Args:
        model: Trained model.
        facts: Facts on the export.
    """
    environment = Environment(
        loader=PackageLoader("ltbench.export"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the values are made harmless for Markdown below
    )
    result, spec = model.result, model.result.spec
    counts = np.array(result.classes.train_images)
    return environment.get_template("README.md.jinja").render(
        metadata=json.dumps(_metadata(result, facts), indent=2, allow_nan=False),
        result=result,
        spec=spec,
        facts=facts,
        text=markdown_text,
        choices=[(kind, _choice(choice)) for kind, choice in spec.choices().items()],
        accuracies=_accuracies(result),
        groups=_groups(result),
        total=int(counts.sum()),
        classes=list(enumerate(result.classes.names))[:_MAX_LISTED_CLASSES],
        more_classes=max(len(counts) - _MAX_LISTED_CLASSES, 0),
        largest=int(counts.max()),
        smallest=int(counts.min()),
        command=_command(result),
        licences=(_identity(spec.backbone), _identity(spec.dataset)),
        packages=_packages(),
        version=__version__,
        resolution=model.backbone.resolution,
        views=len(model.plan.views) if model.plan else 1,
    )


def _metadata(result: RunResult, facts: ExportFacts) -> dict[str, Any]:
    """Returns the metadata of a hub; JSON is YAML."""
    spec, metrics = result.spec, result.metrics
    scores = [("accuracy", "overall", metrics.accuracy), ("accuracy", "few-shot", metrics.few)]
    return {
        "library_name": _HUB_LIBRARIES.get(facts.form, "pytorch"),
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "long-tail", "ltbench", spec.method.name],
        "license": "unknown",
        "model-index": [
            {
                "name": f"{spec.method.name} on {spec.dataset.title}",
                "results": [
                    {
                        "task": {"type": "image-classification"},
                        "dataset": {
                            "name": spec.dataset.title,
                            "type": spec.dataset.name,
                            "split": spec.split,
                        },
                        "metrics": [
                            {"type": kind, "name": f"{name} accuracy", "value": round(value, 2)}
                            for kind, name, value in scores
                            if value is not None
                        ],
                    }
                ],
            }
        ],
    }


def _accuracies(result: RunResult) -> list[tuple[str, str, str]]:
    """Returns name, value and interval of each accuracy."""
    rows = []
    for key, name in ACCURACIES.items():
        value, interval = result.metrics.value(key), valid_interval(result.metrics, key)
        shown = "-" if interval is None else f"{interval[0]:.1f} to {interval[1]:.1f}"
        rows.append((name, "-" if value is None else f"{value:.1f}", shown))
    return rows


def _groups(result: RunResult) -> list[tuple[str, int, int]]:
    """Returns each shot group with its classes and training images."""
    counts = np.array(result.classes.train_images)
    rule = SHOT_RULES.get(result.metrics.shot_rule, DEFAULT_RULE)
    members = rule.groups(counts)
    return [(one, int(members[one].sum()), int(counts[members[one]].sum())) for one in SHOT_GROUPS]


def _choice(choice: Choice) -> str:
    """Returns name and options, without paths: they are those of one machine."""
    shown = ", ".join(f"{name}={as_typed(value)}" for name, value in choice.options.items())
    named = f"{choice.name} ({shown})" if shown else choice.name
    return markdown_text(named)


def _identity(choice: Choice) -> str:
    return markdown_text(f"{choice.name} ({choice.identity})" if choice.identity else choice.name)


def _command(result: RunResult) -> str:
    """Returns the command of a run as a line for a block of code, which it cannot end."""
    program, *arguments = result.environment.command or [""]
    line = shlex.join([PurePath(program).name, *arguments])
    return line_text(line).replace("`", "'")


def _packages() -> str:
    found = [f"Python {platform.python_version()}"]
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(_DISTRIBUTIONS.get(name, name))}")
        except ModuleNotFoundError:
            continue
    return ", ".join(found)
