"""The page of all components."""

from __future__ import annotations

from collections.abc import Iterator

from docs.made.markup import cell, table
from ltbench.config.options import as_typed, describe_options
from ltbench.registry.component import Component
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.specs import KINDS, ComponentSpec, MethodSpec

INTRODUCTION = """# Components

All built-in components with options, defaults and recipe. Made from the code by
`make docs`: do not edit. `ltbench list KIND` and `ltbench show KIND NAME` print the same for all
installed plugins. A star marks the default of a kind.
"""


def components_page(registry: Registry) -> str:
    """Returns the page of all built-in components."""
    return INTRODUCTION + "".join(_kind(kind, registry) for kind in KINDS)


def names_table(_: str) -> str:
    """Returns a table of the names of all built-in components, by kind."""
    registry = load_plugins()
    rows = [
        (f"`{kind}`", ", ".join(f"`{one.spec.name}`" for one in _built_in(kind, registry)))
        for kind in KINDS
    ]
    return table(("kind", "built-in components"), rows)


def _built_in(kind: str, registry: Registry) -> list[Component]:
    components = registry.components[kind].values()
    return [one for one in components if one.plugin.distribution == "ltbench"]


def _kind(kind: str, registry: Registry) -> str:
    own = _built_in(kind, registry)
    title, about = (
        KINDS[kind].plural.capitalize(),
        (KINDS[kind].__doc__ or "").split(" `build")[0].splitlines()[0],
    )
    lines = [f"\n## {title}\n\n{about}\n", "| name | | reference |", "|---|---|---|"]
    lines += [_row(component) for component in own]
    detailed = [detail for component in own for detail in _details(component.spec)]
    return "\n".join([*lines, *detailed]) + "\n"


def _row(component: Component) -> str:
    spec = component.spec
    star = " *" if spec.default else ""
    return f"| `{spec.name}`{star} | {cell(spec.summary)} | {_link(spec.reference)} |"


def _details(spec: ComponentSpec) -> Iterator[str]:
    """Yields options and recipe of a component, if it has any."""
    options = describe_options(spec.config)
    recipe = getattr(spec, "recipe", None)
    settings = {"recipe": dict(recipe.settings)} if recipe else {}
    if isinstance(spec, MethodSpec):
        settings |= {f"recipe on {name}": dict(one) for name, one in spec.recipe.by_dataset.items()}
        settings["fixed"] = dict(spec.fixed)
    settings = {title: values for title, values in settings.items() if values}
    if options or settings:
        yield f"\n### {spec.name}\n"
    if options:
        yield "| option | type | default | |\n|---|---|---|---|"
        for option in options:
            cells = (cell(option.type), f"`{as_typed(option.default)}`", cell(option.help))
            yield f"| `{spec.section}.{option.name}` | {' | '.join(cells)} |"
        yield ""
    for title, values in settings.items():
        yield f"- {title}: " + ", ".join(f"`{k}={as_typed(v)}`" for k, v in values.items())


def _link(reference: str) -> str:
    kind, _, rest = reference.partition(":")
    bases = {"arXiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}
    return f"[{reference}]({bases[kind]}{rest})" if kind in bases else reference
