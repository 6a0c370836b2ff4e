"""`ltbench show`: a component with its options."""

from __future__ import annotations

from typing import Annotated

import typer

from ltbench.cli.completion import complete_component, complete_kind
from ltbench.cli.options import Json, read_kinds


def show(
    kind: Annotated[
        str,
        typer.Argument(help="Kind: dataset, backbone, method, ...", autocompletion=complete_kind),
    ],
    name: Annotated[
        str,
        typer.Argument(help="Name (see `ltbench list KIND`).", autocompletion=complete_component),
    ],
    json: Json = False,
) -> None:
    """Show a component: summary, options, recipe, reference.

    Example: `ltbench show method lift_plus`
    """
    from ltbench.config.options import as_typed, describe_options
    from ltbench.registry.load import load_plugins
    from ltbench.specs import MethodSpec

    (found,) = read_kinds(kind)
    component = load_plugins().find(found, name)
    spec = component.spec
    options = describe_options(spec.config)
    recipe = getattr(spec, "recipe", None)
    settings = dict(recipe.settings) if recipe else {}
    by_dataset = {key: dict(value) for key, value in recipe.by_dataset.items()} if recipe else {}
    fixed = dict(spec.fixed) if isinstance(spec, MethodSpec) else {}
    if json:
        import dataclasses

        from ltbench.cli.output import print_json

        print_json(
            {
                "kind": spec.kind,
                "name": spec.name,
                "summary": spec.summary,
                "reference": spec.reference,
                "plugin": str(component.plugin),
                "options": [dataclasses.asdict(option) for option in options],
                "recipe": settings,
                "recipe_by_dataset": by_dataset,
                "fixed": fixed,
            }
        )
        return

    from rich.markup import escape

    from ltbench.io.console import console, print_paragraph
    from ltbench.io.fitted_table import FittedTable

    out = console()
    print_paragraph(out, f"[bold]{spec.kind} {spec.name}[/]: {escape(spec.summary)}")
    if spec.reference:
        print_paragraph(out, f"reference  {escape(spec.reference)}")
    print_paragraph(out, f"plugin     {escape(str(component.plugin))}")
    if options:
        table = FittedTable("option", "type", "default", "what it does")
        for option in options:
            key = f"{spec.section}.{option.name}"
            table.add_row(
                key, escape(option.type), escape(as_typed(option.default)), escape(option.help)
            )
        out.print()
        out.print(table)
    sections = {"recipe": settings, "fixed": fixed}
    sections |= {f"recipe on {key}": value for key, value in by_dataset.items()}
    for title, values in sections.items():
        if values:
            out.print(f"\n[bold]{escape(title)}[/]")
            for key, value in values.items():
                out.print(f"  {key} = {as_typed(value)}", markup=False)
