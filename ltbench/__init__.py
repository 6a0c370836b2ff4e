"""ltbench: which way of adapting a foundation model serves the rare classes best?

This module is the public API together with the modules that it names; importing it loads no torch.
Plugins use `hookimpl`, the specs and `option` from here, `ltbench.backbone`, `ltbench.data`,
`ltbench.errors`, `ltbench.protocols` and `ltbench.views`; their tests use `ltbench.testing`. A
plugin that says `LTBENCH_API = 1` in its module is refused where `api_version` does not fit.
"""

from __future__ import annotations

from ltbench.errors import LTBenchError
from ltbench.hookspecs import hookimpl
from ltbench.published import PublishedResult
from ltbench.registry.api_version import VERSION as api_version
from ltbench.specs import (
    AugmentationSpec,
    BackboneContext,
    BackboneSpec,
    BuildContext,
    DataContext,
    DatasetSpec,
    ExecutorContext,
    ExecutorSpec,
    HeadSpec,
    InferenceSpec,
    InitSpec,
    Layers,
    LossSpec,
    MethodSpec,
    NoOptions,
    Recipe,
    RefinementSpec,
    SamplingSpec,
    TrackerContext,
    TrackerSpec,
    option,
)

__version__ = "0.1.0"

__all__ = [
    "AugmentationSpec",
    "BackboneContext",
    "BackboneSpec",
    "BuildContext",
    "DataContext",
    "DatasetSpec",
    "ExecutorContext",
    "ExecutorSpec",
    "HeadSpec",
    "InferenceSpec",
    "InitSpec",
    "LTBenchError",
    "Layers",
    "LossSpec",
    "MethodSpec",
    "NoOptions",
    "PublishedResult",
    "Recipe",
    "RefinementSpec",
    "SamplingSpec",
    "TrackerContext",
    "TrackerSpec",
    "__version__",
    "api_version",
    "hookimpl",
    "option",
]
