"""States of data sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ltbench.contexts import DataContext
from ltbench.errors import ConfigError, LTBenchError, PluginError

if TYPE_CHECKING:
    from ltbench.registry.registry import Registry


@dataclass(frozen=True)
class Status:
    """State of a data set with its default options.

    Args:
        name: Name of the data set.
        summary: Summary of the data set.
        state: State: `ready`; `options` where an option must be set; `missing`; `failed` where its
            plugin raised an error.
        message: Reason why it is not ready.
        hint: Action that the user can take.
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
