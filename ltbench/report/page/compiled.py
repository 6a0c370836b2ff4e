"""Compiled templates in memory: compiling takes longer than a page, of which a site has many."""

from __future__ import annotations

from types import CodeType

from jinja2.bccache import Bucket, BytecodeCache


class CompiledTemplates(BytecodeCache):
    """Code of templates, kept for the life of the process."""

    def __init__(self) -> None:
        self._code: dict[str, CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Puts the code of a template into a bucket; None where it is not compiled yet."""
        bucket.code = self._code.get(bucket.key + bucket.checksum)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps the code of a bucket."""
        self._code[bucket.key + bucket.checksum] = bucket.code


COMPILED_TEMPLATES = CompiledTemplates()
"""Templates of pages."""
