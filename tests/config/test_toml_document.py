from __future__ import annotations

import json
import time
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltbench.config.settings_file import flattened
from ltbench.config.toml_document import line_of, read_document, undotted
from ltbench.config.toml_scanner import Path, TomlError

GRID = """\
name = "g"  # [not] = "a header"
[defaults]
method = "lora"
method.dim = 4 # as an option of the command line
'method.alpha' = [
  1, # "one
  2,
]
train = { lr = 0.1, epochs = 5 }
init.template = '''
[include]
seed = 3'''

[[include]]
"loss" = "ce"
loss . "tau" = 1.0
[include.train]
batch_size = 8
[[include]]
seed = 7
[[exclude]]
"""


def test_a_component_and_its_options_are_keys_beside_each_other() -> None:
    document = read_document(GRID)
    assert document.table == {
        "name": "g",
        "defaults": {
            "method": "lora",
            "method.dim": 4,
            "method.alpha": [1, 2],
            "train": {"lr": 0.1, "epochs": 5},
            "init": {"template": "[include]\nseed = 3"},
        },
        "include": [{"loss": "ce", "loss.tau": 1.0, "train": {"batch_size": 8}}, {"seed": 7}],
        "exclude": [{}],
    }


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 1),
        (("defaults", "method"), 3),
        (("defaults", "method.dim"), 4),
        (("defaults", "method", "alpha"), 5),
        (("defaults", "train.epochs"), 9),
        (("defaults", "init.template"), 10),
        (("include", 0), 14),
        (("include", 0, "loss.tau"), 16),
        (("include", 0, "train.batch_size"), 18),
        (("include", 1, "seed"), 20),
        (("include", 1, "lr"), 19),
        (("exclude", 0), 21),
        (("nothing",), None),
    ],
)
def test_every_key_has_its_line(path: Path, line: int | None) -> None:
    assert line_of(read_document(GRID).lines, *path) == line


@pytest.mark.parametrize(
    "text",
    [
        'method.dim = 4\nmethod = "lora"',
        'method = "lora"\nmethod.dim = 4',
        'method = "lora"\n[method]\ndim = 4',
        "[method]\ndim = 4\n",
        '"method.dim" = 4\n"method" = "lora"',
    ],
)
def test_the_way_of_writing_an_option_makes_no_difference(text: str) -> None:
    keys = dict(flattened(read_document(text).table))
    assert keys["method.dim"] == 4
    assert keys.get("method", "lora") == "lora"
    assert {entry.key: entry.value for entry in read_document(text).entries} == keys


def test_keys_within_values_have_their_lines() -> None:
    second = "{ x = '''\n\n''', train.lr = [\n1, 2] }"
    lines = read_document(f"include = [\n{{ seed = 1 }},\n# {{ seed = 2 }}\n{second},\n]").lines
    assert line_of(lines, "include", 0, "seed") == 2
    assert line_of(lines, "include", 1, "x") == 4
    assert line_of(lines, "include", 1, "train", "lr") == 6


def test_dotted_keys_in_inline_tables_are_tables() -> None:
    text = 'a = [{ m = "lora", m.dim = 4, n.o.p = 1, n."q.r" = 2 }]'
    (table,) = read_document(text).table["a"]
    assert table == {"m": "lora", "m.dim": 4, "n": {"o": {"p": 1}, "q.r": 2}}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a = 1\nb = = 2", 2, "Invalid value"),
        ("a = 1\n\nb\n", 3, "Expected '='"),
        ("a = 1\nb = 'x\n", 2, "control"),
        ("a = 1\nb = '''x\n\n", 2, "Expected"),
        ("[a]\nb = [1,\n2\n\nc = 1", 5, "Unclosed array"),
        ("[a\nb = 1", 1, "Expected ']'"),
        ("[a] b = 1", 1, "Expected newline"),
        ("a = 1 b = 2", 1, "Expected newline"),
        ("a = 1\nb = 2\na = 3", 3, "a is set twice, first in line 1"),
        ("[a]\n[b]\n[a]", 3, "a is set twice, first in line 1"),
        ("[[a]]\n[a]", 2, "a is a list of tables: use [[ ]]"),
        ("[a]\n[[a]]", 2, "a is a table already"),
        ("a = 1\n[[a]]", 2, "a is set already"),
        ("a = {b = 1, b = 2}", 1, "Duplicate inline table key"),
        ("x = 1\ny = " + "9" * 5000 + "\nz = 1", 2, "too many digits"),
        ("x = 1\ny = " + "[" * 100 + "]" * 100, 2, "nested more than"),
        ("x = 1\ny = '\x00'", 2, "Found invalid character"),
        ('x = 1\n"\\q" = 1', 2, "Unescaped"),
    ],
)
def test_a_fault_names_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(TomlError) as caught:
        read_document(text)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"line {line}: ")


def test_a_large_file_takes_no_time_to_speak_of() -> None:
    text = "[defaults]\nseed = 0\n" + "[[include]]\ntrain.lr = 0.1  # x\n" * 5_000
    assert len(read_document(text).table["include"]) == 5_000
    with pytest.raises(TomlError):
        read_document("a = '''" + "''x" * 200_000)


BARE = st.text("abz_-09", min_size=1, max_size=4)
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=6)
KEY_PARTS = st.one_of(BARE, WORDS.map(lambda word: json.dumps(word, ensure_ascii=False)))
LITERALS = WORDS.filter(lambda word: "'" not in word).map(lambda word: f"'{word}'")
LONG = st.sampled_from(
    ['"""\n[x]\na = 1\n"""', '"""a\\"""" b"""', "'''\n# x\n'' ''''", '"""\\\n  ]}""\n\n"""']
)
PLAIN = st.sampled_from(["1", "-2.5e3", "true", "1979-05-27 07:32:00", "0xff", "inf"])
COMMENTS = st.sampled_from(["", "  # c", "\t# [a]\n", "\n\n", '# """'])


@st.composite
def keys(draw: Any) -> str:
    dot = draw(st.sampled_from([".", " . ", "\t."]))
    return dot.join(draw(st.lists(KEY_PARTS, min_size=1, max_size=3)))


def arrays(values: Any) -> Any:
    commas = st.sampled_from([",", ", ", ",\n", ", # c ]\n"])
    return st.builds(
        lambda items, comma, end: "[" + comma.join(items) + end + "]",
        st.lists(values, max_size=3),
        commas,
        st.sampled_from(["", "\n", " # }\n"]),
    )


def inline_tables(values: Any) -> Any:
    return st.lists(st.tuples(keys(), values), max_size=3).map(
        lambda items: "{" + ", ".join(f"{key} = {value}" for key, value in items) + "}"
    )


VALUES = st.recursive(
    st.one_of(PLAIN, LITERALS, LONG, WORDS.map(lambda word: json.dumps(word, ensure_ascii=False))),
    lambda inner: st.one_of(arrays(inner), inline_tables(inner)),
    max_leaves=6,
)
STATEMENTS = st.one_of(
    st.builds("{} = {}".format, keys(), VALUES),
    st.builds("[{}]".format, keys()),
    st.builds("[[{}]]".format, keys()),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(STATEMENTS, COMMENTS), max_size=8))
def test_what_is_toml_is_read_as_toml_and_lines_are_exact(parts: list[tuple[str, str]]) -> None:
    lines: list[int] = []
    text = ""
    for statement, comment in parts:
        lines.append(text.count("\n") + 1)
        text += statement + comment + "\n"
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        line = _faulty_line(text)
        assert line is None or 1 <= line <= text.count("\n") + 1
        return
    document = read_document(text)
    assert repr(document.table) == repr(expected)  # NaN is unlike itself
    heads = [n for n, (one, _) in zip(lines, parts, strict=True) if not one.startswith("[")]
    assert len(document.entries) == len(heads)
    for entry, line in zip(document.entries, heads, strict=True):
        assert line in document.lines[undotted(entry.path)]


def _faulty_line(text: str) -> int | None:
    try:
        read_document(text)
    except TomlError as error:
        return error.line
    return None


@pytest.mark.parametrize(
    "text",
    [
        'method = "lora"\n"method.dim" = 2\nmethod.dim = 3\n',
        'method = "lora"\nmethod.dim = 2\n[method]\ndim = 3\n',
        "train = {a.b = 1, a = {b = 2}}\n",
        "train = {lr = 1}\ntrain.lr = 2\n",
        '"include.x" = 1\n[[include.x]]\n',
    ],
)
def test_no_value_is_lost_to_another_way_of_writing_its_key(text: str) -> None:
    with pytest.raises(TomlError, match=r"set (twice|already)"):
        read_document(text)


def test_faults_of_inline_tables_show_the_key_alone() -> None:
    with pytest.raises(TomlError, match=r"key 'a'"):
        read_document("k = {a = 1, a = 2}\n")


def test_time_is_in_proportion_to_the_tables() -> None:
    started = time.process_time()
    assert len(read_document("[[include]]\n" * 30_000).table["include"]) == 30_000
    assert time.process_time() - started < 5.0  # 0.6 s; 8 s where each table copies the others
