"""Numbers of papers: what plugins return for leaderboards and for `ltbench reproduce`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ltbench.metric_names import ACCURACIES
from ltbench.specs import Settings

_OWN_FIELDS = ("dataset", "backbone", "method")


@dataclass(frozen=True, kw_only=True)
class PublishedResult:
    """What a paper reports for one combination, on the test split of the data set.

    Args:
        dataset: Name of a data set.
        backbone: Name of a backbone here where it is one, such as `clip_vit_b16`; else in the
            paper's own words, such as `ResNeXt-50`.
        method: Name of a method here where it is one, such as `lift`; else in the paper's own
            words, such as `VL-LTR`.
        metrics: Percent by name: those of `ltbench.metric_names` that the paper has. Shot groups by
            the default rule (many: more than 100 training images, few: fewer than 20).
        source: The paper: authors, year and `arXiv:...` or venue.
        settings: What else it takes to get the same run here, where the recipes do not say it:
            `{"dataset.ratio": 100, "inference": "center"}`.
    """

    dataset: str
    backbone: str
    method: str
    metrics: Mapping[str, float]
    source: str
    settings: Settings = field(default_factory=dict)

    @property
    def run_settings(self) -> Settings:
        """All settings of the run, as `ltbench.config.resolve` takes them."""
        return {key: getattr(self, key) for key in _OWN_FIELDS} | dict(self.settings)


def faults(result: PublishedResult) -> Iterator[str]:
    """Yields what is wrong with a published result, apart from its settings' values."""
    for name in (*_OWN_FIELDS, "source"):
        text = getattr(result, name)
        if not isinstance(text, str) or not text.strip() or "\n" in text:
            yield f"{name}: expected one line of text, got {text!r}"
    if not isinstance(result.metrics, Mapping) or not result.metrics:
        yield f"metrics: expected percent by name, got {result.metrics!r}"
        return
    for name, value in result.metrics.items():
        if name not in ACCURACIES:
            yield f"metrics: there is no '{name}', only {', '.join(ACCURACIES)}"
        # NaN is in no range; a bool is a number to Python and to nobody else.
        elif isinstance(value, bool) or not (isinstance(value, int | float) and 0 <= value <= 100):
            yield f"metrics: {name} is {value!r}, not within 0 to 100 percent"
    if not isinstance(result.settings, Mapping):
        yield f"settings: expected values by dotted key, got {result.settings!r}"
        return
    for key in (*_OWN_FIELDS, "seed"):
        if key in result.settings:
            where = "no part of what was published" if key == "seed" else "a field of its own"
            yield f"settings: '{key}' is {where}"
