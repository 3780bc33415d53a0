"""What an editor deleted: still in the file that it saved, and marked.

JOSM keeps a deleted object with ``action="delete"`` until the deletion is uploaded; others write
``visible="false"``. osmium reads the first as if nothing were said, so the text is looked at here.
"""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import re
import xml.parsers.expat
from pathlib import Path
from typing import IO

from quart_heure.errors import InputFileError

_MARK = re.compile(rb"""\b(?:action\s*=\s*["']\s*delete|visible\s*=\s*["']\s*false)""")
_LONGEST_MARK = 256
_BLOCK_BYTES = 4 << 20


@dataclasses.dataclass(frozen=True)
class Deleted:
    """Ids of what was deleted."""

    nodes: frozenset[int] = frozenset()
    ways: frozenset[int] = frozenset()
    relations: frozenset[int] = frozenset()


def open_xml(path: Path) -> IO[bytes] | gzip.GzipFile:
    """Open a file of OpenStreetMap XML, unpacked on the way."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path)
    return bz2.open(path) if path.suffix.lower() == ".bz2" else path.open("rb")


def find_deleted(path: Path) -> Deleted:
    """Return what is marked as deleted in a file; nothing for PBF, which has no such marks.

    Raises
    ------
    InputFileError
        If a file with such marks is not well-formed.
    """
    if path.suffix.lower() == ".pbf" or not _has_marks(path):
        return Deleted()
    found: dict[str, set[int]] = {"node": set(), "way": set(), "relation": set()}

    def start(name: str, about: dict[str, str]) -> None:
        gone = about.get("action", "").strip().lower() == "delete"
        gone |= about.get("visible", "").strip().lower() == "false"
        if gone and name in found:
            found[name].add(int(about["id"]))

    def refuse(*_: object) -> None:
        msg = f"{path}: defines entities, which OpenStreetMap data does not."
        raise InputFileError(msg, hint="The file is damaged or of another kind.")

    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = refuse
    try:
        with open_xml(path) as file:
            while block := file.read(_BLOCK_BYTES):
                parser.Parse(block)
            parser.Parse(b"", True)
    except InputFileError:
        raise
    except (xml.parsers.expat.ExpatError, KeyError, ValueError) as error:
        msg = f"{path}: cannot be read as OpenStreetMap data ({error})."
        raise InputFileError(msg, hint="The file is damaged or of another kind.") from error
    return Deleted(*map(frozenset, (found["node"], found["way"], found["relation"])))


def _has_marks(path: Path) -> bool:
    """Look for a mark in the bytes of a file, which costs far less than reading its elements."""
    rest = b""
    with open_xml(path) as file:
        while block := file.read(_BLOCK_BYTES):
            if _MARK.search(rest + block):
                return True
            rest = block[-_LONGEST_MARK:]
    return False
