"""Texts from outside: names of files, classes and plugins may hold anything."""

from __future__ import annotations


def printable(text: str) -> str:
    """Returns a text without what would steer a terminal, or is no character at all."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
