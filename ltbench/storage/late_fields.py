"""Records whose fields are read when they are first used."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, PrivateAttr

from ltbench.storage.stored_file import Record


@functools.cache
def _every_field(model: type[Record]) -> set[str]:
    return set(model.model_fields)


# Slots of every model of pydantic, whose own `__setattr__` checks the name first.
_set_values = BaseModel.__dict__["__dict__"].__set__
_set_fields = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__


class LateFields(Record):
    """Record that may have fields which are read when they are first used.

    It equals the record that has read all of them, and is written like it.
    """

    _EARLY: ClassVar[frozenset[str]] = frozenset()
    """Fields that every record has from the beginning."""
    _read_field: Callable[[str], Any] | None = PrivateAttr(None)

    @classmethod
    def with_late(cls, known: dict[str, Any], private: dict[str, Any]) -> Self:
        """Returns a record with some of its fields; it keeps both dictionaries.

        Args:
            known: Checked values by field.
            private: Value of every private attribute; `_read_field` returns the checked value of
                any other field.
        """
        # Not `model_construct`, which takes as long as reading the values.
        record = cls.__new__(cls)
        _set_values(record, known)
        _set_fields(record, _every_field(cls))
        _set_extra(record, None)
        _set_private(record, private)
        return record

    if not TYPE_CHECKING:  # mypy would take every name for a field

        def __getattr__(self, name: str) -> Any:
            """Reads a field that is not known yet, or a private attribute."""
            private = self.__pydantic_private__ or {}
            if name in private:  # pydantic takes five times as long
                return private[name]
            if name not in _every_field(type(self)) or not (read := private.get("_read_field")):
                return super().__getattr__(name)
            value = self.__dict__[name] = read(name)
            return value

        def __setattr__(self, name: str, value: Any) -> None:
            """Sets a private attribute; a record is frozen otherwise."""
            private = self.__pydantic_private__ or {}
            if name in private:  # pydantic takes five times as long
                private[name] = value
            else:
                super().__setattr__(name, value)

    def peek(self, name: str) -> Any:
        """Returns a field, or a part of one by its dotted name, and keeps nothing of it.

        It is for loops over many records, whose fields would take more time and memory.
        """
        read = (self.__pydantic_private__ or {}).get("_read_field")
        if read is None or name.partition(".")[0] in self.__dict__:
            return operator.attrgetter(name)(self)
        return read(name)

    def reader(self) -> Callable[[str], Any]:
        """Returns what does the same as `peek`, faster where no field was read or replaced."""
        read = (self.__pydantic_private__ or {}).get("_read_field")
        is_late = read is not None and self._EARLY.issuperset(self.__dict__)
        return read if read is not None and is_late else self.peek

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
