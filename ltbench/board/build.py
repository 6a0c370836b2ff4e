"""Building of a board: from a folder of packs to the files of a site."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ltbench import __version__
from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.board.board_files import board_csv, board_json
from ltbench.board.contributors import Contributions, Contributor
from ltbench.board.dataset_page import dataset_page
from ltbench.board.entries import BoardDataset, board_datasets
from ltbench.board.entry_page import class_accuracies_csv, entry_page
from ltbench.board.index_page import index_page
from ltbench.board.site_folder import write_site
from ltbench.board.verification import PackVerifier, Refusal, VerifiedRun
from ltbench.board.verify_packs import Stage, temporary_store, verify_packs
from ltbench.errors import DataError
from ltbench.io.interrupts import check
from ltbench.registry.registry import Registry
from ltbench.report.page.render import render_page
from ltbench.report.sections.evidence import MAX_SHOWN_METHODS
from ltbench.storage.results import Found, find_runs


@dataclass(frozen=True)
class Board:
    """Board in memory, ready to be written.

    Args:
        datasets: Data sets with their entries.
        contributors: Contributors with an entry, by the name of their folder.
        refusals: Reasons why packs are left out.
        files: Content of each file of the site by its path.
    """

    datasets: tuple[BoardDataset, ...]
    contributors: Mapping[str, Contributor]
    refusals: tuple[Refusal, ...]
    files: Mapping[str, bytes]

    @property
    def left_out(self) -> list[str]:
        """Names of the packs that are left out."""
        return list(dict.fromkeys(refusal.pack for refusal in self.refusals))

    def write(self, out: Path) -> int:
        """Writes the site, and returns the number of files of an earlier build that it removed.

        Args:
            out: Folder of the site.

        Raises:
            ConfigError: A file of another origin would be replaced.
            RunError: A file cannot be written.
        """
        return write_site(self.files, out, f"ltbench {__version__}")


def build_board(
    contributions: Contributions, registry: Registry, data_root: Path, stage: Stage | None = None
) -> Board:
    """Verifies all packs and makes the pages of those that are accepted.

    Args:
        contributions: Contributors and their packs.
        registry: Installed components.
        data_root: Folder that holds the data sets.
        stage: Progress callbacks.

    Raises:
        DataError: No pack is accepted.
        RunError: The packs cannot be unpacked: no space in the folder for temporary files.
    """
    stage = stage or Stage()
    with temporary_store() as store:
        packs = verify_packs(contributions, PackVerifier(registry, data_root, store), stage)
        refusals = [refusal for pack in packs for refusal in pack.refusals]
        runs = {run.hash: run for pack in packs if not pack.refusals for run in pack.runs}
        if not runs:
            first = f": {refusals[0].pack}: {refusals[0].reason}" if refusals else ""
            raise DataError(
                f"none of {len(packs):,} packs is accepted{first}",
                hint="see the reasons with ltbench board check PACK",
            )
        everyone = {one.contributor.name: one.contributor for one in contributions.each}
        names = sorted({run.contributor for run in runs.values()})
        contributors = {name: everyone[name] for name in names}
        found = find_runs([store])
        datasets, files = _pages(found, runs, contributors, registry, stage)
        files = {name: _without_store(content, store) for name, content in files.items()}
    files["index.html"] = render_page(index_page(datasets, contributors, refusals)).encode()
    files["leaderboard.csv"] = board_csv(datasets).encode()
    files["board.json"] = board_json(datasets, contributors, refusals).encode()
    return Board(tuple(datasets), contributors, tuple(refusals), files)


def _without_store(content: bytes, store: Path) -> bytes:
    """Returns a file in which run directories are below `runs`: notes of a report may name them.

    Args:
        content: Content of a file of the site.
        store: Folder in which the packs were unpacked, each in a folder with a number.
    """
    place = html.escape(str(store))
    if place.encode() not in content:
        return content
    return re.sub(re.escape(place).encode() + rb"/\d+", b"runs", content)


def _pages(
    found: Found,
    runs: Mapping[str, VerifiedRun],
    contributors: Mapping[str, Contributor],
    registry: Registry,
    stage: Stage,
) -> tuple[list[BoardDataset], dict[str, bytes]]:
    """Returns the data sets, and the files of their folders by path."""
    cells = found.cells()
    stage.begin("reading predictions, testing", len(cells))
    published = [each.result for each in registry.published]
    board = build_leaderboard(cells, registry, published=published, advance=stage.advance)
    datasets = board_datasets(board, runs, contributors)
    compared = [
        min(len(each.entries), MAX_SHOWN_METHODS) for one in datasets for each in one.rankings
    ]
    stage.begin("comparing, drawing", sum(compared))
    files: dict[str, bytes] = {}
    for dataset in datasets:
        check()
        made = dataset_page(dataset, board, stage.advance)
        files[f"{dataset.folder}/index.html"] = render_page(made.page).encode()
        files |= {f"{dataset.folder}/{name}": content for name, content in made.files.items()}
    stage.begin("writing pages", sum(len(dataset.entries) for dataset in datasets))
    for dataset in datasets:
        for ranked in dataset.rankings:
            for entry in ranked.entries:
                check()
                place = f"{dataset.folder}/{entry.page}"
                page = entry_page(entry, ranked, dataset)
                files[f"{place}.html"] = render_page(page).encode()
                files[f"{place}.csv"] = class_accuracies_csv(entry).encode()
                stage.advance()
    return datasets, files
