"""Hostile archives, unpacked by `ltbench data prepare`."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from benchmarks.attack.attack import Attack
from benchmarks.attack.command import ltbench
from benchmarks.attack.outcome import graceful
from benchmarks.attack.outside import Outside

MEMORY_MB = 400
NUMBERS = ("abc", "", "-1", "-512", "inf", "nan", "1e999", "9" * 30, "0x10", "\u0661", "1,2,x")
KEYS = ("size", "mtime", "uid", "gid", "GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.size")
SPARSE = ("GNU.sparse.map", "GNU.sparse.realsize", "GNU.sparse.numblocks", "GNU.sparse.offset")
NAMES = (
    *("../evil", "/evil", "a/../../evil", "a\\..\\..\\evil", "c:\\evil", "..", ".", "", "a//b"),
    *("a\nb", "a\x1b[2Jb", "\u202eevil", "x" * 300, "d/" * 500 + "f", "d/" * 40 + "f", "a/./b"),
    *("A/x", "a/x", "a/X", "a", "a/x/y", "con", "-rf", "~", "$HOME", "\udcff"),
)


def header(name: str, size: int, kind: bytes) -> bytes:
    """Returns the 512 bytes of a tar header with its checksum."""
    number = b"%011o\0" % size if size >= 0 else b"\xff" * 4 + struct.pack(">q", size)
    fields = name.encode("utf-8", "surrogateescape")[:100].ljust(100, b"\0") + b"0000644\0" * 3
    block = fields + number + b"%011o\0" % 0 + b" " * 8 + kind + b"\0" * 100
    block = (block + b"ustar\00000").ljust(512, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


@cache
def zeros() -> bytes:
    """Returns 64 MiB of zeros as a member of a gzip file, in 64 KB."""
    return gzip.compress(bytes(64 << 20))


def pax(rng: random.Random) -> bytes:
    """Returns an archive whose extended header has values that are not numbers."""
    keys = rng.choices(KEYS + SPARSE, k=rng.randint(1, 4))
    member = tarfile.TarInfo("a")
    member.size = 3
    member.pax_headers = {key: rng.choice(NUMBERS) for key in keys}
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(b"abc"))
    return content.getvalue()


def bomb(rng: random.Random) -> bytes:
    """Returns a small archive with a header of 1 to 3 GB, or one that points backwards."""
    kind = rng.choice((b"x", b"g", b"L", b"K", b"X", b"S"))
    size = rng.choice((1 << 30, 3 << 30, 8 << 30, -512, -1024, -(2**40)))
    return gzip.compress(header("a", size, kind)) + zeros() * rng.choice((16, 48))


def sparse(rng: random.Random) -> bytes:
    """Returns an archive with an endless map of a sparse file."""
    block = header("a", 512, b"S")
    if rng.random() < 0.5:  # old GNU: each block says that another one follows
        more = (b"00000000001\0" * 42 + b"\x01").ljust(512, b"\0")
        block = block[:482] + b"\x01" + block[483:]
        block = block[:148] + b" " * 8 + block[156:]
        block = block[:148] + b"%06o\0 " % sum(block) + block[156:]
        return gzip.compress(block) + gzip.compress(more * (1 << 17)) * 16
    records = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
    numbers = b"999999999\n" + b"1\n" * 251
    start = (
        header("p", len(records), b"x")
        + records.ljust(512, b"\0")
        + header("a", (1 << 33) - 1, b"0")
    )
    return gzip.compress(start + numbers) + gzip.compress(b"1\n" * (1 << 25)) * 16


def chain(rng: random.Random) -> bytes:
    """Returns an archive with thousands of extended headers for one member."""
    record = b"30 comment=%s\n" % (b"a" * 18)
    one = header("p", len(record), rng.choice((b"x", b"g"))) + record.ljust(512, b"\0")
    return gzip.compress(one * rng.choice((100, 5_000)) + header("a", 0, b"0"))


def members(rng: random.Random) -> bytes:
    """Returns a tar archive of hostile names, links and devices."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=rng.choice(("w", "w:gz", "w:bz2", "w:xz"))) as archive:
        for _ in range(rng.randint(1, 5)):
            member = tarfile.TarInfo(rng.choice(NAMES))
            member.type = rng.choice((tarfile.REGTYPE,) * 6 + (b"1", b"2", b"3", b"5", b"6", b"7"))
            member.linkname = rng.choice(("/etc/passwd", "..", "../outside", "a", "."))
            member.mode = rng.choice((0o644, 0o000, 0o4777))
            archive.addfile(member, io.BytesIO())
    return content.getvalue()


def zipped(rng: random.Random) -> bytes:
    """Returns a zip archive of hostile names, kinds, sizes and methods."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in rng.sample(NAMES, rng.choice((1, 3, 3, 6))):
            info = zipfile.ZipInfo(name.encode("utf-8", "replace").decode())
            info.external_attr = rng.choice((0, 0o100644, 0o120777, 0o040755, 0o020666)) << 16
            archive.writestr(info, b"x")
            if len(archive.filelist) > 5:  # described again and again, by the same bytes
                archive.filelist += [archive.filelist[-1]] * 70_000
                break
        if rng.random() < 0.3:
            method = rng.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED))
            archive.writestr("zeros", bytes(200 << 20), method)
    return content.getvalue()


def mutated(rng: random.Random) -> bytes:
    """Returns an archive with some bytes changed, or without its end."""
    whole = bytearray(rng.choice((pax, members, zipped, chain))(rng))
    for _ in range(rng.randint(0, 8)):
        whole[rng.randrange(len(whole))] = rng.randrange(256)
    return bytes(whole[: rng.randint(1, len(whole))] if rng.random() < 0.3 else whole)


def attack(make: Callable[[random.Random], bytes]) -> Callable[[random.Random, Path], None]:
    """Returns a trial that unpacks an archive and checks what is left."""

    def trial(rng: random.Random, folder: Path) -> None:
        outside = Outside.make(folder)
        archive = folder / "food-101.archive"
        archive.write_bytes(make(rng))
        arguments = ("data", "prepare", "food101_lt", "--source", archive.name)
        outcome = ltbench(*arguments, cwd=folder, memory_mb=MEMORY_MB)
        graceful(outcome, codes=(4,))
        if "plugin" in outcome.err:
            raise outcome.finding("an archive is no fault of a plugin")
        outside.check(outcome)
        for path in folder.glob("data/**/*"):
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise outcome.finding(f"only files and folders are unpacked, not {path}")

    return trial


ATTACKS = (
    Attack("archive_numbers", "Extended headers that are not numbers", attack(pax)),
    Attack("archive_bombs", "Headers of gigabytes, within 400 MB of memory", attack(bomb)),
    Attack("archive_sparse", "Endless maps of sparse files", attack(sparse)),
    Attack("archive_chains", "Thousands of extended headers for one member", attack(chain)),
    Attack("archive_members", "Links, devices and names that lead out of a tar", attack(members)),
    Attack(
        "archive_zips", "Zip archives with hostile names, methods and directories", attack(zipped)
    ),
    Attack("archive_mutated", "Archives with bytes changed or cut off", attack(mutated), 2.0),
)
