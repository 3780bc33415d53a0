"""Tables of TOML as typed objects: keys and kinds checked, misspelt keys put right.

What a table may hold is what its dataclass or TypedDict declares. A field that needs more than a
kind says so beside it, as ``Annotated[str, msgspec.Meta(...)]``: its ``title`` is what to write
("a heading in quotes"), its ``description`` what to do where a value breaks its pattern or length.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar, Union

import msgspec

from quart_heure.errors import StudyFileError
from quart_heure.hints import unknown_key

_T = TypeVar("_T")

Word = Annotated[str, msgspec.Meta(pattern=r"\S", description="Leave blank words out.")]
"""A word of a list: a blank one would be found in everything, or nowhere."""

FileName = Annotated[str, msgspec.Meta(pattern=r"\S", description="Give the name of a file.")]
"""Name of a file: for a blank one its folder would be taken."""

OptionalFile = (
    Annotated[
        str,
        msgspec.Meta(pattern=r"\S", description="Give the name of a file, or leave it out."),
    ]
    | None
)
"""Name of a file that may be missing."""

_SCALARS = {str: "text in quotes", bool: "true or false", float: "a number"}
_ITEMS = {str: "words in quotes", float: "numbers", int: "numbers"}


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a table stands, for messages: its file, and its heading in brackets."""

    file: str
    table: str

    def __str__(self) -> str:
        """Write it down."""
        return f"{self.file}, {self.table}"


def read_table(kind: type[_T], values: Mapping[str, Any], place: Place, **known: object) -> _T:
    """Read a table into an object of a kind.

    Parameters
    ----------
    kind
        A dataclass or a TypedDict of plain kinds.
    values
        The table as TOML has it.
    place
        Where it stands.
    known
        Fields that the table does not hold, such as its name.

    Raises
    ------
    StudyFileError
        If a key is unknown (the one that it resembles is suggested) or missing, or a value is of
        another kind.
    """
    kinds = {key: each for key, each in _kinds(kind) if key not in known}
    check_keys(values, kinds, place)
    read = {key: read_value(kinds[key], value, str(place), key) for key, value in values.items()}
    for key in _needed(kind):
        if key not in read and key not in known:
            raise missing_key(key, place)
    return kind(**known, **read)


def check_keys(values: Iterable[str], known: Iterable[str], place: Place | str) -> None:
    """Refuse a key that a table cannot have.

    Raises
    ------
    StudyFileError
        If there is one; the message suggests the key that it resembles.
    """
    known = list(known)
    for key in values:
        if key not in known:
            raise unknown_key(key, known, str(place))


def missing_key(key: str, place: Place) -> StudyFileError:
    """Return the error of a table that lacks a key which it needs."""
    msg = f"{place.file}: there is no {key!r} in {place.table}."
    return StudyFileError(msg, hint="Run 'quart-heure init' for a commented example.")


def keys_of(kind: type) -> tuple[str, ...]:
    """Return the keys that a table of a kind may have."""
    return tuple(key for key, _ in _kinds(kind))


def read_value(kind: Any, value: object, where: str, key: str) -> Any:
    """Return a value of a kind; a whole number stays one where a number is wanted.

    Raises
    ------
    StudyFileError
        If it is of another kind; the message says which value, and what to write.
    """
    if type(value) is int and float in _members(kind):
        # A whole number of TOML may have more digits than a float.
        return value
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, ValueError) as error:
        # ValueError: a whole number within a list has more digits than Python writes out.
        where, key, value, hint = _fault(kind, value, where, key)
        msg = f"{where}: {key} is {_shown(value)}."
        raise StudyFileError(msg, hint=hint) from error


def _kinds(kind: type) -> Iterator[tuple[str, Any]]:
    """List the fields of a kind in the order in which they are declared."""
    hints = typing.get_type_hints(kind, include_extras=True)
    if dataclasses.is_dataclass(kind):
        yield from ((field.name, hints[field.name]) for field in dataclasses.fields(kind))
    else:
        yield from hints.items()


def _needed(kind: type) -> Iterator[str]:
    if dataclasses.is_dataclass(kind):
        for field in dataclasses.fields(kind):
            if dataclasses.MISSING is field.default is field.default_factory:
                yield field.name
    else:
        yield from sorted(getattr(kind, "__required_keys__", ()))


def _fault(kind: Any, value: object, where: str, key: str) -> tuple[str, str, object, str]:
    """Find the value that is of another kind than wanted, and say what to write instead."""
    meta, members = _meta(kind), _members(kind)
    if meta is not None and meta.title:
        return where, key, value, f"It must be {meta.title}."
    container = next((each for each in members if _fits_container(each, value)), None)
    if container is None:
        return where, key, value, _scalar_hint(members[0], value)
    item_kind = typing.get_args(container)[-1 if isinstance(value, Mapping) else 0]
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not _is(item_kind, item):
                return _fault(item_kind, item, f"{where}, {key}", str(name))
    items = value if isinstance(value, list | tuple) else ()
    plain = _plain(item_kind)
    if all(_is(plain, item) for item in items):
        meta = _meta(item_kind) or _meta(container)
        return where, key, value, (meta and meta.description) or "Its length is wrong."
    return where, key, value, f"It must be a list of {_ITEMS.get(_members(plain)[0], 'tables')}."


def _scalar_hint(member: Any, value: object) -> str:
    meta, plain = _meta(member), _plain(member)
    if meta is not None and meta.description and _is(plain, value):
        return meta.description
    if typing.get_origin(plain) is Literal:
        words = [f'"{word}"' for word in typing.get_args(plain) if word]
        return f"It must be {' or '.join(words)}."
    if typing.get_origin(plain) is tuple:
        return "It must be a list in brackets."
    if _origin(plain) is Mapping:
        return "It must be pairs in braces or a table of its own."
    return f"It must be {_SCALARS.get(plain, 'a value of another kind')}."


def _members(kind: Any) -> tuple[Any, ...]:
    """Return the kinds of a union, none for what may be missing."""
    plain = _plain(kind)
    if typing.get_origin(plain) in {Union, types.UnionType}:
        return tuple(each for each in typing.get_args(plain) if each is not type(None))
    return (kind,)


def _plain(kind: Any) -> Any:
    """Return a kind without what is said beside it."""
    return typing.get_args(kind)[0] if typing.get_origin(kind) is Annotated else kind


def _meta(kind: Any) -> msgspec.Meta | None:
    """Return what is said beside a kind."""
    if typing.get_origin(kind) is not Annotated:
        return None
    return next((each for each in typing.get_args(kind) if isinstance(each, msgspec.Meta)), None)


def _origin(kind: Any) -> Any:
    return typing.get_origin(_plain(kind))


def _fits_container(kind: Any, value: object) -> bool:
    origin = _origin(kind)
    if isinstance(value, Mapping):
        return origin is Mapping
    return isinstance(value, list | tuple) and origin is tuple


def _is(kind: Any, value: object) -> bool:
    if type(value) is int and float in _members(kind):
        return True
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, ValueError):
        return False
    return True


def _shown(value: object) -> str:
    """Write a value out, as far as Python does."""
    try:
        return repr(value)
    except ValueError:
        return "a number too long to write out"
