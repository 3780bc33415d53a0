"""Take pictures of a map at the sizes it is made for, and tell which changed since earlier ones.

Usage: scripts/map_pictures.py MAP.html FOLDER [EARLIER]

FOLDER gets a picture of each view at each size, and the map as it prints (needs a system Chromium;
the network is cut). With EARLIER, a folder of the same, each picture is compared: the share of
pixels that differ is told, and the exit code is 1 where one differs by more than a thousandth.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

SIZES = {
    "wide": (1440, 900),
    "small": (1024, 768),
    "phone": (390, 844),
    "lying": (844, 390),
}

_MOST = 0.001
_PATIENCE_MS = 120_000


def _panel(page: Page) -> None:
    if page.locator("#fold").is_visible():
        page.locator("#fold").click()


def _place(page: Page) -> None:
    box = page.locator(".map").bounding_box()
    if box is not None:
        page.mouse.click(box["x"] + box["width"] * 0.55, box["y"] + box["height"] * 0.6)


def _gap(page: Page) -> None:
    _panel(page)
    if page.locator("#gaps-list button").count():
        page.locator("#gaps-list button").first.click()


def _legend(page: Page) -> None:
    if page.locator("#legend:not([open])").count():
        page.locator("#legend summary").click()


def _search(text: str) -> Callable[[Page], None]:
    def search(page: Page) -> None:
        _panel(page)
        page.locator("#search").fill(text)

    return search


VIEWS: dict[str, Callable[[Page], None]] = {
    "first": lambda _: None,
    "panel": _panel,
    "place": _place,
    "gap": _gap,
    "legend": _legend,
    "found": _search("rue de la"),
    "not-found": _search("qwertz"),
}


def main(map_file: Path, folder: Path, earlier: Path | None) -> int:
    """Take all pictures; return how many differ from earlier ones."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("There is no Chromium on this machine: install the package chromium.")
    folder.mkdir(parents=True, exist_ok=True)
    differ = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for size, (width, height) in SIZES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height},
                reduced_motion="reduce",
                has_touch=size in {"phone", "lying"},
            )
            context.set_offline(True)
            for name, act in VIEWS.items():
                page = context.new_page()
                page.goto(map_file.resolve().as_uri())
                page.wait_for_selector("html.ready", timeout=_PATIENCE_MS)
                act(page)
                page.wait_for_timeout(500)
                picture = folder / f"{size}-{name}.png"
                page.screenshot(path=str(picture))
                if earlier is not None:
                    differ += _differs(picture, earlier / picture.name)
                if (size, name) == ("wide", "first"):
                    page.pdf(path=str(folder / "print.pdf"), prefer_css_page_size=True)
                page.close()
            context.close()
        browser.close()
    return differ


def _differs(picture: Path, before: Path) -> bool:
    if not before.is_file():
        print(f"{picture.name}: new")
        return False
    now, then = (np.asarray(Image.open(path).convert("RGB")) for path in (picture, before))
    share = 1.0 if now.shape != then.shape else float((now != then).any(axis=2).mean())
    print(f"{picture.name}: {share:.2%} of the pixels differ")
    return share > _MOST


if __name__ == "__main__":
    if len(sys.argv) not in {3, 4}:
        sys.exit(__doc__)
    found = main(
        Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None
    )
    sys.exit(1 if found else 0)
