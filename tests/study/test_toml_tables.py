"""Tables of TOML: what they may hold is what their class says, and a fault is told with a hint."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pytest

from quart_heure.errors import StudyFileError
from quart_heure.toml_tables import FileName, OptionalFile, Place, Word, keys_of, read_table

PLACE = Place("s.toml", "[t]")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    file: FileName
    other: OptionalFile = None
    minutes: float = 15.0
    steps: tuple[int | float, ...] = ()
    words: tuple[Word, ...] = ()
    who: str | tuple[Word, ...] = ""
    sex: Literal["", "woman", "man"] = ""
    on: bool = False
    heads: Mapping[str, Annotated[str, msgspec.Meta(title="a heading in quotes")]] = (
        dataclasses.field(default_factory=dict)
    )
    name: str = ""


class Partial(TypedDict, total=False):
    minutes: float
    words: tuple[Word, ...]


def read(text: str) -> Table:
    return read_table(Table, tomllib.loads(text), PLACE)


def test_a_table_is_what_it_says() -> None:
    found = read(
        'file = "a"\nminutes = 12\nsteps = [5, 7.5]\nwords = ["x"]\nwho = ["y", "z"]\n'
        'sex = "woman"\non = true\nheads = { a = "b" }'
    )
    assert found == Table(
        file="a",
        minutes=12,
        steps=(5, 7.5),
        words=("x",),
        who=("y", "z"),
        sex="woman",
        on=True,
        heads={"a": "b"},
    )
    # As it is written: a manifest says 12 where the file does.
    assert [type(each) for each in (found.minutes, *found.steps)] == [int, int, float]
    assert keys_of(Table)[:3] == ("file", "other", "minutes")


def test_what_is_not_said_is_missing_where_it_may_be() -> None:
    assert read_table(Partial, {"minutes": 3}, PLACE) == {"minutes": 3}
    assert keys_of(Partial) == ("minutes", "words")
    assert read_table(Table, {"file": "a"}, PLACE, name="n").name == "n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "s.toml: there is no 'file' in [t]. Run 'quart-heure init'"),
        ("fiel = 1", "s.toml, [t]: there is no key 'fiel'. Did you mean 'file'?"),
        ("file = 1", "s.toml, [t]: file is 1. It must be text in quotes."),
        ('file = " "', "file is ' '. Give the name of a file."),
        ("other = 1", "other is 1. It must be text in quotes."),
        ('other = ""', "other is ''. Give the name of a file, or leave it out."),
        ('minutes = "3"', "minutes is '3'. It must be a number."),
        ("minutes = true", "minutes is True. It must be a number."),
        ("minutes = [3]", "minutes is [3]. It must be a number."),
        ("steps = 3", "steps is 3. It must be a list in brackets."),
        ("steps = [3, true]", "steps is [3, True]. It must be a list of numbers."),
        ("words = [1]", "words is [1]. It must be a list of words in quotes."),
        ('words = ["a", ""]', "words is ['a', '']. Leave blank words out."),
        ("who = 3", "who is 3. It must be text in quotes."),
        ('who = ["a", 3]', "who is ['a', 3]. It must be a list of words in quotes."),
        ('sex = "x"', 'sex is \'x\'. It must be "woman" or "man".'),
        ("on = 1", "on is 1. It must be true or false."),
        ("heads = 1", "heads is 1. It must be pairs in braces or a table of its own."),
        ("heads = { a = 1 }", "s.toml, [t], heads: a is 1. It must be a heading in quotes."),
        (f"words = [0x1{'0' * 5000}]", "words is a number too long to write out. It must be a"),
    ],
)
def test_a_fault_is_told_where_it_is_and_what_to_write(text: str, words: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        read(text)
    assert words in str(caught.value)


def test_a_number_of_more_digits_than_a_float_is_left_to_its_bounds() -> None:
    huge: Any = 10**400
    assert read_table(Table, {"file": "a", "minutes": huge}, PLACE).minutes == huge
