"""Findings of a diagnosis, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ltbench.analysis.metrics import SHOT_GROUPS
from ltbench.metric_names import ACCURACIES
from ltbench.storage.diagnosis_schema import ClassMean, Diagnosis, GroupDiagnosis

_MIN_ARTEFACT = 0.005  # difference of two mean distances that is worth a sentence


def rare_group(groups: Mapping[str, GroupDiagnosis]) -> str:
    """Returns the shot group with the fewest training images of those that have distances."""
    known = [name for name in SHOT_GROUPS if groups[name].measures["energy_excess"] is not None]
    present = [name for name in SHOT_GROUPS if groups[name].classes]
    return (known or present)[-1]


def diagnosis_sentences(groups: Mapping[str, GroupDiagnosis]) -> Iterator[str]:
    """Yields the findings about the rare group, beside those about the head.

    Args:
        groups: Diagnosis of each group: of a run, or means over seeds (`mean_groups`).
    """
    rare = rare_group(groups)
    head = next(name for name in SHOT_GROUPS if groups[name].classes)
    yield from _consistency(groups, rare, head)
    yield from _artefact(groups[rare], rare)
    yield from _gap(groups, rare, head)
    yield from _direction(groups, rare)


def diagnosis_notes(diagnosis: Diagnosis, quick: str = "") -> Iterator[str]:
    """Yields sentences on the limits of a diagnosis.

    Args:
        diagnosis: Diagnosis of a run.
        quick: Text of the choices that make the run a quick look; empty for other runs.
    """
    if quick:
        yield f"This run is a quick look ({quick}): its features say little about a method."
    undefined = sum(value is None for value in diagnosis.classes.energy)
    if undefined:
        verb = "has" if undefined == 1 else "have"
        yield (
            f"{undefined:,} of {diagnosis.num_classes:,} classes {verb} fewer than two training or "
            f"two {diagnosis.split} images, and no distances between them."
        )
    larger = sum(
        max(train, test) > diagnosis.max_features
        for train, test in zip(
            diagnosis.classes.train_features, diagnosis.classes.test_images, strict=True
        )
    )
    if larger:
        verb = "class has" if larger == 1 else "classes have"
        yield (
            f"{larger:,} {verb} more than {diagnosis.max_features:,} images; as many as that, "
            "drawn at random, enter the distances."
        )
    skipped = diagnosis.skipped_train + diagnosis.skipped_test
    if skipped:
        verb = "image was" if skipped == 1 else "images were"
        yield f"{skipped:,} {verb} left out because they cannot be decoded."


def _consistency(groups: Mapping[str, GroupDiagnosis], rare: str, head: str) -> Iterator[str]:
    group = groups[rare]
    energy = group.measures["energy_excess"]
    if energy is None:
        yield (
            f"No {ACCURACIES[rare]} class has two training and two test images: nothing is known "
            "about the distance between their features."
        )
        return
    compared = ""
    other = groups[head].measures["energy_excess"]
    if head != rare and other is not None:
        compared = f"; for {ACCURACIES[head]} classes, {_estimate(other)}"
    verdict = _verdict(energy)
    yield (
        f"Train and test features of {ACCURACIES[rare]} classes {verdict}: their energy distance "
        f"exceeds that of random partitions of the same images by {_estimate(energy)}{compared}."
    )
    if group.inconsistent_classes is not None:
        yield (
            f"In {group.inconsistent_classes:.0f} % of {energy.classes:,} {ACCURACIES[rare]} "
            f"{_classes(energy.classes)}, a permutation test finds the difference (p <= 0.05); "
            "chance alone gives 5 %."
        )


def _verdict(excess: ClassMean) -> str:
    if excess.low is None or excess.high is None:
        return "can be compared in one class only"
    if excess.low > 0:
        return "differ"
    if excess.high < 0:
        return "are more alike than random parts of the same images, as in a stratified split"
    return "have no detected difference"


def _artefact(group: GroupDiagnosis, name: str) -> Iterator[str]:
    train, own, test = (
        group.measures[key] for key in ("intra_train", "intra_train_own", "intra_test")
    )
    if train is None or own is None or test is None:
        return
    yield (
        f"The intra-class distance of {ACCURACIES[name]} classes is {train.mean:.3f} for train and "
        f"{test.mean:.3f} for test features."
    )
    if train.mean - own.mean >= _MIN_ARTEFACT:
        yield (
            f"Measured to means that include the image itself, the train distance would be "
            f"{own.mean:.3f}: {train.mean - own.mean:.3f} of the difference to test features would "
            "come from the small number of images alone."
        )


def _gap(groups: Mapping[str, GroupDiagnosis], rare: str, head: str) -> Iterator[str]:
    train, test, gap = (
        groups[rare].measures[key] for key in ("train_accuracy", "test_accuracy", "gap")
    )
    if train is None or test is None or gap is None:
        return
    compared = ""
    other = groups[head].measures["gap"]
    if head != rare and other is not None:
        compared = f"; for {ACCURACIES[head]} classes the gap is {other.mean:.1f} points"
    yield (
        f"Training accuracy of {ACCURACIES[rare]} classes is {train.mean:.1f} %, test accuracy "
        f"{test.mean:.1f} %, a gap of {gap.mean:.1f} points{compared}."
    )


def _direction(groups: Mapping[str, GroupDiagnosis], name: str) -> Iterator[str]:
    group = groups[name]
    taken, chance = group.taken_by_head, group.taken_by_head_chance
    if taken is None or chance is None:
        return
    if not group.errors:
        yield f"No test image of {ACCURACIES[name]} classes is wrong."
        return
    if groups["many"].classes:
        yield (
            f"Many-shot classes take {taken:.1f} % of the test images of {ACCURACIES[name]} "
            f"classes; {chance:.1f} % if errors went to any class alike."
        )
    excess = group.implied_log_prior_excess
    if excess is None:
        return
    known = excess.low is not None and excess.high is not None
    sure = known and (excess.low or 0) * (excess.high or 0) > 0
    found = (
        f"go to classes with {'more' if excess.mean > 0 else 'fewer'} training images than chance "
        "explains"
        if sure
        else "go neither to frequent nor to rare classes more than chance explains"
    )
    yield (
        f"Errors on {ACCURACIES[name]} classes {found}: the mean log(n_predicted / n_true) minus "
        f"that of errors to any class alike is {_estimate(excess)}."
    )


def _estimate(value: ClassMean) -> str:
    if value.low is None or value.high is None:
        return f"{value.mean:.3f}"
    return f"{value.mean:.3f} (95 % interval {value.low:.3f} to {value.high:.3f})"


def _classes(count: int) -> str:
    return "class" if count == 1 else "classes"
