"""Published results: numbers of papers for leaderboards and for `ltbench reproduce`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ltbench.metric_names import ACCURACIES
from ltbench.specs import Settings

_OWN_FIELDS = ("dataset", "backbone", "method")


@dataclass(frozen=True, kw_only=True)
class PublishedResult:
    """Metrics that a paper reports for one combination, on the test split of the data set.

    Args:
        dataset: Name of a data set.
        backbone: Name of a backbone in ltbench, such as `clip_vit_b16`; for any other backbone the
            paper's own name, such as `ResNeXt-50`.
        method: Name of a method in ltbench, such as `lift`; for any other method the paper's own
            name, such as `VL-LTR`.
        metrics: Percent by metric name, for those of `ltbench.metric_names` that the paper gives.
            Shot groups follow the default rule (many: more than 100 training images, few: fewer
            than 20).
        source: Reference of the paper: authors, year and `arXiv:...` or venue.
        settings: Further settings that reproduce the run in ltbench, where the recipes do not set
            them: `{"dataset.ratio": 100, "inference": "center"}`.
    """

    dataset: str
    backbone: str
    method: str
    metrics: Mapping[str, float]
    source: str
    settings: Settings = field(default_factory=dict)

    @property
    def run_settings(self) -> Settings:
        """Settings of the run, in the form that `ltbench.config.resolve` takes."""
        return {key: getattr(self, key) for key in _OWN_FIELDS} | dict(self.settings)


def faults(result: PublishedResult) -> Iterator[str]:
    """Yields the faults of a published result, apart from its settings' values."""
    for name in (*_OWN_FIELDS, "source"):
        text = getattr(result, name)
        if not isinstance(text, str) or not text.strip() or "\n" in text:
            yield f"{name}: expected one line of text, got {text!r}"
    if not isinstance(result.metrics, Mapping) or not result.metrics:
        yield f"metrics: expected percent by name, got {result.metrics!r}"
        return
    for name, value in result.metrics.items():
        if name not in ACCURACIES:
            yield f"metrics: expected one of {', '.join(ACCURACIES)}, got '{name}'"
        # NaN is in no range; Python counts a bool as a number.
        elif isinstance(value, bool) or not (isinstance(value, int | float) and 0 <= value <= 100):
            yield f"metrics: {name}: expected 0 to 100 percent, got {value!r}"
    if not isinstance(result.settings, Mapping):
        yield f"settings: expected values by dotted key, got {result.settings!r}"
        return
    for key in (*_OWN_FIELDS, "seed"):
        if key in result.settings:
            where = "not part of a published result" if key == "seed" else "a field of its own"
            yield f"settings: '{key}' is {where}"
