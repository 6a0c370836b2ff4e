"""Attacks on CSV files of own images: bytes changed, quotes, encodings, wide rows, odd names."""

from __future__ import annotations

from pathlib import Path
from random import Random

from benchmarks.attack.attack import Attack
from benchmarks.attack.command import ltbench
from benchmarks.attack.outcome import graceful

CLASSES = ("ant", "bee", "10")
_IMAGES = 30
_PARTS = (
    *(b'"', b'""', b",", b",,,", b"\n", b"\n\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xc3", b"\x1b"),
    *(
        b"../",
        b"/",
        b"./",
        b"\\",
        b" ",
        b"=cmd",
        "é".encode(),
        "e\u0301".encode(),
        b"train",
        b"val",
    ),
    *(b"x" * 200_000, b"," * 50_000, b'"\n"', b"\xef\xbb\xbf", b"\xff\xfe", b"\x85", b"\x0c"),
)


def _try_mutated(random: Random, folder: Path) -> None:
    """Verifies, or plans a run on, a CSV file with a few changes."""
    content = bytearray(_csv(folder, random))
    for _ in range(random.randint(0, 4)):
        start = random.randrange(len(content))
        end = start + random.choice([0, 0, 1, 1, 5, 60])
        content[start:end] = random.choice([*_PARTS, bytes(content[start:end]) * 2, b"", b""])
    (folder / "list.csv").write_bytes(bytes(content))
    _read(random, folder)


def _try_encoded(random: Random, folder: Path) -> None:
    """Reads a CSV file in another encoding, with other line ends or quotes."""
    text = _csv(folder, random).decode()
    if random.random() < 0.5:
        quoted = (",".join(f'"{field}"' for field in line.split(",")) for line in text.splitlines())
        text = "\n".join(quoted)
    text = text.replace("\n", random.choice(["\n", "\r\n", "\r", "\n\n", "\n "]))
    encoding = random.choice(["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "utf-7"])
    (folder / "list.csv").write_bytes(text.encode(encoding, errors="replace"))
    _read(random, folder)


def _csv(folder: Path, random: Random) -> bytes:
    """Writes small distinct images, and returns a CSV file that lists them."""
    from PIL import Image

    (folder / "images").mkdir()
    named = random.choice(["image{:02}.png", "bild ä{:02}.png", "a.b.{:02}.png"])
    header = random.choice(
        ["path,label,split", "path,label", "label,path", "path,label,split,more"]
    )
    rows = []
    for number in range(_IMAGES):
        path = f"images/{named.format(number)}"
        Image.new("RGB", (8, 8), (8 * number, number, 0)).save(folder / path)
        fields = {
            "path": path,
            "label": CLASSES[number % len(CLASSES)],
            "split": "test" if number % 10 > 6 else "train",
            "more": "x",
        }
        rows.append(",".join(fields[name] for name in header.split(",")))
    return "\n".join([header, *rows, ""]).encode()


def _read(random: Random, folder: Path) -> None:
    choice = ("--set", "dataset.path=list.csv")
    if random.random() < 0.7:
        outcome = ltbench("data", "verify", "csv", *choice, cwd=folder)
    else:
        # A fork of the attack has no loader workers of its own.
        plan = ("run", "--dry-run", "--workers", "0", "--dataset", "csv")
        outcome = ltbench(*plan, *choice, cwd=folder)
    graceful(outcome, codes=(0, 1, 2, 4))


ATTACKS = (
    Attack("mutated_csv", "CSV file of images with bytes changed or left out", _try_mutated),
    Attack("encoded_csv", "CSV file of images in other encodings, line ends, quotes", _try_encoded),
)
