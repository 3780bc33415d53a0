"""One PDF of several pages that were printed apart: with an outline, and links that stay inside."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """A page that was printed: the HTML file, its title, the PDF."""

    page: Path
    title: str
    pdf: Path


def join(parts: Sequence[Part], path: Path, *, title: str, lang: str, created: str = "") -> None:
    """Join the parts into one file.

    A printed page names others by where they lay on this machine: such a link leads to the first
    side of the other part, or goes where the other is not printed.

    Parameters
    ----------
    parts
        In their order.
    path
        File to write.
    title, lang
        Of the document.
    created
        Time of the run, which the file bears.
    """
    from pypdf import PdfReader, PdfWriter  # noqa: PLC0415 - one option alone
    from pypdf.generic import NameObject, TextStringObject  # noqa: PLC0415

    writer = PdfWriter()
    first: dict[Path, int] = {}
    for part in parts:
        first[part.page.resolve()] = len(writer.pages)
        writer.append(PdfReader(part.pdf), outline_item=part.title, import_outline=False)
    for page in writer.pages:
        _keep_inside(page, writer, first)
    stamp = "D:" + "".join(sign for sign in created if sign.isdigit())[:14] + "Z"
    writer.add_metadata({"/Title": title, "/Producer": "quart-heure", "/Creator": "quart-heure"})
    if len(stamp) == 17:
        writer.add_metadata({"/CreationDate": stamp, "/ModDate": stamp})
    writer._root_object[NameObject("/Lang")] = TextStringObject(lang)
    writer.compress_identical_objects()
    with path.open("wb") as file:
        writer.write(file)


def _keep_inside(page: Any, writer: Any, first: dict[Path, int]) -> None:
    """Turn links to files of this machine into links in the document, and drop the others."""
    from pypdf.generic import ArrayObject, NameObject  # noqa: PLC0415

    kept = ArrayObject()
    for reference in page.get("/Annots", ()):
        annotation = reference.get_object()
        action = annotation.get("/A")
        uri = "" if action is None else str(action.get_object().get("/URI", ""))
        if not uri.startswith("file:"):
            kept.append(reference)
            continue
        target = first.get(Path(unquote(urlsplit(uri).path)).resolve())
        if target is not None:
            del annotation["/A"]
            there = writer.pages[target].indirect_reference
            annotation[NameObject("/Dest")] = ArrayObject([there, NameObject("/Fit")])
            kept.append(reference)
    if "/Annots" in page:
        page[NameObject("/Annots")] = kept
