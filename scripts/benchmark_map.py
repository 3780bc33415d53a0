"""Time what pages of a map answer, in a headless Chromium with the network cut.

    .venv/bin/python scripts/benchmark_map.py MAP.html [OTHER.html ...] [--repeat N] [--rounds N]

Opens services at random places of a page, one of each category by itself and one of every category
at once, and times until all that is seen has followed: with a view shown that counts the category,
and with one that does not. *Frame* is until the browser has drawn it, too. It also times how long
the page takes to be usable, and another view, threshold and district to be shown. Several pages,
of two versions for instance, are measured in turn, round by round, so that what else the machine
does falls on all of them. The table goes to stdout. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from collections import defaultdict
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

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
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  const timed = async (work) => {
    const begin = performance.now();
    await work();
    return performance.now() - begin;
  };
  const found = { ready: [performance.timing.domComplete - performance.timing.navigationStart] };
  const keep = (name, ms) => (found[name] = [...(found[name] || []), ms]);
  const answered = async (name, work) => {
    const begin = performance.now();
    keep(name, await timed(work));
    await frame();
    keep(name + ": frame", performance.now() - begin);
  };
  for (const view of data.views) {
    keep("another view", await timed(() => page.choose({ view: view.id })));
    for (const minutes of data.thresholds_min) {
      keep("another threshold", await timed(() => page.choose({ minutes })));
    }
    page.choose({ minutes: data.threshold_min });
    keep("another district", await timed(() => page.choose({ district: 0 })));
    page.choose({ district: null });
  }
  if (!whatIf.there) return found;
  keep("streets unpacked", await timed(() => whatIf.open()));
  const add = (category) => ({ kind: "add", category, at: place(), name: "x" });
  const ids = [...whatIf.searchable];
  const all = data.views.find((view) => view.kind === "composite") || data.views[0];
  const other = (id) => ids[(ids.indexOf(id) + 1) % ids.length];
  const closed = (id) => {
    const ours = [...data.services.keys()].filter((n) => {
      const { category, left_out } = data.services[n];
      return category === id && !left_out;
    });
    return { kind: "close", place: ours[Math.floor(random() * ours.length)] };
  };
  keep("the very first service", await timed(() => whatIf.change([add(ids[0])])));
  await frame();
  for (let n = 0; n < repeat; n++) {
    for (const id of ids) {
      await whatIf.change([]);
      page.choose({ view: id });
      await frame();
      await answered("one service", () => whatIf.change([add(id)]));
      await whatIf.change([]);
      await frame();
      await answered("one service closed", () => whatIf.change([closed(id)]));
      page.choose({ view: other(id) });
      await frame();
      await answered("one service, another shown", () => whatIf.change([add(id)]));
      page.choose({ view: all.id });
      await frame();
      await answered("one service, all shown", () => whatIf.change([add(id)]));
    }
    page.choose({ view: all.id });
    await frame();
    await answered("one of every category, all shown", () => whatIf.change(ids.map(add)));
    page.choose({ view: ids[n % ids.length] });
    await frame();
    await answered("one of every category", () => whatIf.change(ids.map(add)));
  }
  return found;
}"""


def measured(browser: Browser, file: Path, repeat: int) -> tuple[dict[str, list[float]], float]:
    """Return what a page takes, in milliseconds by name, and the memory it has at last, in MB."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_offline(True)
    page = context.new_page()
    page.goto(file.resolve().as_uri())
    page.wait_for_selector("html.ready", timeout=120_000)
    found: dict[str, list[float]] = page.evaluate(_MEASURE, repeat)
    session = context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")
    context.close()
    return found, (heap["usedSize"] + heap.get("backingStorageSize", 0)) / 1e6


def main(files: list[Path], repeat: int, rounds: int) -> None:
    """Measure pages in turn and print medians, the tenth slowest and how many were timed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("There is no Chromium on this machine: install the package chromium.")
    times: dict[Path, dict[str, list[float]]] = {file: defaultdict(list) for file in files}
    memory: dict[Path, float] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(rounds):
            for file in files:
                found, memory[file] = measured(browser, file, repeat)
                for name, some in found.items():
                    times[file][name] += some
        browser.close()
    for file in files:
        print(f"{file.name}: {file.stat().st_size / 1e6:.2f} MB, {memory[file]:.0f} MB of memory")
        print(f"{'':40}{'median ms':>10}{'p90 ms':>10}{'least ms':>10}{'n':>6}")
        for name, some in times[file].items():
            slow = statistics.quantiles(some, n=10)[-1] if len(some) > 1 else some[0]
            middle = statistics.median(some)
            print(f"{name:40}{middle:10.1f}{slow:10.1f}{min(some):10.1f}{len(some):6}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("map", type=Path, nargs="+")
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=1, help="how often each page is opened")
    options = parser.parse_args()
    main(options.map, options.repeat, options.rounds)
