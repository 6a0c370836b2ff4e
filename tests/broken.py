"""Plugins that are broken on purpose: their source, and what must be said of them."""

from __future__ import annotations

from dataclasses import dataclass

LOSS = """
from dataclasses import dataclass

from ltbench import LossSpec, hookimpl, option

LTBENCH_API = 1


@dataclass(frozen=True)
class Config:
    scale: float = option(1.0, "of the logits")


def build(config, ctx):
    from torch.nn.functional import cross_entropy

    return lambda logits, labels: cross_entropy(config.scale * logits, labels)


@hookimpl
def ltbench_register_losses():
    return [LossSpec(name="new_loss", summary="a loss", config=Config, build=build)]
"""

METHOD = """
from ltbench import MethodSpec, hookimpl


class NewMethod:
    def apply(self, backbone):
        return [block["norm1"].weight for block in backbone.blocks]


def build(config, ctx):
    return NewMethod()


@hookimpl
def ltbench_register_methods():
    return [MethodSpec(name="new_method", summary="a method", build=build)]
"""


@dataclass(frozen=True)
class Variant:
    """A change that breaks a plugin.

    Args:
        source: Of the plugin that works.
        old: What is replaced.
        new: By what.
        said: A part of the reason.
        line: Text of the line that the reason names; "" where it is none of the plugin's.
        check: The check that fails; "" where the plugin cannot be loaded.
    """

    source: str
    old: str
    new: str
    said: str
    line: str = ""
    check: str = ""

    @property
    def broken(self) -> str:
        """The source of the broken plugin."""
        assert self.old in self.source, self.old
        return self.source.replace(self.old, self.new)

    @property
    def line_number(self) -> int:
        """Where the text of `line` begins, from 1."""
        return self.broken[: self.broken.index(self.line)].count("\n") + 1


HOOK = "@hookimpl\ndef ltbench_register_losses"
SPEC = 'return [LossSpec(name="new_loss"'
LOADING = {
    "raises_at_import": Variant(
        LOSS, "LTBENCH_API = 1", "1 / 0", "ZeroDivisionError: division by zero", "1 / 0"
    ),
    "misses_a_package": Variant(
        LOSS,
        "LTBENCH_API = 1",
        "import no_such_package",
        "ModuleNotFoundError: No module named 'no_such_package'",
        "import no_such_package",
    ),
    "is_no_python": Variant(LOSS, "LTBENCH_API = 1", "LTBENCH API", "SyntaxError", "LTBENCH API"),
    "exits_at_import": Variant(
        LOSS, "LTBENCH_API = 1", "raise SystemExit(0)", "SystemExit: 0", "raise SystemExit"
    ),
    "raises_in_its_hook": Variant(
        LOSS, SPEC, f"raise ValueError('no')\n    {SPEC}", "ValueError: no", "raise ValueError"
    ),
    "misspells_a_hook": Variant(
        LOSS,
        "ltbench_register_losses",
        "ltbench_register_loses",
        "did you mean 'ltbench_register_losses'",
        "@hookimpl",
    ),
    "marks_no_hook": Variant(
        LOSS, "@hookimpl\n", "", "it implements no hook", "def ltbench_register_losses"
    ),
    "takes_a_name": Variant(
        LOSS,
        '"new_loss"',
        '"ce"',
        "loss 'ce' is already registered by builtin_losses (ltbench ",
        HOOK,
    ),
    "returns_no_list": Variant(LOSS, "build=build)]", "build=build)][0]", "not a list", HOOK),
    "returns_nothing": Variant(
        LOSS, SPEC, 'found = [LossSpec(name="new_loss"', "returned None: expected a list", HOOK
    ),
    "returns_a_text": Variant(
        LOSS, SPEC, f"return ['new_loss']\n    {SPEC}", "which is not a component spec", HOOK
    ),
    "returns_another_kind": Variant(
        LOSS.replace("LossSpec", "HeadSpec"),
        "import HeadSpec",
        "import HeadSpec as HeadSpec",
        "returned the HeadSpec 'new_loss', not a LossSpec",
        HOOK,
    ),
    "has_a_config_that_can_change": Variant(
        LOSS,
        "(frozen=True)",
        "",
        "the config of loss 'new_loss' is not a frozen dataclass",
        "@data",
    ),
    "has_a_config_of_another_type": Variant(
        LOSS, "config=Config", "config=dict", "is not a frozen dataclass, but <class 'dict'>", HOOK
    ),
    "has_a_name_in_camel_case": Variant(
        LOSS, "new_loss", "NewLoss", "loss name 'NewLoss' is not snake_case", HOOK
    ),
    "has_no_function_to_build": Variant(
        LOSS, "build=build", "build=3", "the build of loss 'new_loss' is not a function", HOOK
    ),
    "wants_a_later_api": Variant(
        LOSS,
        "LTBENCH_API = 1",
        "LTBENCH_API = 99\n1 / 0",
        "it was built for version 99 of the plugin API, and this ltbench has version 1: update "
        "ltbench; importing it raised ZeroDivisionError: division by zero",
        "1 / 0",
    ),
    "wants_an_earlier_api": Variant(
        LOSS, "LTBENCH_API = 1", "LTBENCH_API = 0", "it was built for version 0"
    ),
    "wants_a_strange_api": Variant(
        LOSS, "LTBENCH_API = 1", "LTBENCH_API = 'new'", "LTBENCH_API: expected a version number"
    ),
}
"""Variants that cannot be loaded."""

RUNNING = {
    "raises_in_build": Variant(
        LOSS,
        "    from torch.nn.functional",
        "    1 / 0\n    from torch.nn.functional",
        "ZeroDivisionError: division by zero",
        "1 / 0",
        "loss new_loss: a run",
    ),
    "raises_in_apply": Variant(
        METHOD,
        '"norm1"].weight',
        '"norm1"].weights',
        "AttributeError: 'LayerNorm' object has no attribute 'weights'",
        "        return [block",
        "method new_method: a run",
    ),
    "raises_in_the_forward_pass": Variant(
        METHOD,
        "        return [block",
        "        backbone.register_forward_hook(fails)\n        return [block",
        "NameError: name 'fails' is not defined",
        "        backbone.register",
        "method new_method: a run",
    ),
    "raises_in_a_hook_of_a_module": Variant(
        METHOD,
        "        return [block",
        "        def fails(module, args, output):\n            raise ValueError('not today')\n\n"
        "        backbone.blocks[0]['norm1'].register_forward_hook(fails)\n        return [block",
        "ValueError: not today",
        "            raise ValueError",
        "method new_method: a run",
    ),
    "mixes_tokens_and_denies_it": Variant(
        METHOD.replace("build=build)", "build=build, token_wise=True)"),
        "        return [block",
        "        def mix(module, args, output):\n            return output.roll(1, dims=1)\n\n"
        "        for block in backbone.blocks:\n"
        "            if 'mlp_end' in block.paths:\n"
        "                block['mlp_end'].register_forward_hook(mix)\n        return [block",
        "with all tokens they differ by",
        "",
        ": token wise",
    ),
    "is_declared_seedless_and_trains": Variant(
        METHOD,
        "build=build)",
        "build=build, seedless=True)",
        'fix the setting {"train.epochs": 0}',
        "",
        ": no seed changes it",
    ),
    "builds_nothing": Variant(
        LOSS,
        "    return lambda",
        "    lambda",
        "raised TypeError",
        "def build",
        "loss new_loss: a run",
    ),
    "loses_the_gradient": Variant(
        LOSS,
        "cross_entropy(config.scale * logits, labels)",
        "cross_entropy(config.scale * logits, labels).item()",
        "returned float, not a scalar with a gradient",
        "def build",
        "loss new_loss: a run",
    ),
    "divides_by_the_images_of_a_class": Variant(
        LOSS,
        "cross_entropy(config.scale * logits, labels)",
        "cross_entropy(logits, labels) / min(ctx.class_counts)",
        "batch of 1: the value is inf",
        "",
        "loss new_loss: finite",
    ),
    "changes_frozen_weights": Variant(
        METHOD,
        "        return [block",
        "        def grows(module, args):\n            module.bias.data.add_(0.1)\n\n"
        "        backbone.blocks[0]['norm1'].register_forward_pre_hook(grows)\n"
        "        return [block",
        "changed",
        "",
        "frozen weights stay",
    ),
    "learns_what_is_not_its_own": Variant(
        METHOD,
        "        return [block",
        "        import torch\n\n        return [torch.nn.Linear(2, 2).weight]\n        [block",
        "returned something that is no weight of the backbone",
        "def build",
        "method new_method: a run",
    ),
    "imports_what_is_private": Variant(
        LOSS,
        "LTBENCH_API = 1",
        "from ltbench.registry import registry",
        "private imports: ltbench.registry.registry",
        "from ltbench.registry import registry",
        "plugin raised: public imports",
    ),
    "imports_slowly": Variant(
        LOSS,
        "LTBENCH_API = 1",
        "import time\n\ntime.sleep(1.1)",
        "importing raised_plugin takes 1.",
        "",
        "plugin raised: load time",
    ),
    "imports_torch": Variant(
        LOSS,
        "LTBENCH_API = 1",
        "import torch",
        "importing raised_plugin loads torch",
        "",
        "plugin raised: light imports",
    ),
    "has_an_option_without_help": Variant(
        LOSS, '"of the logits"', '""', "option scale has no help", "", "loss new_loss: options"
    ),
    "has_a_default_out_of_range": Variant(
        LOSS,
        "scale: float = option(1.0",
        "scale: __import__('typing').Literal[1, 2] = option(3",
        "loss.scale: expected 1, 2, got 3",
        "",
        "loss new_loss: options",
    ),
}
"""Variants that are loaded, and fail a check."""
