"""PDF of pages that are written already, by a browser or a library that is on the machine."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from quart_heure.errors import OutputError
from quart_heure.files import replacing

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
"""Programs that print a page without being seen, in the order in which they are looked for."""

_PATIENCE_S = 120
_HINT = "Install Chromium, or `pip install weasyprint`; the HTML prints to the same two sides."
_DATE = re.compile(rb"/(CreationDate|ModDate) ?\(D:[^)]*\)")


class PdfMaker:
    """Prints pages with what the machine has.

    Raises
    ------
    OutputError
        If it has neither a Chromium nor WeasyPrint.
    """

    def __init__(self) -> None:
        self.browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        if self.browser is None and importlib.util.find_spec("weasyprint") is None:
            msg = "There is nothing here to make PDF with: no Chromium on the PATH, no WeasyPrint."
            raise OutputError(msg, hint=_HINT)

    def write(self, page: Path, path: Path, *, created: str = "") -> Path:
        """Print a page to a file, whole or not at all.

        Parameters
        ----------
        page
            The HTML file.
        path
            The PDF file.
        created
            Time of the run, which the file bears instead of the time of printing.

        Raises
        ------
        OutputError
            If printing fails or the file cannot be written.
        """
        with replacing(path) as temporary:
            if self.browser is not None:
                _print_in_browser(self.browser, page, temporary)
            else:
                weasyprint = importlib.import_module("weasyprint")
                weasyprint.HTML(filename=str(page)).write_pdf(str(temporary))
            content = temporary.read_bytes()
            if not content.startswith(b"%PDF"):
                msg = f"{path}: the PDF could not be made."
                raise OutputError(msg, hint=_HINT)
            temporary.write_bytes(_dated(content, created))
        return path


def _print_in_browser(browser: str, page: Path, path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="quart-heure-") as profile:
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            "--no-pdf-header-footer",
            f"--user-data-dir={profile}",
            f"--print-to-pdf={path.resolve()}",
            page.resolve().as_uri(),
        ]
        # The sandbox of Chromium does not start for the administrator, as in containers.
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=_PATIENCE_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            msg = f"{browser} could not print {page.name} ({error})."
            raise OutputError(msg, hint=_HINT) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        msg = f"{browser} could not print {page.name}: {said[-1] if said else done.returncode}."
        raise OutputError(msg, hint=_HINT)


def _dated(content: bytes, created: str) -> bytes:
    """Give the file the time of the run, in as many bytes: printed twice, it is the same."""
    digits = re.sub(r"\D", "", created).encode()[:14]
    if len(digits) < 14:
        return content
    return _DATE.sub(
        lambda found: re.sub(rb"(?<=D:)\d{14}", digits, found[0]),
        content,
    )
