"""Formats of an exported model."""

from __future__ import annotations

from enum import StrEnum, auto

from ltbench.errors import UnknownNameError, quoted, suggestion


class Format(StrEnum):
    """A format of an exported model."""

    SAFETENSORS = auto()
    TORCH = auto()
    ONNX = auto()
    OPENCLIP = auto()
    TIMM = auto()
    HF_FOLDER = "hf-folder"

    @classmethod
    def of(cls, name: object) -> Format:
        """Returns the format with a name.

        Raises:
            UnknownNameError: No format has this name.
        """
        known = [one.value for one in cls]
        if not isinstance(name, str) or name not in known:
            raise UnknownNameError(
                f"--to: there is no format {quoted(name)}", hint=suggestion(str(name), known)
            )
        return cls(name)
