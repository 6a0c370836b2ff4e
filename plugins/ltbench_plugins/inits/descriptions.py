"""Texts that describe each class, read from a JSON file of the user."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltbench.data import read_regular, with_home
from ltbench.errors import DataError, MissingPathError, quoted, shortened, suggestion

_MAX_BYTES = 1 << 28
_SHOWN = 5

_FORM = 'write a JSON object with a list of texts for each class name, as {"tench": ["a fish"]}'


def read_name(name: str) -> str:
    """Returns the name of a class as prompts have it: "_" is a space."""
    return name.replace("_", " ")


def file_identity(path: Path) -> str:
    """Returns the hash of a file of descriptions.

    Raises:
        DataError: The file cannot be read.
    """
    return f"sha256:{hashlib.sha256(_content(path)).hexdigest()}"


def read_descriptions(path: Path, class_names: Sequence[str]) -> list[list[str]]:
    """Returns the texts of each class, at least one, in the order of the classes.

    Names are compared as prompts have them, with a space for "_", also within the texts. Texts of
    other classes are ignored: the published file for ImageNet has two.

    Args:
        path: JSON file.
        class_names: K names, as `read_name` returns them; classes of the same name share texts.

    Raises:
        DataError: The file cannot be read, has another form, or lacks a class.
    """
    described = _parsed(path)
    missing = [name for name in dict.fromkeys(class_names) if name not in described]
    if missing:
        lacking = _counted("class has", "classes have", missing)
        raise DataError(
            f"{path}: {lacking} no texts: {_listed(missing)}",
            hint=f"add a list of texts for each; {suggestion(missing[0], described)}",
        )
    return [described[name] for name in class_names]


def _content(path: Path) -> bytes:
    place = with_home(path)
    try:
        return read_regular(place, _MAX_BYTES)
    except FileNotFoundError as error:
        raise MissingPathError(
            f"the descriptions {path} do not exist",
            hint="set init.descriptions to an existing JSON file",
        ) from error
    except OSError as error:
        raise DataError(
            f"the descriptions {path} cannot be read: {error.strerror or error}",
            hint="set init.descriptions to a JSON file",
        ) from error


def _parsed(path: Path) -> dict[str, list[str]]:
    """Returns the texts of a file by the name of their class."""
    repeated: list[str] = []

    def as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            name = read_name(key)
            if name in found:
                repeated.append(name)
            found[name] = value
        return found

    try:
        described = json.loads(_content(path).decode(), object_pairs_hook=as_object)
    except (ValueError, RecursionError) as error:
        reason = shortened(str(error).partition("\n")[0])
        raise DataError(f"{path} is not a JSON text in UTF-8: {reason}", hint=_FORM) from error
    if not isinstance(described, dict):
        raise DataError(f"{path}: expected an object, got {quoted(described)}", hint=_FORM)
    if repeated:
        raise DataError(
            f"{path}: {_counted('name occurs', 'names occur', repeated)} more than once, with '_' "
            f"read as space: {_listed(repeated)}",
            hint="put all texts of a class into one list",
        )
    return _checked(path, described)


def _checked(path: Path, described: Mapping[str, Any]) -> dict[str, list[str]]:
    """Returns the texts of each class, after a check that each has some."""
    wrong = [name for name, texts in described.items() if not _are_texts(texts)]
    if wrong:
        found = quoted(described[wrong[0]])
        raise DataError(
            f"{path}: {_counted('class has', 'classes have', wrong)} no list of one or more texts: "
            f"{_listed(wrong)}; {quoted(wrong[0])} has {found}",
            hint=_FORM,
        )
    broken = [name for name, texts in described.items() if not all(map(_is_unicode, texts))]
    if broken:
        raise DataError(
            f"{path}: {_counted('class has', 'classes have', broken)} a text with half of a "
            f"surrogate pair, which is no character: {_listed(broken)}",
            hint='write the character itself, in UTF-8, in place of an escape such as "\\ud83d"',
        )
    return {name: [read_name(text) for text in texts] for name, texts in described.items()}


def _are_texts(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(text, str) and text.strip() for text in value)
    )


def _is_unicode(text: str) -> bool:
    """Returns whether a text can be encoded: JSON may escape halves of surrogate pairs."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _counted(one: str, many: str, names: Sequence[str]) -> str:
    return f"{len(names):,} {one if len(names) == 1 else many}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(map(quoted, names[:_SHOWN])) + more
