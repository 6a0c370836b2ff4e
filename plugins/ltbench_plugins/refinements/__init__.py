"""Refinements: changes of the trained model before it is evaluated."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import RefinementSpec, hookimpl
from ltbench_plugins.refinements.crt import CRT
from ltbench_plugins.refinements.group_prompts import GROUP_PROMPTS
from ltbench_plugins.refinements.linear_adapter import LINEAR_ADAPTER
from ltbench_plugins.refinements.linear_probe import LINEAR_PROBE
from ltbench_plugins.refinements.lt_soups import LT_SOUPS
from ltbench_plugins.refinements.lws import LWS
from ltbench_plugins.refinements.ncm import NCM
from ltbench_plugins.refinements.none import NONE
from ltbench_plugins.refinements.soup import SOUP
from ltbench_plugins.refinements.tau_norm import TAU_NORM
from ltbench_plugins.refinements.wise_ft import WISE_FT


@hookimpl
def ltbench_register_refinements() -> Iterable[RefinementSpec]:
    """Returns the built-in refinements."""
    return [
        CRT,
        GROUP_PROMPTS,
        LINEAR_ADAPTER,
        LINEAR_PROBE,
        LT_SOUPS,
        LWS,
        NCM,
        NONE,
        SOUP,
        TAU_NORM,
        WISE_FT,
    ]
