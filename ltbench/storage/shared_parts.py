"""Parts that many results have in common, kept in memory once."""

from __future__ import annotations

from dataclasses import dataclass, field

from ltbench.config.runspec import Choice, RunSpec
from ltbench.storage.result_schema import Classes, RunResult


@dataclass
class SharedParts:
    """Parts that many results have in common, kept in memory once.

    Attributes:
        classes: Classes by their content.
        specs: First spec of each cell by its key.
        choices: Choices by their content.
    """

    classes: dict[object, Classes] = field(default_factory=dict)
    specs: dict[str, RunSpec] = field(default_factory=dict)
    choices: dict[str, Choice] = field(default_factory=dict)

    def apply(self, run: RunResult) -> RunResult:
        """Returns a result with its classes and choices replaced by equal ones that are kept."""
        classes, own = run.classes, run.spec
        content = tuple(classes.names), tuple(classes.train_images), tuple(classes.trained_on)
        for kind, choice in own.choices().items():  # `cell_key` has their JSON, made once for each
            vars(own)[kind] = self.choices.setdefault(repr(choice), choice)
        common = self.specs.setdefault(own.cell_key, own).with_seed(own.seed)
        update = {
            "classes": self.classes.setdefault(content, classes),
            "spec": common if common == own else own,  # paths, which are in no key, may differ
        }
        return run.model_copy(update=update)
