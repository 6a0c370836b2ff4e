"""Section of a report about rare classes: which fail, what takes their images, and pictures."""

from __future__ import annotations

from collections.abc import Callable

from ltbench.analysis.leaderboard.ranking import Ranking
from ltbench.data.images import ImageSource
from ltbench.report.page.content import Section
from ltbench.report.sections.evidence import RankingEvidence
from ltbench.storage.result_schema import RunResult

ImagesOf = Callable[[RunResult], ImageSource]
"""Returns the images of the evaluated split of a run; raises a DataError where they are missing."""


def errors_section(
    ranking: Ranking, evidence: RankingEvidence, name: str, images: ImagesOf | None = None
) -> Section:
    """Returns the section of the errors of a ranking's best method.

    Args:
        ranking: Ranking of the cells.
        evidence: Results of its best methods.
        name: Name in snake_case, unique in the report; prefix of the blocks and the anchor.
        images: Source of the pictures; None for a section without a contact sheet.
    """
    return Section(f"{name.replace('_', '-')}-errors", "Which rare classes fail, and as what?")
