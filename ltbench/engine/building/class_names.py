"""Class names that a text tower cannot distinguish."""

from __future__ import annotations

from collections.abc import Sequence

from ltbench.backbone import TextTower

_PROMPT = "a photo of a {}."
_MAX_SHOWN_GROUPS = 20
_MAX_SHOWN_NAMES = 5


def indistinct_classes(text: TextTower, names: Sequence[str]) -> list[list[int]]:
    """Returns the groups of classes whose names become the same tokens, by class id.

    Tokenizers may lower-case texts, drop unknown characters, and cut long texts. Names are put into
    the usual prompt, with spaces for underscores.

    Args:
        text: Text tower of the backbone.
        names: K class names, by class id.
    """
    tokens = text.tokenize([_PROMPT.format(name.replace("_", " ")) for name in names])
    groups: dict[bytes, list[int]] = {}
    for label, row in enumerate(tokens.cpu().numpy()):
        groups.setdefault(row.tobytes(), []).append(label)
    return [labels for labels in groups.values() if len(labels) > 1]


def name_warnings(text: TextTower, names: Sequence[str], where: str) -> list[str]:
    """Returns a warning for each group of classes that the text tower cannot distinguish.

    Args:
        text: Text tower of the backbone.
        names: K class names, by class id.
        where: Name of the data set.
    """
    groups = indistinct_classes(text, names)
    warnings = [_warning(labels, names, where) for labels in groups[:_MAX_SHOWN_GROUPS]]
    if len(groups) > _MAX_SHOWN_GROUPS:
        more = sum(map(len, groups[_MAX_SHOWN_GROUPS:]))
        warnings.append(f"{more:,} other classes of {where} share their text with another one")
    return warnings


def _warning(labels: Sequence[int], names: Sequence[str], where: str) -> str:
    different = list(dict.fromkeys(names[label] for label in labels))
    if len(different) == 1:
        what = f"have the same name, '{different[0]}'"
    else:
        shown = ", ".join(f"'{name}'" for name in different[:_MAX_SHOWN_NAMES])
        more = ", ..." if len(different) > _MAX_SHOWN_NAMES else ""
        what = f"have names that become the same tokens, {shown}{more}"
    listed = " and ".join(map(str, labels))
    return f"classes {listed} of {where} {what}: the text tower cannot distinguish them"
