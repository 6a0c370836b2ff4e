"""Sections of a report about one ranking: figures, tests, notes and the table of classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.summary_text import (
    METRIC_PHRASES,
    comparison_notes,
    comparison_sentence,
    describe_correction,
)
from ltbench.analysis.leaderboard.ranking import RankedCell, Ranking
from ltbench.analysis.leaderboard.rows import Row, ranking_rows
from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_GROUPS, SHOT_RULES
from ltbench.errors import DataError
from ltbench.metric_names import ACCURACIES
from ltbench.report.figures.calibration import draw_calibration
from ltbench.report.figures.head_to_tail import draw_head_to_tail
from ltbench.report.figures.narrow_shot_groups import draw_narrow_shot_groups
from ltbench.report.figures.shot_groups import draw_shot_groups
from ltbench.report.figures.significance_matrix import draw_significance_matrix
from ltbench.report.figures.trade_off import draw_trade_off
from ltbench.report.figures.training_curves import draw_training_curves
from ltbench.report.page.content import Column, Notes, Picture, Section, SectionBlock, Table
from ltbench.report.page.figure_set import FigureSet
from ltbench.report.sections.evidence import MAX_SHOWN_METHODS, MIN_BIN_IMAGES, RankingEvidence


def detail_sections(
    ranking: Ranking,
    evidence: RankingEvidence | None,
    name: str,
    metrics: Sequence[str],
    figures: FigureSet,
) -> list[Section]:
    """Returns the sections of a ranking below its leaderboard; those without content are left out.

    Args:
        ranking: Ranking of the cells.
        evidence: Results of its best methods; None without predictions.
        name: Name in snake_case, unique in the report; prefix of the figures and the anchors.
        metrics: Names of the compared accuracies.
        figures: Collection that figures are added to.
    """
    anchor = name.replace("_", "-")
    histories, missing = _read_histories(ranking)
    curves = list(_curve_figures(histories, name, figures))
    training = Notes("Methods without a training curve", missing)
    if evidence is None:
        sections = [Section(f"{anchor}-training", "Training", blocks=[training, *curves])]
    else:
        confidence = _calibration_figure(ranking, evidence, name, figures)
        sections = [
            Section(
                f"{anchor}-frequency",
                "From frequent to rare classes",
                blocks=[
                    _frequency_figure(ranking, evidence, name, figures),
                    _class_table(evidence, name),
                ],
            ),
            Section(
                f"{anchor}-differences",
                "Which differences are significant",
                blocks=[
                    Notes("Tests", list(_test_sentences(ranking, evidence, metrics))),
                    *_difference_figures(ranking, evidence, name, metrics, figures),
                ],
            ),
            Section(
                f"{anchor}-cost",
                "Accuracy and cost",
                blocks=list(_cost_figures(ranking, evidence, name, figures)),
            ),
            Section(
                f"{anchor}-training",
                "Confidence and training",
                blocks=[training, confidence, *curves],
            ),
        ]
    return [one for one in sections if any(not _is_empty(block) for block in one.blocks)]


def ranking_notes(ranking: Ranking, evidence: RankingEvidence | None) -> list[str]:
    """Returns notes on the validity of a ranking and of its comparisons, each once."""
    notes = [f"{note}." for note in ranking.notes]
    if evidence is None:
        notes.append("None of these runs has stored predictions, so there are no figures.")
    else:
        notes += [*evidence.left_out, *_comparison_notes(ranking, evidence)]
    return [f"{note[0].upper()}{note[1:]}" for note in dict.fromkeys(notes)]


def _is_empty(block: SectionBlock) -> bool:
    return isinstance(block, Notes) and not block.texts


def _read_histories(
    ranking: Ranking,
) -> tuple[dict[str, list[list[dict[str, Any]]]], list[str]]:
    """Returns the epochs of each run of the best methods, and errors of the others."""
    histories, missing = {}, []
    for entry in ranking.entries[:MAX_SHOWN_METHODS]:
        try:
            histories[entry.name] = [run.history() for run in entry.cell.runs]
        except DataError as error:
            missing.append(f"{entry.name} has no training curve: {error.message}.")
    return histories, missing


def _test_sentences(
    ranking: Ranking, evidence: RankingEvidence, metrics: Sequence[str]
) -> Iterator[str]:
    """Yields sentences about the best method against each other one."""
    for metric in metrics:
        pairs, comparisons = evidence.tested_pairs(metric, with_best=True)
        unclear = []
        for pair in pairs:
            outcome = pair.outcomes[metric]
            assert outcome is not None
            if outcome.corrected_p < 1 - ranking.level:
                yield comparison_sentence(pair, metric, "max-t", comparisons, ranking.level) + "."
            else:
                unclear.append((pair.second.name, outcome.evidence.detectable))
        if unclear:
            named = ", ".join(f"{name} ({detectable:.1f})" for name, detectable in unclear)
            yield (
                f"No difference was found {METRIC_PHRASES[metric]} between "
                f"{pairs[0].first.name} and: {named} "
                f"({describe_correction('max-t', comparisons)}). In brackets: true differences "
                "that a single comparison would find 4 times in 5."
            )


def no_claim_sentences(evidence: RankingEvidence | None) -> list[str]:
    """Returns a sentence about the methods with one seed, if there are others to compare with."""
    if evidence is None:
        return []
    alone = [name for name in evidence.names if name not in evidence.tested]
    if not alone or len(evidence.names) == 1:
        return []
    return [
        f"NO CLAIM about {', '.join(alone)}: one seed{' each' if len(alone) > 1 else ''}. Another "
        "seed gives another model, which may be better or worse. Run more seeds: add --seed 1, "
        "then --seed 2, to the command."
    ]


def _comparison_notes(ranking: Ranking, evidence: RankingEvidence) -> Iterator[str]:
    """Yields the notes on comparisons with the best method, each with the methods it is about."""
    about: dict[str, list[str]] = {}
    best = next(iter(evidence.tested), evidence.names[0])
    with_best = [pair for pair in evidence.pairs if pair.first.name == best]
    for pair in with_best:
        for note in comparison_notes(pair, ranking.level, seeds_alone=False, intervals=False):
            about.setdefault(note, []).append(pair.second.name)
    for note, named_in in about.items():
        whose = f" ({', '.join(named_in)})" if len(named_in) < len(with_best) else ""
        yield f"{note}{whose}."


def shot_group_figure(
    ranking: Ranking, evidence: RankingEvidence, name: str, figures: FigureSet
) -> Picture:
    """Returns the figure beside the leaderboard: accuracy by shot group, with intervals."""
    ordered = dict.fromkeys((ranking.metric, "accuracy", *SHOT_GROUPS))
    known = [metric for metric in ordered if metric in evidence.intervals]
    place = {entry: row for row, entry in enumerate(evidence.names)}
    values = np.full((len(ranking.entries), len(known), 3), np.nan)
    for row, entry in enumerate(ranking.entries):
        for column, metric in enumerate(known):
            if entry.name in place:
                values[row, column] = evidence.intervals[metric][place[entry.name]]
            else:
                mean = entry.cell.mean(metric)
                values[row, column, 0] = np.nan if mean is None else mean
    means, lows, highs = np.moveaxis(values, 2, 0)
    names, metrics = [entry.name for entry in ranking.entries], [ACCURACIES[m] for m in known]
    ranks = [entry.rank for entry in ranking.entries]
    rest = len(names) - len(place)
    without = f", of the methods in other figures; {rest} have no interval" if rest else ""
    forms = [
        draw(names, metrics, means, lows, highs, looks=figures.looks, ranks=ranks)
        for draw in (draw_shot_groups, draw_narrow_shot_groups)
    ]
    return figures.add(
        f"{name}_shot_groups",
        forms[0],
        f"Rank and accuracy by shot group, with {100 * ranking.level:g} % intervals over seeds "
        f"and test images{without}. Distances are comparable between groups.",
        _describe_numbers(names, metrics, means),
        narrow=forms[1],
    )


def _frequency_figure(
    ranking: Ranking, evidence: RankingEvidence, name: str, figures: FigureSet
) -> Picture:
    rule = SHOT_RULES.get(ranking.conditions.shot_rule, DEFAULT_RULE)
    return figures.add(
        f"{name}_head_to_tail",
        draw_head_to_tail(
            evidence.train_images,
            dict(zip(evidence.names, evidence.per_class, strict=True)),
            rule,
            class_names=[str(one) for one in evidence.entries[0].cell.runs[0].classes.names],
            looks=figures.looks,
        ),
        "Accuracy from the most frequent class (left) to the rarest, means over seeds; a running "
        "mean where there are many classes. Below: training images of the classes.",
        f"{len(evidence.train_images)} classes with {evidence.train_images.max():,} to "
        f"{evidence.train_images.min():,} training images; the table of classes has the numbers.",
    )


def _cost_figures(
    ranking: Ranking, evidence: RankingEvidence, name: str, figures: FigureSet
) -> Iterator[Picture]:
    rows = [row for _, row in _shown_rows(ranking, evidence)]
    mean, low, high = evidence.intervals["accuracy"].T
    for key, label, said in (
        ("learned_parameters", "learned parameters", "weights that are trained, with the head"),
        ("train_seconds", "training time, s", "seconds of training, means over seeds"),
    ):
        cost = np.array([getattr(row, key) for row in rows], dtype=float)
        broken = bool((cost == 0).any() and (cost > 0).any())
        axis = ", with 0 left of the dotted line" if broken else ""
        yield figures.add(
            f"{name}_{key}",
            draw_trade_off(evidence.names, mean, low, high, cost, label, looks=figures.looks),
            f"Overall accuracy against {said}; a logarithmic axis{axis}. The steps are the Pareto "
            "front: no other method is better in both.",
            _describe_numbers(evidence.names, ["overall", label], np.stack([mean, cost], axis=1)),
        )


def _difference_figures(
    ranking: Ranking,
    evidence: RankingEvidence,
    name: str,
    metrics: Sequence[str],
    figures: FigureSet,
) -> Iterator[Picture]:
    for metric in metrics if len(evidence.entries) > 1 else ():
        differences, p, comparisons = evidence.difference_matrices(metric)
        if np.isnan(differences).all():
            continue
        clear = int((p < 1 - ranking.level).sum()) // 2
        yield figures.add(
            f"{name}_differences_{metric}",
            draw_significance_matrix(
                evidence.names, differences, p, level=ranking.level, looks=figures.looks
            ),
            f"Differences in {ACCURACIES[metric]} accuracy, in percent points: the method above a "
            f"column minus the method at the end of a row. {_bold_means(ranking, comparisons)}",
            f"{clear} of {len(evidence.pairs)} pairs differ significantly in {ACCURACIES[metric]} "
            "accuracy.",
        )


def _bold_means(ranking: Ranking, comparisons: int) -> str:
    if not comparisons:
        return "No pair was tested: a test of methods needs two seeds or more of each."
    return (
        f"Bold: significant at {100 * ranking.level:g} % "
        f"({describe_correction('max-t', comparisons)}). With fewer comparisons, more pairs may be "
        "significant."
    )


def _calibration_figure(
    ranking: Ranking, evidence: RankingEvidence, name: str, figures: FigureSet
) -> Picture:
    errors = {entry.name: row.ece or 0.0 for entry, row in _shown_rows(ranking, evidence)}
    bins = dict(zip(evidence.names, evidence.reliability, strict=True))
    return figures.add(
        f"{name}_calibration",
        draw_calibration(bins, errors, looks=figures.looks),
        "Reliability: accuracy of predictions by confidence, over the images of all seeds; bins "
        f"of fewer than {MIN_BIN_IMAGES} images are left out. Below the diagonal a model is "
        "overconfident. ECE is the expected calibration error; larger markers have more images.",
        "Calibration errors in percent: "
        + ", ".join(f"{method} {error:.1f}" for method, error in errors.items()),
    )


def _curve_figures(
    histories: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]], name: str, figures: FigureSet
) -> Iterator[Picture]:
    """Yields figures of the values recorded in each epoch; none where no method was trained."""
    for key, label, said in (
        ("loss", "training loss", "The loss of each epoch"),
        ("val_mean_class", "mean-class accuracy on val, %", "The score that selects the epoch"),
    ):
        curves = {method: _epoch_values(rows, key) for method, rows in histories.items()}
        known = {method: curve for method, curve in curves.items() if np.isfinite(curve).any()}
        if known:
            yield figures.add(
                f"{name}_{key}",
                draw_training_curves(known, label, looks=figures.looks),
                f"{said}: mean over seeds, and their range.",
                "; ".join(f"{one} ends at {_last_mean(curve):.3g}" for one, curve in known.items()),
            )


def _epoch_values(
    histories: Sequence[Sequence[Mapping[str, Any]]], key: str
) -> NDArray[np.float64]:
    """Returns the values recorded in the epochs of each seed, (S, E); NaN where missing."""
    epochs = max((len(rows) for rows in histories), default=0)
    curve = np.full((len(histories), epochs), np.nan)
    for seed, rows in enumerate(histories):
        values = [row.get(key) for row in rows]
        curve[seed, : len(rows)] = [v if isinstance(v, float | int) else np.nan for v in values]
    return curve


def _last_mean(curve: NDArray[np.float64]) -> float:
    known = np.flatnonzero(np.isfinite(curve).any(axis=0))
    return float(np.nanmean(curve[:, known[-1]]))


def _class_table(evidence: RankingEvidence, name: str) -> Table:
    names = evidence.entries[0].cell.runs[0].classes.names
    order = np.argsort(-evidence.train_images, kind="stable")
    return Table(
        f"{name}_classes",
        "Accuracy of each class in percent, means over seeds, the most frequent class first.",
        [
            Column("class"),
            Column("training images", decimals=0),
            Column("test images", decimals=0),
            *(Column(method, decimals=1) for method in evidence.names),
        ],
        [
            (
                str(names[k]),
                int(evidence.train_images[k]),
                int(evidence.test_images[k]),
                *(None if np.isnan(value) else float(value) for value in evidence.per_class[:, k]),
            )
            for k in order
        ],
        folded=True,
    )


def _shown_rows(ranking: Ranking, evidence: RankingEvidence) -> list[tuple[RankedCell, Row]]:
    """Returns the shown cells, and their rows of the leaderboard."""
    shown = set(evidence.names)
    return [
        (entry, row)
        for entry, row in zip(ranking.entries, ranking_rows(ranking), strict=True)
        if entry.name in shown
    ]


def _describe_numbers(
    names: Sequence[str], what: Sequence[str], values: NDArray[np.float64]
) -> str:
    """Returns the numbers of a figure as text, one part per method."""
    said = [
        f"{name}: "
        + ", ".join(
            f"{one} {value:,.4g}"
            for one, value in zip(what, row, strict=True)
            if np.isfinite(value)
        )
        for name, row in zip(names, values, strict=True)
    ]
    return "; ".join(said) + "."
