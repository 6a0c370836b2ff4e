"""Sizes of files and of memory, for messages."""

from __future__ import annotations

GB = 10**9


def in_words(size: int) -> str:
    """Returns a size in bytes as words.

    >>> in_words(1_300_000_000), in_words(84_000_000), in_words(300)
    ('1.3 GB', '84 MB', '300 bytes')
    """
    if size >= GB:
        return f"{size / GB:.1f} GB"
    if size >= 10**6:
        return f"{size / 10**6:,.0f} MB"
    return f"{size / 1000:,.0f} KB" if size >= 1000 else f"{size} bytes"
