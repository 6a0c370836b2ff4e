"""Images that a stored run was evaluated on, where its data set is in place and unchanged."""

from __future__ import annotations

from pathlib import Path

from ltbench.config.defaults import DEFAULT_DATA_ROOT
from ltbench.config.options import parse_options, path_options
from ltbench.config.resolve import Resolved
from ltbench.contexts import DataContext
from ltbench.data.images import ImageSource
from ltbench.engine.building.build_dataset import build_dataset
from ltbench.errors import ConfigError, DataError
from ltbench.progress import SILENT, ProgressReporter
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.load import load_plugins
from ltbench.specs import DatasetSpec, Settings
from ltbench.storage.result_schema import RunResult


def evaluated_images(
    run: RunResult,
    data_root: Path = DEFAULT_DATA_ROOT,
    settings: Settings | None = None,
    progress: ProgressReporter = SILENT,
) -> ImageSource:
    """Returns the images of the evaluated split of a run, by their indices in its predictions.

    Args:
        run: Stored result.
        data_root: Folder of the data sets.
        settings: New paths of files that have moved, such as "dataset.path".
        progress: Reporter of what is read; files that were read before are not read again.

    Raises:
        ConfigError: There is no such data set or setting.
        DataError: The data set is missing, or is not that of the run.
    """
    spec, choice = run.spec, run.spec.dataset
    component = load_plugins().find("dataset", choice.name)
    assert isinstance(component.spec, DatasetSpec)
    changes = dict(settings or {})
    allowed = [f"dataset.{name}" for name in path_options(component.spec.config)]
    faults = [
        f"{key}: only the place of the data can be set ({', '.join(allowed) or 'it has none'})"
        for key in changes
        if key not in allowed
    ]
    values = {
        **choice.options,
        **choice.paths,
        **{key.removeprefix("dataset."): value for key, value in changes.items()},
    }
    with attribute_errors(component):
        config, wrong = parse_options(
            component.spec.config, values, "dataset", f"dataset '{choice.name}'"
        )
    if faults or wrong:
        raise ConfigError.from_faults([*faults, *wrong], hint="give the path of the data")
    data = DataContext(root=data_root, data_seed=spec.data_seed, progress=progress)
    with attribute_errors(component):
        identity = component.spec.identity(config, data)
    if identity != choice.identity or component.spec.version != choice.version:
        raise DataError(
            f"the data set '{choice.name}' is not what the run used: it has changed since",
            hint="give the data of the run, or start the run again",
        )
    resolved = Resolved(spec, {"dataset": component}, {"dataset": config}, data, {})
    return build_dataset(resolved, progress).splits[spec.split].images
