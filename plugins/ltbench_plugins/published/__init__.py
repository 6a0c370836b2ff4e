"""Published results: overall accuracy in percent as reported in papers, one module per paper."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import PublishedResult, hookimpl
from ltbench_plugins.published.decoupling import DECOUPLING
from ltbench_plugins.published.gml import GML
from ltbench_plugins.published.lift import LIFT
from ltbench_plugins.published.vl_ltr import VL_LTR


@hookimpl
def ltbench_published_results() -> Iterable[PublishedResult]:
    """Returns the built-in published results."""
    return [*DECOUPLING, *GML, *LIFT, *VL_LTR]
