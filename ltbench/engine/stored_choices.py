"""Choices of a stored run, resolved again to compute more with its model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ltbench.config.options import path_options
from ltbench.config.resolve import Resolved, resolve, settings_of
from ltbench.config.runspec import RunSpec
from ltbench.engine.late_progress import LateProgress
from ltbench.errors import DataError
from ltbench.registry.load import load_plugins
from ltbench.specs import Settings

_REREAD_KINDS = ("dataset", "backbone")
"""Kinds whose files an evaluation reads again."""


def resolve_stored(
    stored: RunSpec,
    changes: Settings,
    data_root: Path,
    inference: str | None = None,
    faults: Sequence[str] = (),
) -> Resolved:
    """Resolves a stored run with changes, and checks that data and weights are those of the run.

    Args:
        stored: The run.
        changes: Settings by key: options of the inference, and paths of data and weights.
        data_root: Folder of the data sets.
        inference: Name of another inference; the run's own where None.
        faults: Faults that are known already, and reported together with all others.

    Raises:
        ConfigError: Another key is set, or a value is not valid.
        DataError: Data or weights are missing, or are not those of the run.
    """
    registry = load_plugins()
    places = [
        f"{kind}.{name}"
        for kind in _REREAD_KINDS
        for name in path_options(registry.find(kind, stored.choices()[kind].name).spec.config)
    ]
    wrong = [
        f"{key}: an evaluation can only change inference.*, and where data or weights lie "
        f"({', '.join(sorted(places)) or 'this run has no such option'}); start another run for it"
        for key in changes
        if not key.startswith("inference.") and key not in places
    ]
    settings = settings_of(stored)
    if inference is not None and inference != stored.inference.name:
        settings = {k: v for k, v in settings.items() if not k.startswith("inference.")}
        settings["inference"] = inference
    late = LateProgress()
    try:
        # Not the init: the head's weights are stored, and the file that made the first may be gone.
        resolved = resolve(
            registry,
            settings | dict(changes),
            data_root,
            [*faults, *wrong],
            identify=_REREAD_KINDS,
            progress=late,
        )
    except DataError as error:
        raise _moved(error, stored, places) from error
    _expect_same(resolved.spec, stored, places)
    return resolved


def _expect_same(now: RunSpec, stored: RunSpec, places: Sequence[str]) -> None:
    """Checks that data set and weights are those of the run.

    Raises:
        DataError: The identity of one differs.
    """
    for kind in _REREAD_KINDS:
        one, other = now.choices()[kind], stored.choices()[kind]
        if one.identity != other.identity:
            raise DataError(
                f"{kind} '{one.name}' is not what the run used: expected {other.identity}, got "
                f"{one.identity}",
                hint=f"{_where(stored, places)}; a run of an older ltbench, whose identities were "
                "made otherwise, has to be run again",
            )


def _moved(error: DataError, stored: RunSpec, places: Sequence[str]) -> DataError:
    """Returns an error about missing data or weights with a hint about their place."""
    hint = f"{error.hint}; {_where(stored, places)}" if error.hint else _where(stored, places)
    return DataError(error.message, hint=hint)


def _where(stored: RunSpec, places: Sequence[str]) -> str:
    """Returns the options that set the places of the data and weights of a run."""
    then = [
        f"--set {kind}.{name}=PLACE, where it was {path}"
        for kind in _REREAD_KINDS
        for name, path in stored.choices()[kind].paths.items()
        if f"{kind}.{name}" in places
    ]
    return f"if they moved, add {' or '.join([*then, '--data-root FOLDER'])}"
