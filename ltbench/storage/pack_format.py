"""Form of a pack: a zip archive of finished runs without their weights.

```
manifest.json                              runs, with the SHA-256 of each of their files
<dataset>/<backbone>/<method>/<hash>/      result.json, spec.json, environment.json, history.jsonl,
                                           tags.json, predictions-<inference>.parquet,
                                           diagnosis.json, diagnosis-pretrained.json
```
"""

from __future__ import annotations

import fnmatch
import hashlib
from typing import IO, Annotated, BinaryIO, ClassVar

from annotated_types import MinLen
from pydantic import Field

from ltbench.io.interrupts import check
from ltbench.registry.spec_checks import SNAKE_CASE
from ltbench.storage import history
from ltbench.storage.diagnosis_schema import Diagnosis, PretrainedDiagnosis
from ltbench.storage.environment_schema import Environment
from ltbench.storage.predictions import predictions_name
from ltbench.storage.result_schema import RunDescription, RunResult
from ltbench.storage.stored_file import Record, StoredFile
from ltbench.storage.tags import Tags

PREDICTIONS = predictions_name("*")
_NAMES = (
    *(RunResult.FILE, RunDescription.FILE, Environment.FILE, Tags.FILE, history.FILE),
    PREDICTIONS,
    *(Diagnosis.FILE, PretrainedDiagnosis.FILE),
)
_READ_BYTES = 2**20

FileName = Annotated[str, Field(pattern=r"^[^/\\\x00]{1,255}$")]
_NAME = SNAKE_CASE.pattern
RunFolder = Annotated[
    str, Field(pattern=f"^{_NAME}/{_NAME}/{_NAME}/[0-9a-f]{{12}}$", max_length=800)
]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class PackedRun(Record):
    """A run in a pack."""

    folder: RunFolder = Field(description="folder in the archive: dataset/backbone/method/hash")
    files: Annotated[dict[FileName, Sha256], MinLen(1)] = Field(
        description="SHA-256 of each file, by name"
    )


class Manifest(StoredFile):
    """Content of a pack."""

    FILE = "manifest.json"
    LARGEST: ClassVar[int] = 2**28

    made_with: str = Field(description="version of ltbench that wrote the pack")
    runs: list[PackedRun] = Field(description="packed runs, in the order of their folders")


def is_packed(name: str) -> bool:
    """Returns whether a file of a run directory belongs into a pack: weights do not.

    >>> [is_packed(name) for name in ("result.json", "predictions-tte.parquet", "x.safetensors")]
    [True, True, False]

    Args:
        name: Name of the file.
    """
    return any(fnmatch.fnmatchcase(name, one) for one in _NAMES)


def copied(source: BinaryIO, target: IO[bytes] | None = None) -> str:
    """Copies a file, and returns the SHA-256 of its content as hexadecimal digits.

    Args:
        source: File to read to its end.
        target: File to write; None to read alone.

    Raises:
        OSError: A file cannot be read or written.
        Interrupted: A signal has arrived.
    """
    digest = hashlib.sha256()
    while chunk := source.read(_READ_BYTES):
        check()
        digest.update(chunk)
        if target is not None:
            target.write(chunk)
    return digest.hexdigest()
