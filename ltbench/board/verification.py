"""Verification of packs: all that can be computed again is, and a run is listed once."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ltbench.board.commands import CommandWriter, RunCommand
from ltbench.board.known_data import DataCheck, KnownData
from ltbench.errors import DataError, shortened
from ltbench.io.files import remove
from ltbench.io.text import line_text
from ltbench.registry.registry import Registry
from ltbench.storage.predictions import Predictions
from ltbench.storage.run_directory import RunDirectory
from ltbench.storage.tags import Tags
from ltbench.storage.unpacking import AddedRun, add_pack

_MAX_REASON_CHARACTERS = 400


@dataclass(frozen=True)
class VerifiedRun:
    """A run of a pack that passed all checks.

    Args:
        pack: Name of the pack: `CONTRIBUTOR/PACK.zip`.
        contributor: Name of the contributor's folder.
        folder: Folder of the run in the pack.
        hash: Hash of the run.
        accuracy: Overall accuracy in percent.
        data: Part of the data set that was compared with the one that is known here.
        command: Command that repeats the run.
    """

    pack: str
    contributor: str
    folder: str
    hash: str
    accuracy: float
    data: DataCheck
    command: RunCommand


@dataclass(frozen=True)
class Refusal:
    """Reason why a pack is left out.

    Args:
        pack: Name of the pack.
        folder: Folder of the run in the pack; empty where the whole pack is at fault.
        reason: Reason as a sentence without a full stop.
    """

    pack: str
    folder: str
    reason: str


@dataclass(frozen=True)
class CheckedPack:
    """Outcome for a pack, which is accepted as a whole or not at all.

    Args:
        name: Name of the pack.
        runs: Runs that passed the checks; those of a pack that is left out are not used.
        refusals: Reasons why it is left out; none where it is accepted.
    """

    name: str
    runs: tuple[VerifiedRun, ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True)
class _Seen:
    """Place of a run that was accepted before."""

    pack: str
    contributor: str
    folder: str


class PackVerifier:
    """Verifies packs one after the other; the runs of accepted packs are kept in a store.

    Args:
        registry: Installed components.
        data_root: Folder that holds the data sets.
        store: Empty folder. Each accepted pack has a folder of its own in it.
    """

    def __init__(self, registry: Registry, data_root: Path, store: Path) -> None:
        self._known = KnownData(registry, data_root)
        self._commands = CommandWriter(registry)
        self._store = store
        self._packs = 0
        self._by_hash: dict[str, _Seen] = {}
        self._by_predictions: dict[str, _Seen] = {}

    def verify(self, archive: Path, contributor: str) -> CheckedPack:
        """Unpacks and verifies a pack.

        Args:
            archive: Untrusted archive.
            contributor: Name of the contributor's folder.

        Raises:
            RunError: The store cannot be written.
        """
        self._packs += 1
        name = f"{contributor}/{archive.name}"
        place = self._store / f"{self._packs:06}"
        runs: list[VerifiedRun] = []
        refusals: list[Refusal] = []
        prints: list[str] = []
        repeated: dict[str, list[tuple[str, str]]] = {}

        def refuse(folder: str, reason: str) -> None:
            told = reason.replace(f"{place}/", "").replace(str(archive), name)
            refusals.append(
                Refusal(name, folder, shortened(line_text(told), _MAX_REASON_CHARACTERS))
            )

        try:
            with closing(add_pack(archive, place)) as added:
                for run in added:
                    try:
                        verified, fingerprint = self._verified(run, name, contributor)
                    except DataError as error:
                        refuse(run.folder, error.message)
                        continue
                    earlier = self._earlier(verified, fingerprint)
                    if earlier is not None:
                        repeated.setdefault(earlier.pack, []).append((run.folder, earlier.folder))
                    runs.append(verified)
                    prints.append(fingerprint)
        except DataError as error:
            refuse("", error.message)
        for pack, folders in repeated.items():
            own, other = folders[0]
            more = f", and {len(folders) - 1:,} more" if len(folders) > 1 else ""
            refuse(own, f"{pack} has it already, as {other}{more}: a run is listed once")
        if not runs and not refusals:
            refuse("", f"{name} holds no run")
        if refusals:
            remove(place)
        else:
            for verified, fingerprint in zip(runs, prints, strict=True):
                seen = _Seen(name, contributor, verified.folder)
                self._by_hash[verified.hash] = seen
                self._by_predictions.setdefault(fingerprint, seen)
        return CheckedPack(name, tuple(runs), tuple(refusals))

    def _verified(self, added: AddedRun, pack: str, contributor: str) -> tuple[VerifiedRun, str]:
        """Returns a run that passes all checks, and the digest of its predictions.

        Raises:
            DataError: It does not.
        """
        if added.fault or added.path is None:
            raise DataError(added.fault)
        (added.path / Tags.FILE).unlink(missing_ok=True)  # words of its author for their own store
        run = RunDirectory(added.path).finished()
        if not run.comparable:
            raise DataError(f"it is a quick look ({run.spec.quick_text}), which no board lists")
        data = self._known.check(run)
        fingerprint = _digest(run.predictions())
        verified = VerifiedRun(
            pack=pack,
            contributor=contributor,
            folder=added.folder,
            hash=run.hash,
            accuracy=run.metrics.accuracy,
            data=data,
            command=self._commands.write(run.spec),
        )
        return verified, fingerprint

    def _earlier(self, run: VerifiedRun, fingerprint: str) -> _Seen | None:
        """Returns the accepted run that a run repeats: the same one, or another's predictions."""
        same = self._by_hash.get(run.hash)
        copied = self._by_predictions.get(fingerprint)
        if same is None and copied is not None and copied.contributor != run.contributor:
            return copied
        return same


def _digest(predictions: Predictions) -> str:
    """Returns a SHA-256 of predicted classes and logits, which two trainings never share."""
    hashed = hashlib.sha256()
    for array in (predictions.indices, predictions.classes, predictions.logits):
        hashed.update(np.ascontiguousarray(array).tobytes())
    return hashed.hexdigest()
