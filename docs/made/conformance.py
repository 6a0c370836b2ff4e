"""The page of the conformance rules."""

from __future__ import annotations

from collections.abc import Iterator

from ltbench.registry import api_version as api
from ltbench.registry.registry import Registry
from ltbench.specs import KINDS
from ltbench.testing.check import Rule
from ltbench.testing.collect import rules

_PAGE = f"""# Conformance

The rules for every plugin, as checks that run on a CPU, without a download. Built-in components
pass the same checks. Made from the code by `make docs`: do not edit.

```console
$ ltbench plugin list                  # plugins with origin, components and errors
$ ltbench plugin check my_plugin       # exit code 0: passed, 1: a check failed, 3: not loadable
```

It prints a line a check: passed, failed or skipped, the reason, and the command that shows
the rule.
`--json` prints the same as JSON.

In the plugin's own tests:

```python
from ltbench.testing import parametrize_with_checks


@parametrize_with_checks("my_plugin")
def test_conformance(check):
    check()
```

or, without pytest, `check_plugin("my_plugin")`. If a rule cannot hold, list it with the reason:

```python
check_plugin("my_plugin", expected_failures={{"compiles without a break": "it sorts on the CPU"}})
```

A key is a part of the check's name. An expected failure that passes is a failure, and so is a key
that matches no check. `parametrize_with_checks` has the same argument.

For your own tests `ltbench.testing` has `small_backbone("timm")` (under five million weights;
`small_backbone_names()` lists them, `clip_tiny` is a model of open_clip with a text tower),
`long_tailed_set(counts)`, `build_context(counts)`, `installed_plugin(name, source)` and
`broken_plugin()`. With `pytest_plugins = ["ltbench.testing.fixtures"]` in `conftest.py` they are
the fixtures `ltbench_backbone`, `ltbench_dataset`, `ltbench_install` and `ltbench_broken_plugin`.

## Versions of the plugin API

Plugins may import {", ".join(f"`{name}`" for name in api.MODULES)};
all other modules may change at any time. A test compares these modules with a listing. Changes are
in the section "Plugin API" of the changelog.

`ltbench.api_version` is {api.VERSION}. It is raised when a name is removed or changes its
meaning. A plugin's module may name the version that it was written for, as a plain number:

```python
{api.ATTRIBUTE} = {api.VERSION}
```

A plugin for a later version, or for one before {api.OLDEST}, is refused with that reason. A plugin
without the number counts as compatible.

A hook, or an argument of a hook, is deprecated for at least one minor release before it is
removed: it still works, and `ltbench plugin list` and `ltbench doctor` name the plugins that use
it, with file and line.
"""


def conformance_page(registry: Registry) -> str:
    """Returns the page of all rules, each with its own heading."""
    return _PAGE + "".join(_lines(list(rules())))


def _lines(every: list[Rule]) -> Iterator[str]:
    titles = {"plugin": "The plugin as a whole", "all_kinds": "Every component"}
    titles |= {spec.plural: spec.plural.capitalize() for spec in KINDS.values()}
    for kind, title in titles.items():
        yield f"\n## {title}\n"
        own = [rule for rule in every if rule.kind == kind]
        if not own:
            yield "\nOnly the rules for every component.\n"
        for rule in own:
            yield f"\n### {rule.kind}: {rule.name}\n\n{rule.text}\n"
