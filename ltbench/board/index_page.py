"""First page of a board: data sets with the best of each, contributors, how to take part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ltbench import __version__
from ltbench.board.contributors import ENTRY_FILE, Contributor
from ltbench.board.entries import BoardDataset, BoardEntry, count
from ltbench.board.people import people_table
from ltbench.board.verification import Refusal
from ltbench.report.page.content import (
    Answer,
    CellValue,
    Column,
    Link,
    Listing,
    Page,
    Section,
    SectionBlock,
    Table,
    WithInterval,
)
from ltbench.report.sections.answer import ranking_answer

TITLE = "Long-tail recognition: a public leaderboard"

_CHECKS = (
    "The files of a pack have the SHA-256 of its manifest. A pack is accepted as a whole or not at "
    "all.",
    "The hash of a run is that of its settings. Every metric, with its interval, is computed "
    "again from the stored predictions and must be equal.",
    "The identity of the data set is the known one. Where its files are available, its classes, "
    "training images and labels of test images are those of the runs. The page of an entry has, "
    "for each seed, what was compared.",
    "A run is listed once: the same run, or the same predictions, in the pack of another "
    "contributor is refused. So is a run on a part of the images.",
    "Commands are made from the settings of a run. No text of a contributor is shown as a command.",
)
_LIMITS = (
    "That predictions come from a training with these settings. Invented predictions that agree "
    "with themselves pass. Repeat a run with its command before you rely on it. Times, memory and "
    "numbers of learned parameters are those that the contributor's machine recorded."
)
_STEPS = (
    "1. Run a method with several seeds; one seed supports no claim about a method.",
    "2. Pack the runs, without their weights.",
    "3. Check the pack.",
    f"4. Put it into a folder of your name beside the others, with {ENTRY_FILE}: who you are.",
    "5. Open a pull request with the folder. The numbers are placed under CC0 1.0.",
)
_COMMANDS = """\
ltbench run --method lora --seed 0
ltbench run --method lora --seed 1
ltbench runs pack runs NAME/lora.zip
ltbench board check NAME/lora.zip"""
_ENTRY = """\
who = "Name, or names"
affiliation = "University or company"
link = "https://..."
paper = "arXiv:..."
note = "A remark for readers."
"""


def index_page(
    datasets: Sequence[BoardDataset],
    contributors: Mapping[str, Contributor],
    refusals: Sequence[Refusal],
) -> Page:
    """Returns the first page.

    Args:
        datasets: Data sets with their entries.
        contributors: Contributors with an entry, by the name of their folder.
        refusals: Reasons why packs are left out.
    """
    entries = [entry for dataset in datasets for entry in dataset.entries]
    runs = sum(len(entry.runs) for entry in entries)
    left_out = len({refusal.pack for refusal in refusals})
    return Page(
        title=TITLE,
        answer=_answer(datasets, runs, len(contributors)),
        facts=[
            ("data sets", f"{len(datasets):,}"),
            ("entries", f"{len(entries):,}"),
            ("runs", f"{runs:,}"),
            ("contributors", f"{len(contributors):,}"),
            ("packs left out", f"{left_out:,}"),
        ],
        sections=[
            _datasets_section(datasets),
            _contributors_section(datasets, contributors),
            _contribute_section(),
            Section(
                "checks",
                "How results are checked",
                findings=_CHECKS,
                sections=[Section("limits", "What the checks cannot show", [_LIMITS])],
            ),
            *([_left_out_section(refusals)] if refusals else []),
            _files_section(),
        ],
        made_with=f"ltbench {__version__}",
    )


def _answer(datasets: Sequence[BoardDataset], runs: int, contributors: int) -> Answer:
    """Returns the first sentences: the answer of the only ranking, or the numbers of all."""
    detail = (
        f"{count(runs, 'run')} by {count(contributors, 'contributor')}, each computed again from "
        "the predictions that were handed in."
    )
    if len(datasets) > 1:
        return Answer(f"The best methods on {len(datasets):,} long-tailed data sets.", detail)
    (dataset,) = datasets
    if len(dataset.rankings) > 1:
        return Answer(f"The best methods on {dataset.label}.", detail)
    return Answer(ranking_answer(dataset.rankings[0].ranking, None).headline, detail)


def _datasets_section(datasets: Sequence[BoardDataset]) -> Section:
    heads = [
        Column("data set"),
        Column("best method", "first row of the ranking"),
        Column("overall", "with its interval over seeds and test images", decimals=1),
        Column("few", "mean over few-shot classes", decimals=1),
        Column("measured by", shown="wide"),
        Column(
            "published",
            "best published overall accuracy, not measured here",
            decimals=1,
            shown="wide",
        ),
        Column("entries", decimals=0, shown="wide"),
        Column(
            "of rank 1",
            "entries that are not significantly worse than the best",
            decimals=0,
            shown="more",
        ),
        Column(
            "conditions", "test views, epoch selection and rule of the shot groups", shown="more"
        ),
        Column("classes", decimals=0, shown="more"),
    ]
    rows: list[tuple[CellValue, ...]] = []
    for dataset in datasets:
        for each in dataset.rankings:
            best, conditions = each.entries[0], each.ranking.conditions
            known = [row.accuracy for row in dataset.published if row.accuracy is not None]
            rows.append(
                (
                    Link(dataset.label, f"{dataset.folder}/index.html"),
                    Link(best.ranked.name, f"{dataset.folder}/{best.page}.html"),
                    _estimate(best),
                    best.row.few,
                    best.folders,
                    max(known, default=None),
                    len(each.entries),
                    sum(entry.row.rank == 1 for entry in each.entries),
                    f"{conditions.inference}, {conditions.selection}, {conditions.shot_rule}",
                    len(best.ranked.cell.runs[0].classes.names),
                )
            )
    table = Table(
        "datasets",
        "The first row of each ranking, in percent. The page of a data set has all entries, "
        "figures and tests.",
        heads,
        rows,
    )
    return Section("data-sets", "Data sets", blocks=[table])


def _estimate(entry: BoardEntry) -> CellValue:
    row = entry.row
    if row.accuracy is None:
        return None
    return WithInterval(row.accuracy, row.accuracy_ci_low, row.accuracy_ci_high)


def _contributors_section(
    datasets: Sequence[BoardDataset], contributors: Mapping[str, Contributor]
) -> Section:
    totals = dict.fromkeys(contributors, 0)
    runs = dict.fromkeys(contributors, 0)
    for dataset in datasets:
        for entry in dataset.entries:
            for one in entry.contributors:
                totals[one.name] += 1
            for run in entry.runs:
                runs[run.contributor] += 1
    names = sorted(contributors)
    table = people_table(
        "contributors",
        "Authors of the results.",
        [contributors[name] for name in names],
        [
            (Column("entries", decimals=0), [totals[name] for name in names]),
            (Column("runs", decimals=0), [runs[name] for name in names]),
        ],
    )
    return Section("contributors", "Contributors", blocks=[table])


def _contribute_section() -> Section:
    blocks: list[SectionBlock] = [Listing("Commands", _COMMANDS), Listing(ENTRY_FILE, _ENTRY)]
    return Section("contribute", "Add a result", findings=_STEPS, blocks=blocks)


def _left_out_section(refusals: Sequence[Refusal]) -> Section:
    table = Table(
        "left_out",
        "Packs that are left out, with the reason.",
        [Column("pack"), Column("run"), Column("reason")],
        [(one.pack, one.folder, one.reason) for one in refusals],
    )
    return Section("left-out", "Left out", blocks=[table])


def _files_section() -> Section:
    rows: list[tuple[CellValue, ...]] = [
        (Link("leaderboard.csv", "leaderboard.csv"), "all rows and columns"),
        (Link("board.json", "board.json"), "rankings, entries, runs and contributors"),
    ]
    table = Table("files", "The board as files.", [Column("file"), Column("content")], rows)
    return Section("files", "Files", blocks=[table])
