"""Attacks on grid files: odd values, structures, nesting, sizes, and mutations of shipped grids."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

from benchmarks.attack.attack import Attack, Finding
from benchmarks.attack.command import ltbench
from benchmarks.attack.outcome import graceful
from ltbench.errors import ConfigError

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "plugins" / "ltbench_plugins" / "grids").rglob("*.toml"))
KEYS = (
    *("method", "dataset", "backbone", "loss", "seed", "data_seed", "split", "train.lr", "name"),
    *(
        "train.epochs",
        '"method.dim"',
        "method.dim",
        "loss . tau",
        '"dataset.path"',
        '"head.scale"',
        "foo",
        '""',
        '"a b"',
    ),
)
TABLES = ("[defaults]", "[[include]]", "[[exclude]]", "[include]", "[other]", "")
CODES = (0, 2, 4)


def odd_value(random: Random) -> str:
    """Returns a TOML value of any type, or something that is none."""
    text = "".join(random.choices("ab é\U0001f600.,=[]{}#%\\u0000", k=random.randint(0, 8)))
    simple: list[Callable[[], str]] = [
        lambda: str(random.randint(-3, 3)),
        lambda: "9" * random.choice([9, 18, 19, 400, 5000]),
        lambda: f"0x{'f' * random.choice([2, 16, 17, 9000])}",
        lambda: random.choice(["nan", "inf", "-inf", "-0.0", "1e400", "1e-400", "0.5", "1e3"]),
        lambda: random.choice(["true", "false"]),
        lambda: random.choice(["2020-01-01", "10:00:00", "2020-01-01T00:00:00Z", "2020-13-45"]),
        lambda: json.dumps(text),
        lambda: json.dumps(random.choice(["lora", "full", "none", "NONE", "digits_lt", ""])),
        lambda: f'"\\u{random.choice(["0000", "001b", "d800", "202e", "0007"])}"',
        lambda: json.dumps("x" * random.choice([300, 5000, 1_000_000])),
        lambda: f"[{', '.join(str(n) for n in range(random.choice([0, 1, 3000])))}]",
        lambda: "[" * (depth := random.choice([1, 20, 100, 2000])) + "]" * depth,
        lambda: "{a=" * (depth := random.choice([1, 20, 100, 2000])) + "1" + "}" * depth,
    ]
    kinds = random.choices(simple, k=random.choice([1, 1, 1, 3]))
    values = [kind() for kind in kinds]
    return values[0] if len(values) == 1 else f"[{', '.join(values)}]"


def odd_key(random: Random) -> str:
    """Returns a key: a known one, an unknown one, or one of very many parts or characters."""
    if random.random() < 0.9:
        return random.choice(KEYS)
    return random.choice(["a." * 5000 + "b", '"' + "k" * 100_000 + '"', "train.x.y", "train"])


def odd_file(random: Random, folder: Path) -> None:
    """Plans a grid file of random tables, keys and values."""
    lines = [random.choice(TABLES[:3])]
    for _ in range(random.randint(1, 6)):
        if random.random() < 0.25:
            lines.append(random.choice(TABLES))
        lines.append(f"{odd_key(random)} = {odd_value(random)}")
    _plan(folder, random.choice(["\n", "\r\n"]).join(lines).encode(), random)


def mutated_file(random: Random, folder: Path) -> None:
    """Plans a shipped grid file with bytes changed, doubled, or left out."""
    content = bytearray(random.choice(SHIPPED).read_bytes())
    for _ in range(random.randint(1, 6)):
        start = random.randrange(len(content))
        end = min(len(content), start + random.choice([1, 1, 4, 40]))
        part = content[start:end]
        content[start:end] = random.choice(
            [
                bytes(random.choices(range(256), k=len(part))),
                part * 2,
                b"",
                b'"',
                b"[",
                b"\n[[include]]\n",
            ]
        )
    _plan(folder, bytes(content), random)


def big_product(random: Random, folder: Path) -> None:
    """Plans a grid of long axes with a fault, or of more runs than a grid has."""
    axes = random.sample(["train.lr", "train.epochs", "train.batch_size", "seed"], k=3)
    size = random.choice([10, 100, 3000])
    values = ", ".join(str(number + 1) for number in range(size))
    lines = ["[defaults]", *(f"{axis} = [{values}]" for axis in axes)]
    fault = random.choice(
        ['method = "loraa"', '"method.dimm" = 3', "sead = 3", "precision = [1, 2]"]
    )
    if _plan(folder, "\n".join([*lines, fault]).encode(), random) != ConfigError.exit_code:
        raise Finding("a grid with a fault is refused")


def _plan(folder: Path, content: bytes, random: Random) -> int:
    file = folder / "odd.toml"
    file.write_bytes(random.choice([b"", b"", b"\xef\xbb\xbf"]) + content)
    verb = random.choice(["plan", "status"])
    data = ("--data-root", str(folder / "data"))
    outcome = graceful(ltbench("grid", verb, "odd.toml", *data, cwd=folder), codes=CODES)
    return outcome.code


ATTACKS = (
    Attack("odd_grid_file", "Grid file of random keys, values, nesting and sizes", odd_file),
    Attack("mutated_grid_file", "Shipped grid file with bytes changed or left out", mutated_file),
    Attack("grid_product", "Grid of up to 27 billion runs with a fault", big_product, share=0.3),
)
