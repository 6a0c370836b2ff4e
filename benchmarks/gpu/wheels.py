"""Wheels for a machine that has PyTorch and no network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.throughput.process import ROOT

PACKAGES = (
    "annotated-types", "filelock", "ftfy", "open_clip_torch", "platformdirs", "pluggy",
    "pydantic", "pydantic-core", "rich", "shellingham", "simplejpeg", "tabulate", "timm",
    "typer", "typing-inspection", "wcwidth", "xxhash",
)  # fmt: skip
"""What ltbench needs and images with PyTorch lack, or have in another version."""
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


def pack(folder: Path, python: str) -> None:
    """Downloads the wheels in the versions of the lock file, and builds that of ltbench.

    Args:
        folder: Folder of the wheels.
        python: Version of Python on the other machine: "3.12".

    Raises:
        SystemExit: The folder cannot be written, or pip has failed and printed why.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"{folder}: {error.strerror}; give another --pack")
    lock = ROOT / "requirements.lock"
    platforms = [part for name in PLATFORMS for part in ("--platform", name)]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wanted = ["--no-deps", "--only-binary=:all:", "--python-version", python, *platforms]
    download = [*pip, "download", *wanted, "--constraint", str(lock), "--dest", str(folder)]
    wheel = [*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    for command in ([*download, *PACKAGES], wheel):
        if subprocess.run(command).returncode:
            sys.exit(f"not complete: {folder}")
    size = sum(wheel.stat().st_size for wheel in folder.glob("*.whl")) / 2**20
    print(f"{len(list(folder.glob('*.whl')))} wheels, {size:.0f} MB, in {folder}. There:")
    print(f"python3 -m pip install --no-index --no-deps --target site {folder}/*.whl")
    print("PYTHONPATH=site python3 -m benchmarks.gpu")
