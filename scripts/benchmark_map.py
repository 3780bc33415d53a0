"""Time what pages of a map answer, in a headless Chromium with the network cut.

    .venv/bin/python scripts/benchmark_map.py MAP.html [OTHER.html ...] [--repeat N] [--rounds N]

Opens services at random places of a page, one of each category by itself and one of every category
at once, and closes some, and times until all that is seen has followed: with that category shown,
with another, and with all of them. It also times how long the page takes to be usable, and another
view, threshold and district to be shown. *CPU* is what the page's thread took of the processor,
which hardly depends on what else the machine does; *frame* is until the browser has drawn it, too.
Several pages, of two versions for instance, are measured in turn, round by round. The tables go to
stdout. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from collections import defaultdict
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_STEPS = """(repeat) => {
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
  const add = (category) => ({ kind: "add", category, at: place(), name: "x" });
  const ids = [...whatIf.searchable];
  const all = (data.views.find((view) => view.kind === "composite") || data.views[0]).id;
  const other = (id) => ids[(ids.indexOf(id) + 1) % ids.length];
  const close = (id) => {
    const ours = [...data.services.keys()].filter((n) => {
      const { category, left_out } = data.services[n];
      return category === id && !left_out;
    });
    return { kind: "close", place: ours[Math.floor(random() * ours.length)] };
  };
  const steps = [];
  const step = (name, work, before = () => {}) => steps.push({ name, work, before });
  for (const view of data.views) {
    step("another view", () => page.choose({ view: view.id }));
    for (const minutes of data.thresholds_min) {
      step("another threshold", () => page.choose({ minutes }));
    }
    const standard = () => page.choose({ minutes: data.threshold_min });
    step("another district", () => page.choose({ district: 0 }), standard);
    step("", () => page.choose({ district: null }));
  }
  if (whatIf.there) {
    step("streets unpacked", () => whatIf.open());
    step("the very first service", () => whatIf.change([add(ids[0])]));
    const show = (view) => async () => {
      await whatIf.change([]);
      page.choose({ view });
    };
    for (let n = 0; n < repeat; n++) {
      for (const id of ids) {
        step("one service", () => whatIf.change([add(id)]), show(id));
        step("one service closed", () => whatIf.change([close(id)]), show(id));
        step("one service, another shown", () => whatIf.change([add(id)]), show(other(id)));
        step("one service, all shown", () => whatIf.change([add(id)]), show(all));
      }
      step("one of each, one shown", () => whatIf.change(ids.map(add)), show(ids[n % ids.length]));
      step("one of each, all shown", () => whatIf.change(ids.map(add)), show(all));
    }
  }
  window.drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  window.steps = steps;
  return steps.map(({ name }) => name);
}"""

_WORK = """async (n) => {
  window.begin = performance.now();
  await steps[n].work();
  return performance.now() - begin;
}"""

_DRAWN = "async () => { await drawn(); return performance.now() - begin; }"

_READY = "performance.timing.domComplete - performance.timing.navigationStart"

Times = dict[str, list[tuple[float, float, float]]]
"""Milliseconds until the answer, of the processor, and until it is drawn, by name."""


def measured(browser: Browser, file: Path, repeat: int) -> tuple[Times, float]:
    """Return what a page takes, and the memory it has at last, in MB."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_offline(True)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def processor() -> float:
        found = session.send("Performance.getMetrics")["metrics"]
        return 1000 * float(next(one["value"] for one in found if one["name"] == "TaskDuration"))

    page.goto(file.resolve().as_uri())
    page.wait_for_selector("html.ready", timeout=120_000)
    times: Times = defaultdict(list)
    ready = float(page.evaluate(_READY))
    times["ready"].append((ready, processor(), ready))
    for n, name in enumerate(page.evaluate(_STEPS, repeat)):
        page.evaluate("async (n) => { await steps[n].before(); await drawn(); }", n)
        before = processor()
        answer = float(page.evaluate(_WORK, n))
        taken = processor() - before
        drawn = float(page.evaluate(_DRAWN))
        if name:
            times[name].append((answer, taken, drawn))
        if name == "streets unpacked":
            page.wait_for_timeout(1000)  # what the page gets ready while nobody waits
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")
    context.close()
    return times, (heap["usedSize"] + heap.get("backingStorageSize", 0)) / 1e6


def main(files: list[Path], repeat: int, rounds: int) -> None:
    """Measure pages in turn and print medians, the tenth slowest and how many were timed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("There is no Chromium on this machine: install the package chromium.")
    times: dict[Path, Times] = {file: defaultdict(list) for file in files}
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
        headings = ("answer ms", "p90", "least", "CPU ms", "frame ms", "n")
        print(" " * 28 + "".join(f"{heading:>10}" for heading in headings))
        for name, some in times[file].items():
            answers, processor, drawn = zip(*some, strict=True)
            slow = statistics.quantiles(answers, n=10)[-1] if len(some) > 1 else answers[0]
            middle = statistics.median
            row = (middle(answers), slow, min(answers), middle(processor), middle(drawn))
            print(f"{name:28}" + "".join(f"{one:10.1f}" for one in row) + f"{len(some):10}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("map", type=Path, nargs="+")
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=1, help="how often each page is opened")
    options = parser.parse_args()
    main(options.map, options.repeat, options.rounds)
