"""Whether a data set could be used now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ltbench.errors import ConfigError, LTBenchError, PluginError
from ltbench.specs import DataContext

if TYPE_CHECKING:
    from ltbench.registry.registry import Registry


@dataclass(frozen=True)
class Status:
    """What a data set with its default options would say.

    Args:
        name: The data set's.
        summary: Its summary.
        state: `ready`; `options`: it must be told something; `missing`; `failed`: its plugin did.
        message: Why it is not ready.
        hint: What to do about it.
    """

    name: str
    summary: str
    state: Literal["ready", "options", "missing", "failed"]
    message: str = ""
    hint: str = ""


def statuses(registry: Registry, data_root: Path) -> Iterator[Status]:
    """Yields the status of every data set."""
    from ltbench.config.chosen_dataset import ChosenDataset

    context = DataContext(root=data_root, data_seed=0)
    for name, component in registry.components["dataset"].items():
        summary = component.spec.summary
        try:
            chosen = ChosenDataset.choose(registry, name, {}, context)
            chosen.identity()
            chosen.check()
        except PluginError as error:
            yield Status(name, summary, "failed", error.message, error.hint)
        except ConfigError as error:
            yield Status(name, summary, "options", error.message, error.hint)
        except LTBenchError as error:
            yield Status(name, summary, "missing", error.message, error.hint)
        else:
            yield Status(name, summary, "ready")
