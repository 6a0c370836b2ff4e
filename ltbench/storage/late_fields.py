"""Records whose fields are read when they are first used."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import PrivateAttr

from ltbench.storage.stored_file import Record


@functools.cache
def _every_field(model: type[Record]) -> set[str]:
    return set(model.model_fields)


@functools.cache
def _private_defaults(model: type[Record]) -> dict[str, Any]:
    return {name: one.get_default() for name, one in model.__private_attributes__.items()}


class LateFields(Record):
    """Record that may have fields which are read when they are first used.

    It equals the record that has read all of them, and is written like it.
    """

    _read_field: Callable[[str], Any] | None = PrivateAttr(None)

    @classmethod
    def with_late(cls, known: Mapping[str, Any], read: Callable[[str], Any]) -> Self:
        """Returns a record with some of its fields.

        Args:
            known: Checked values by field.
            read: Function that returns the checked value of any other field.
        """
        # Not `model_construct`, which takes as long as reading the values.
        record = cls.__new__(cls)
        private = {**_private_defaults(cls), "_read_field": read}
        for name, value in (
            ("__dict__", dict(known)),
            ("__pydantic_fields_set__", _every_field(cls)),
            ("__pydantic_extra__", None),
            ("__pydantic_private__", private),
        ):
            object.__setattr__(record, name, value)
        return record

    if not TYPE_CHECKING:  # mypy would take every name for a field

        def __getattr__(self, name: str) -> Any:
            """Reads a field that is not known yet."""
            private = self.__pydantic_private__ if name in _every_field(type(self)) else None
            if not private or (read := private["_read_field"]) is None:
                return super().__getattr__(name)
            value = vars(self)[name] = read(name)
            return value

    def _read_all(self) -> None:
        if self._read_field is None:
            return
        values = {name: getattr(self, name) for name in type(self).model_fields}
        for value in values.values():
            if isinstance(value, LateFields):
                value._read_all()
        vars(self).clear()
        vars(self).update(values)  # in the order of the file
        self._read_field = None

    def __eq__(self, other: object) -> bool:
        for one in (self, other):
            if isinstance(one, LateFields):
                one._read_all()
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # as of every record with lists

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """Returns the values of all fields."""
        self._read_all()
        return super().model_dump(**options)
