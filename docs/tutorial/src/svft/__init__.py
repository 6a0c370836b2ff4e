"""The method `svft` for ltbench: the singular values of the weights are learned."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import MethodSpec, Recipe, hookimpl

from svft.method import Config, build

LTBENCH_API = 1  # version of ltbench's plugin API

SPEC = MethodSpec(
    name="svft",
    summary="the singular values of the blocks' weights are learned, their vectors stay",
    reference="arXiv:2405.19597",  # the plain variant, with a diagonal
    config=Config,
    build=build,
    recipe=Recipe(settings={"train.lr": 0.02}),
    identity_at_start=True,  # before the training its features are the backbone's own
    token_wise=True,  # it works on each token separately: unused tokens can be left out
    examples=({}, {"parts": ("qkv",), "layers": 1}),  # options for the conformance checks
)


@hookimpl
def ltbench_register_methods() -> Iterable[MethodSpec]:
    """Returns the method; called once, when ltbench loads its plugins."""
    return [SPEC]
