"""A real browser for tests of pages: from a file, with the network cut."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = next(
    filter(
        None,
        map(
            shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        ),
    ),
    None,
)

WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


class Opened:
    """A page opened from a file without network, and all it complained about or asked for."""

    def __init__(
        self, browser: Browser, path: Path, viewport: dict[str, int], state: str = ""
    ) -> None:
        self.context = browser.new_context(viewport=viewport, reduced_motion="reduce")
        self.context.set_offline(True)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri() + state)
        self.page.wait_for_selector("html.ready")

    def check_quiet(self, path: Path) -> None:
        assert self.complaints == []
        asked = {url.partition("#")[0] for url in self.requests if not url.startswith("data:")}
        assert asked == {path.as_uri()}
