"""Take the README's pictures: the map of the packaged Paris in a headless Chromium.

Usage: scripts/screenshot.py MAP.html PICTURE.png [WIDTH HEIGHT] [STATE]

STATE is what the map writes after "#" in its address: which view, threshold and place to show.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1280, 800

_CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
)

_FADED_IN_MS = 600


def main(page_file: Path, picture: Path, *, width: int, height: int, state: str) -> None:
    """Open a page as a planner would and save what is seen, with the network cut."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("There is no Chromium on this machine: install the package chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_CHROMIUM_OPTIONS))
        context = browser.new_context(viewport={"width": width, "height": height})
        context.set_offline(True)
        page = context.new_page()
        page.goto(f"{page_file.resolve().as_uri()}#{state}")
        page.wait_for_selector("html.ready")
        page.wait_for_timeout(_FADED_IN_MS)
        page.screenshot(path=str(picture))
        browser.close()
    print(picture)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[3:5] if word.isdecimal()]
    rest = sys.argv[3 + len(numbers) :]
    if len(sys.argv) < 3 or len(numbers) == 1 or len(rest) > 1:
        sys.exit(__doc__)
    wide, high = numbers or (WIDTH, HEIGHT)
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        width=wide,
        height=high,
        state=rest[0] if rest else "",
    )
