"""The page of the rules that every component is checked against."""

from __future__ import annotations

from collections.abc import Iterator

from ltbench.registry import api_version as api
from ltbench.registry.registry import Registry
from ltbench.specs import KINDS
from ltbench.testing.check import Rule
from ltbench.testing.collect import rules

_PAGE = f"""# Conformance

What every plugin must do, as checks that run on a CPU, without a download. Made from the code by
`make docs`: do not edit. Built-in components go through the same checks.

```
ltbench plugin list                  # where plugins come from, what they bring, what is wrong
ltbench plugin check my_plugin       # 0: all is well, 1: a check failed, 3: it cannot be loaded
```

A line a check: passed, failed or skipped, why, and the rule below. `--json` has the same for
programs.

In the plugin's own tests:

```python
from ltbench.testing import parametrize_with_checks


@parametrize_with_checks("my_plugin")
def test_conformance(check):
    check()
```

or, without pytest, `check_plugin("my_plugin")`. Where a rule cannot hold, say so, with the
reason:

```python
check_plugin("my_plugin", expected_failures={{"compiles without a break": "it sorts on the CPU"}})
```

A key is a part of the check's name. An expected failure that passes is a failure, and so is one
that no check has in its name: nobody would take it out again. `parametrize_with_checks` takes the
same argument.

For tests of your own, from `ltbench.testing`: `small_backbone("timm")` (of under five million
weights; `small_backbone_names()` lists them, `clip_tiny` is a model of open_clip with a text
tower), `long_tailed_set(counts)`, `build_context(counts)`, `installed_plugin(name, source)` and
`broken_plugin()`. With `pytest_plugins = ["ltbench.testing.fixtures"]` in `conftest.py` they are
the fixtures `ltbench_backbone`, `ltbench_dataset`, `ltbench_install` and `ltbench_broken_plugin`.

## Versions of the plugin API

Plugins may import {", ".join(f"`{name}`" for name in api.MODULES)};
everything else may change at any time. A test compares these modules with a listing, and what
changes is listed in the section "Plugin API" of the changelog.

`ltbench.api_version` is {api.VERSION}. It goes up when something goes away or changes its
meaning. A plugin's module may declare the version that it was built for:

```python
{api.ATTRIBUTE} = {api.VERSION}
```

It is read after the module is imported and before a hook is called. A plugin that was built for a
later version, or for one before {api.OLDEST}, is refused with that reason; one that declares
nothing is accepted. Where the import itself fails, the message names both the version and the
error, provided that the version is assigned above the line that fails.

A hook, or an argument of one, that is going to go away is marked for at least one minor release
first: it works still, and `ltbench plugin list` and `ltbench doctor` name the plugins that use
it, with file and line.
"""


def conformance_page(registry: Registry) -> str:
    """Returns the page of all rules, each below a heading of its own."""
    return _PAGE + "".join(_lines(list(rules())))


def _lines(every: list[Rule]) -> Iterator[str]:
    titles = {"plugin": "The plugin as a whole", "all_kinds": "Every component"}
    titles |= {spec.plural: spec.plural.capitalize() for spec in KINDS.values()}
    for kind, title in titles.items():
        yield f"\n## {title}\n"
        own = [rule for rule in every if rule.kind == kind]
        if not own:
            yield "\nNothing beyond what every component must do.\n"
        for rule in own:
            yield f"\n### {rule.kind}: {rule.name}\n\n{rule.text}\n"
