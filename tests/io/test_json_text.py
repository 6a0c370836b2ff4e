"""Tests of strict JSON."""

from __future__ import annotations

import json

import pytest

from ltbench.io.json_text import MAX_DEPTH, parse_json


@pytest.mark.parametrize(
    "value", [None, {"a": [1, -2.5e10, True, "é"], "b": {}}, [10**80], 1e300, [[]] * 200]
)
def test_json_is_read(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[1] 2", "Extra data"),
        ("NaN", "NaN is no number of JSON"),
        ('{"a": -Infinity}', "-Infinity is no number of JSON"),
        (f"[{'9' * 5000}]", "integer string conversion"),
        ('{"a": {"b": 1, "b": 1}}', "a key occurs twice"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "more than 100 lists and objects"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "more than 100 lists and objects"),
        ("[" * 100_000, "more than 100 lists and objects"),
    ],
)
def test_all_else_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_json(text.encode())


@pytest.mark.parametrize("content", [b"\xff\xfe1\x00", b'"\xff"', b"\xef\xbb\xbf1"])
def test_other_encodings_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"decode|Expecting value|BOM"):
        parse_json(content)


def test_the_deepest_value_is_read() -> None:
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert json.dumps(parse_json(text.encode())) == text
