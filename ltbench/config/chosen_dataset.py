"""A data set without a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ltbench.config.options import parse_options
from ltbench.contexts import DataContext
from ltbench.errors import ConfigError
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.registry.registry import Registry
from ltbench.specs import DatasetSpec, Settings

if TYPE_CHECKING:
    from ltbench.data import Dataset


@dataclass(frozen=True)
class ChosenDataset:
    """A data set, its options, and the context of its `build`."""

    component: Component
    config: Any
    context: DataContext

    @classmethod
    def choose(
        cls,
        registry: Registry,
        name: str,
        settings: Settings,
        context: DataContext,
        faults: Sequence[str] = (),
    ) -> ChosenDataset:
        """Finds a data set and reads its options.

        Args:
            registry: Registered components.
            name: Name of the data set.
            settings: Options by dotted key, as in `--set dataset.ratio=50`.
            context: Context of its `build`.
            faults: Faults that were found before, to be shown with the others.

        Raises:
            UnknownNameError: No data set has this name.
            ConfigError: Options are wrong; the message has all faults.
        """
        component = registry.find("dataset", name)
        of_data = {
            key.removeprefix("dataset."): value
            for key, value in settings.items()
            if key.startswith("dataset.")
        }
        strange = [
            f"{key}: only dataset.* can be set here"
            for key in settings
            if not key.startswith("dataset.")
        ]
        with attribute_errors(component):
            config, wrong = parse_options(
                component.spec.config, of_data, "dataset", f"dataset '{name}'"
            )
        if faults or strange or wrong:
            raise ConfigError.from_faults(
                [*faults, *strange, *wrong], hint=f"see `ltbench show dataset {name}`"
            )
        return cls(component, config, context)

    @property
    def spec(self) -> DatasetSpec:
        """The data set's spec."""
        spec = self.component.spec
        assert isinstance(spec, DatasetSpec)
        return spec

    def identity(self) -> str:
        """Returns the identity of its images and labels."""
        with attribute_errors(self.component):
            return self.spec.identity(self.config, self.context)

    def check(self) -> None:
        """Checks that its files are in place.

        Raises:
            DataError: They are not.
        """
        with attribute_errors(self.component):
            self.spec.check(self.config, self.context)

    def build(self) -> Dataset:
        """Builds it.

        Raises:
            DataError: Its files are missing or broken.
            PluginError: The result is not a `Dataset`.
        """
        from ltbench.data import Dataset

        with attribute_errors(self.component):
            dataset = self.spec.build(self.config, self.context)
        if not isinstance(dataset, Dataset):
            raise self.component.contract_error(f"built a {type(dataset).__name__}, not a Dataset")
        return dataset
