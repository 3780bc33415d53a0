"""Run the notebooks and store them with what they show: scripts/render_notebooks.py [NAME ...].

A name is the beginning of a file's, such as 01; all are run without one. Stored are tables, texts
and pictures, nothing of the machine and of the time: two runs of one code store the same. Run it
after a change of a notebook or of a figure; tests/house/test_notebooks.py fails until then.
"""

from __future__ import annotations

import base64
import datetime
import html
import io
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
MOMENT = datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)
"""When the stored outputs say that they were made: how old facts are depends on the day."""

LIMIT_S = 600
_COLOURS = 128
"""Of a stored picture: maps have few, and a palette takes a third of the room."""
_SHOWN = ("image/png", "text/html", "text/markdown", "text/plain")
"""Forms of an output, the one that is stored first."""
_LOOKED_AT = 64
"""Pixels to which pictures are brought before they are compared."""
_ALIKE = 6.0
"""Mean difference, of 255, of pictures that are taken for the same: fonts differ by machine."""


def run(path: Path, folder: Path, *, cache: Path) -> Any:
    """Run a copy of a notebook in a folder of its own, in a kernel that owns nothing else.

    Nothing of the machine's user is seen: no kernels, no settings, no history, no cache.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    jupyter = {
        f"JUPYTER_{kind.upper()}_DIR": str(folder / "jupyter" / kind)
        for kind in ("data", "runtime", "config")
    }
    settings = {
        **jupyter,
        "JUPYTER_PLATFORM_DIRS": "1",
        "IPYTHONDIR": str(folder / "ipython"),
        "QUART_HEURE_CACHE": str(cache),
        "SOURCE_DATE_EPOCH": str(int(MOMENT.timestamp())),
    }
    work = folder / "work"
    work.mkdir(parents=True)
    before = dict(os.environ)
    try:
        os.environ.pop("MPLBACKEND", None)  # the kernel draws into the notebook
        os.environ.update(settings)
        NotebookClient(
            notebook,
            timeout=LIMIT_S,
            kernel_name="python3",
            resources={"metadata": {"path": str(work)}},
        ).execute()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return notebook


def stored(notebook: Any) -> Any:
    """Return a notebook that was run as it is kept: no counts, no metadata, small pictures."""
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type != "code":
            continue
        cell.execution_count = None
        cell.outputs = [_stored_output(output) for output in cell.outputs]
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def _stored_output(output: Any) -> Any:
    if "data" in output:
        kind = next(form for form in _SHOWN if form in output.data)
        value = output.data[kind]
        output.data = {kind: _small(value) if kind == "image/png" else value}
        output.metadata = {}
    if "execution_count" in output:
        output.execution_count = None
    return output


def _small(png: str) -> str:
    """Return a picture with a palette of its own, in base64."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    packed = io.BytesIO()
    picture.quantize(_COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        packed, "PNG", optimize=True
    )
    return base64.b64encode(packed.getvalue()).decode()


def differences(kept: Any, now: Any) -> list[str]:
    """Say in which cells what is kept is not what the same notebook shows now."""
    found = []
    for one, other in zip(kept.cells, now.cells, strict=True):
        outputs = [_said(cell.get("outputs", [])) for cell in (one, other)]
        if one.source != other.source or len(outputs[0]) != len(outputs[1]):
            found.append(f"{one.id}: {len(outputs[0])} outputs are kept, {len(outputs[1])} shown")
            continue
        found += [
            f"{one.id}: {before[:300]!r} is kept, {after[:300]!r} shown"
            for before, after in zip(*outputs, strict=True)
            if not _same(before, after)
        ]
    return found


def _said(outputs: Any) -> list[str]:
    """Return what outputs say: words alone, of pictures their data."""
    found = []
    for output in outputs:
        if output.output_type == "stream":
            found.append(" ".join(output.text.split()))
        elif "image/png" in output.data:
            found.append(f"png {output.data['image/png']}")
        else:
            found.append(_words(output.data))
    return found


def _words(data: Mapping[str, str]) -> str:
    kind = next(form for form in _SHOWN if form in data)
    text = data[kind]
    if kind == "text/html":
        text = re.sub(r"<style.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL)
    return " ".join(html.unescape(text).split())


def _same(one: str, other: str) -> bool:
    if one.startswith("png ") and other.startswith("png "):
        pictures = [Image.open(io.BytesIO(base64.b64decode(each[4:]))) for each in (one, other)]
        # As tall and as wide, give or take the width of a label.
        if any(abs(a - b) > 0.03 * b for a, b in zip(*(p.size for p in pictures), strict=True)):
            return False
        size = (_LOOKED_AT, _LOOKED_AT)
        grids = [np.asarray(p.convert("RGB").resize(size), dtype=float) for p in pictures]
        return bool(np.abs(grids[0] - grids[1]).mean() <= _ALIKE)
    return one == other


def main(names: list[str]) -> None:
    """Run those that are named and store them."""
    paths = [
        path
        for path in sorted(NOTEBOOKS.glob("*.ipynb"))
        if not names or any(path.name.startswith(name) for name in names)
    ]
    with tempfile.TemporaryDirectory(prefix="notebooks-") as folder:
        for path in paths:
            ran = stored(run(path, Path(folder) / path.stem, cache=Path(folder) / "cache"))
            text = nbformat.writes(ran, indent=1)  # type: ignore[no-untyped-call]
            path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
            print(f"{path.name}: {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
