"""Printable forms of untrusted text, such as names of files, classes and plugins."""

from __future__ import annotations


def printable(text: str) -> str:
    """Returns a text with control characters and invalid characters replaced by "?"."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
