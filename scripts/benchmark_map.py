"""Time what the page of a map answers, in a headless Chromium with the network cut.

    .venv/bin/python scripts/benchmark_map.py MAP.html [--repeat N]

Opens services at random places of the page, one of each category by itself and one of every
category at once, and times until all figures and the painting have followed; also how long the
page takes to be usable, and another view, threshold and district to be shown. The table goes to
stdout. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

_MEASURE = """async (repeat) => {
  const page = quartHeure.map;
  const { whatIf, data, gaps } = page;
  const { on } = gaps.tally;
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const place = () => {
    const cell = on[Math.floor(random() * on.length)];
    const { width } = page.cells;
    return gaps.projection.place((cell % width) + 0.5, Math.floor(cell / width) + 0.5);
  };
  const timed = async (work) => {
    const begin = performance.now();
    await work();
    return performance.now() - begin;
  };
  const found = { ready: [performance.timing.domComplete - performance.timing.navigationStart] };
  const keep = (name, ms) => (found[name] = [...(found[name] || []), ms]);
  for (const view of data.views) {
    keep("another view", await timed(() => page.choose({ view: view.id })));
    for (const minutes of data.thresholds_min) {
      keep("another threshold", await timed(() => page.choose({ minutes })));
    }
    page.choose({ minutes: data.threshold_min });
    keep("another district", await timed(() => page.choose({ district: 0 })));
    page.choose({ district: null });
  }
  if (whatIf.there) {
    keep("streets unpacked", await timed(() => whatIf.open()));
    const add = (category) => ({ kind: "add", category, at: place(), name: "x" });
    const ids = [...whatIf.searchable];
    for (let n = 0; n < repeat; n++) {
      for (const id of ids) keep("one service", await timed(() => whatIf.change([add(id)])));
      keep("one of every category", await timed(() => whatIf.change(ids.map(add))));
    }
  }
  return found;
}"""


def main(file: Path, repeat: int) -> None:
    """Measure a page and print medians, the tenth slowest and how many were timed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("There is no Chromium on this machine: install the package chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_offline(True)
        page = context.new_page()
        page.goto(file.resolve().as_uri())
        page.wait_for_selector("html.ready", timeout=120_000)
        found: dict[str, list[float]] = page.evaluate(_MEASURE, repeat)
        browser.close()
    print(f"{file.name}: {file.stat().st_size / 1e6:.2f} MB")
    print(f"{'':24}{'median ms':>10}{'p90 ms':>10}{'least ms':>10}{'n':>6}")
    for name, times in found.items():
        slow = statistics.quantiles(times, n=10)[-1] if len(times) > 1 else times[0]
        print(
            f"{name:24}{statistics.median(times):10.1f}{slow:10.1f}{min(times):10.1f}{len(times):6}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("map", type=Path)
    parser.add_argument("--repeat", type=int, default=10)
    options = parser.parse_args()
    main(options.map, options.repeat)
