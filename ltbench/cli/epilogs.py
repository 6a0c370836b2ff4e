"""Last lines of help pages: the page of the documentation and the words that it explains."""

from __future__ import annotations

PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "run": ("using", ("shot group", "recipe", "split", "selection", "inference", "data seed")),
    "tune": ("tuning", ("trial", "study", "split", "recipe")),
    "eval": ("using", ("inference", "shot rule", "split")),
    "predict": ("production", ("prior", "inference", "run hash")),
    "export": ("export", ("head", "view", "run hash")),
    "compare": ("statistics", ("cell", "interval", "p value", "correction", "ROPE")),
    "reproduce": ("statistics#equivalence", ("equivalence", "TOST", "margin", "measured")),
    "leaderboard": ("leaderboard", ("cell", "rank", "claim", "max-T", "shot rule")),
    "report": ("reports", ("cell", "rank", "calibration error", "critical difference")),
    "board": ("board", ("pack", "measured", "identity")),
    "errors": ("errors", ("confusion", "calibration error", "contact sheet", "shot group")),
    "diagnose": (
        "diagnose",
        ("intra-class distance", "inter-class similarity", "floor", "gap", "implied log prior"),
    ),
    "list": ("components", ("component", "method", "head", "init", "inference")),
    "show": ("components", ("recipe", "component")),
    "cache": ("runs", ()),
    "runs": ("runs", ("run hash", "cell", "pack")),
    "data new": ("own-images", ("shot group", "split", "data seed")),
    "data": ("data", ("imbalance ratio", "profile", "identity", "split")),
    "grid": ("grids", ("grid", "cell", "executor", "recipe")),
    "config": ("cluster", ("grid", "executor")),
    "doctor": ("cluster#check-the-cluster", ()),
    "plugin": ("plugins", ("plugin", "component", "conformance")),
}
"""Topic of the documentation and words of the glossary, for verbs and for groups of verbs."""


def epilog(name: str) -> str:
    """Returns the last line of the help of a verb, which may be that of its group of verbs."""
    about = PAGES.get(name) or PAGES.get(name.split()[0])
    if about is None:
        return ""
    topic, words = about
    line = f"More: `ltbench docs {topic}`."
    return line + (f" Words (`ltbench docs WORD`): {', '.join(words)}." if words else "")
