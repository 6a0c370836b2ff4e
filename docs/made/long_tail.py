"""Picture of a long tail: training images of the digits by class, coloured by shot group."""

from __future__ import annotations

from pathlib import Path

from ltbench.contexts import DataContext
from ltbench.registry.registry import Registry

_DATASET = "digits_lt"
_BAR, _STEP, _HEIGHT, _TOP, _LEFT = 34, 46, 160, 44, 6
_GROUPS = (
    ("many-shot", 101, "#3a7fc1"),
    ("medium-shot", 20, "#3c9a6b"),
    ("few-shot", 0, "#d9702f"),
)
_TEXT = "#76828f"  # is read on white and on the dark ground of the site
_STYLE = "font-family:system-ui,sans-serif;font-size:13px"


def long_tail_svg(registry: Registry) -> str:
    """Returns bars from the most frequent to the rarest class, without a background."""
    spec = registry.find("dataset", _DATASET).spec
    dataset = spec.build(spec.config(), DataContext(Path(), data_seed=0))
    counts = sorted(dataset.class_counts.tolist(), reverse=True)
    width = 2 * _LEFT + _STEP * len(counts)
    parts = []
    named: set[str] = set()
    for place, count in enumerate(counts):
        group, colour = next((name, tone) for name, least, tone in _GROUPS if count >= least)
        height = _HEIGHT * count / counts[0]
        x, y = _LEFT + _STEP * place, _TOP + _HEIGHT - height
        middle = x + _BAR / 2
        box = f'x="{x}" y="{y:.1f}" width="{_BAR}" height="{height:.1f}" rx="2"'
        parts.append(f'<rect {box} fill="{colour}"/>')
        parts.append(_text(middle, y - 6, str(count), _TEXT, "middle"))
        if group not in named:
            named.add(group)
            parts.append(_text(x, _TOP + _HEIGHT + 20, group, colour, "start", weight=600))
    title = _text(width - _LEFT, 16, "training images of each class", _TEXT, "end")
    box = f'viewBox="0 0 {width} {_TOP + _HEIGHT + 28}" style="{_STYLE}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{title}{"".join(parts)}</svg>\n'


def _text(x: float, y: float, text: str, colour: str, anchor: str, weight: int = 400) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}" font-weight="{weight}">{text}</text>'
