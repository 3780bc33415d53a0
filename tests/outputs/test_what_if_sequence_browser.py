"""What if, step after step: the page is what it would be without the steps before, and what is
worked out from what changed is what is worked out from the beginning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from helpers import toy_town
from helpers.browser import CHROMIUM, WIDE, Opened, running_browser
from helpers.fake_portals import town_lon_lat
from helpers.project import THOROUGH, fewer
from quart_heure.outputs.map.map import write_map
from quart_heure.study import Study, analyse

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium"),
]

STEPS = 60 if THOROUGH else 16

AT_SCALE = "#at=13/48.8400/2.3200"

_TOOLS = """() => {
  const page = window.quartHeure.map;
  const { whatIf, data, cells, layers } = page;
  const text = (id) => document.getElementById(id).innerText;
  const bits = (values) => {
    let sum = 0;
    for (const byte of new Uint8Array(values.buffer, values.byteOffset, values.byteLength)) {
      sum = (Math.imul(sum, 31) + byte) | 0;
    }
    return sum;
  };
  const pixels = () => {
    const canvas = layers.surface._container;
    const { width, height } = canvas;
    const copy = Object.assign(document.createElement("canvas"), { width, height });
    const pen = copy.getContext("2d", { willReadFrequently: true });
    pen.drawImage(canvas, 0, 0);
    return pen.getImageData(0, 0, width, height).data;
  };
  // All that the page works out, and all that it shows of it.
  const state = async () => {
    const supposed = await whatIf.open();
    const categories = data.views.filter((view) => view.kind === "category").map(({ id }) => {
      const now = supposed.now.get(id) || supposed.baseOf(id);
      const near = [];
      for (const cell of supposed.walking.cells) near.push(cells.tell(id, cell).place ?? -1);
      const { metres, source, by } = now.reached;
      const found = [now.minutes, now.source, metres, source, by, cells.minutes[id]].map(bits);
      return [id, ...found, bits(Int32Array.from(near))];
    });
    for (const view of data.views) page.gaps.of(view, data.threshold_min); // their shapes are drawn
    const ids = ["sentence", "doubt", "summary", "table", "legend", "gaps-list", "services-list",
      "what-if-outcome", "what-if-list"];
    return {
      categories,
      views: JSON.stringify(data.views),
      services: JSON.stringify(data.services),
      shown: ids.map((id) => [id, text(id)]),
      marks: document.querySelector(".leaflet-marks-pane").innerText,
      painted: bits(pixels()),
    };
  };
  // Names of what is not as it would be if it were worked out from the beginning.
  const wrong = async () => {
    const supposed = await whatIf.open();
    const { walking, sums, changes } = supposed;
    const { tally } = page.gaps;
    const found = [];
    const check = (name, right) => right || found.push(name);
    const same = (a, b) => a.length === b.length && a.every((one, n) => Object.is(one, b[n]));
    for (const view of data.views.filter((one) => one.kind === "category")) {
      const now = supposed.now.get(view.id) || supposed.baseOf(view.id);
      const again = walking.minutes(supposed.sourcesOf(view.id, supposed.placed(changes)));
      check(view.id + " minutes", same(now.minutes, again.minutes));
      check(view.id + " nodes", same(now.reached.metres, again.reached.metres));
      const upper = cells.packed.upper_min;
      const codeOf = (minutes) => {
        if (minutes === Infinity) return cells.packed.unreachable;
        const step = upper.findIndex((one) => one * (1 + 1e-9) >= minutes);
        return step < 0 ? cells.packed.far : step + 1;
      };
      if (supposed.now.has(view.id)) {
        const codes = cells.minutes[view.id];
        const base = supposed.baseOf(view.id).minutes;
        check(view.id + " codes", walking.cells.every((cell, n) =>
          codes[cell] === codeOf(again.minutes[n]) || Math.abs(now.minutes[n] - base[n]) < 1e-6
        ));
        const standard = { minutes: data.threshold_min, ...view.figures };
        for (const { minutes, residents_covered_pct: told } of [standard, ...view.figures_at]) {
          const near = tally.near(minutes);
          data.rows.forEach((_, row) => {
            let [covered, all] = [0, 0];
            for (const cell of walking.cells) {
              if (row < data.rows.length - 1 && tally.rowOf(cell) !== row) continue;
              all += tally.people[cell];
              covered += near[codes[cell]] ? tally.people[cell] : 0;
            }
            const right = !all || Math.abs(told[row] - (100 * covered) / all) < 0.1;
            check(view.id + " share of " + row, right);
          });
        }
      }
      if (!supposed.now.has(view.id)) continue;
      const { gaps } = view;
      check(view.id + " zones", supposed.zones.get(view.id) === gaps.length);
      const seen = page.gaps.found([view.id], data.threshold_min);
      const alike = (a, b) =>
        a.residents === b.residents && Math.abs(a.area_ha - b.area_ha) < 0.051;
      check(view.id + " gaps", seen.length === gaps.length);
      for (const gap of gaps) {
        check(view.id + " gap " + gap.rank, seen.some((other) => alike(gap, other)));
        let [least, most] = [Infinity, 0];
        for (const cell of page.gaps.extents.get(gap)) {
          const minutes = again.minutes[supposed.sums.position[cell]];
          least = Math.min(least, minutes);
          most = Math.max(most, minutes);
        }
        const near = (told, value) =>
          told === null ? value === Infinity : Math.abs(told - value) < 0.06;
        check(view.id + " least of gap " + gap.rank, near(gap.minutes.min, least));
        check(view.id + " most of gap " + gap.rank, near(gap.minutes.max, most));
      }
    }
    const composite = data.views.find((view) => view.kind === "composite");
    const ids = composite.counted_at_all;
    for (const { minutes, shares_pct } of composite.shares_at) {
      const near = tally.near(minutes);
      const [counts, last] = [new Float64Array(ids.length + 1), data.rows.length - 1];
      for (const cell of walking.cells) {
        counts[ids.filter((id) => near[cells.minutes[id][cell]]).length] += tally.people[cell];
      }
      const all = counts.reduce((a, b) => a + b);
      const told = shares_pct[last];
      const right = told.every((share, n) => Math.abs(share - (100 * counts[n]) / all) < 0.1);
      check("composite " + minutes, right);
    }
    for (const view of data.views) {
      const essential = data.views.filter((one) => one.essential).map(({ id }) => id);
      const lists = view.kind === "composite" ? essential : [view.id];
      for (const row of [0, data.rows.length - 1]) {
        const weights = new Float64Array(256);
        for (const cell of walking.cells) {
          if (row === 0 && tally.rowOf(cell) !== 0) continue;
          weights[Math.min(...lists.map((id) => cells.minutes[id][cell]))] += tally.people[cell];
        }
        check(view.id + " by code", same(tally.byCode(view, row, cells.minutes), weights));
      }
    }
    check("painting", paintedAnew());
    return [...new Set(found)];
  };
  // Suppose other minutes of some cells here and there, and show them.
  const scatter = (view, share, seed) => {
    let random = seed;
    const next = () => (random = (random * 48271) % 2147483647) / 2147483647;
    const ids = view.kind === "composite" ? view.counted_at_all : [view.id];
    for (const id of ids) {
      const after = cells.original[id].slice();
      const some = page.gaps.tally.on.filter(() => next() < share);
      for (const cell of some) after[cell] = 1 + Math.floor(next() * cells.packed.upper_min.length);
      cells.suppose(id, { cells: some, after });
    }
    page.show();
  };
  const paintedAnew = () => {
    const before = bits(pixels());
    layers.surface.painted = null;
    layers.surface.paint();
    return before === bits(pixels());
  };
  // The same with nothing known of what changed: what is supposed stands for what is.
  const paintedAsIfOpened = (view) => {
    const before = bits(pixels());
    const ids = view.kind === "composite" ? view.counted_at_all : [view.id];
    for (const id of ids) {
      cells.fields.set(id, cells.field(id));
      cells.changed.delete(id);
      cells.supposed.delete(id);
    }
    cells.insides.clear();
    layers.surface.painted = null;
    page.show();
    const right = before === bits(pixels());
    for (const id of ids) cells.fields.delete(id);
    cells.insides.clear();
    return right;
  };
  // The cause of each zone, by who is near as the crow flies, and how many have another now.
  const causes = async (id) => {
    const supposed = await whatIf.open();
    const { cell_m: side, reach_m } = supposed.walks;
    const { gaps } = data.views.find((view) => view.id === id);
    const { gaps: before } = supposed.original.views.find((view) => view.id === id);
    const { sources } = supposed.now.get(id) || supposed.baseOf(id);
    const right = gaps.every((gap) => {
      const extent = [...page.gaps.extents.get(gap)];
      const near = extent.filter((cell) => {
        const x = ((cell % cells.width) + 0.5) * side;
        const y = (Math.floor(cell / cells.width) + 0.5) * side;
        return sources.some((one) => Math.hypot(x - one.x, y - one.y) <= reach_m);
      });
      return gap.cause === (near.length >= extent.length / 2 ? "barrier" : "too_far");
    });
    const same = (one, other) => one.cell === other.cell && one.area_ha === other.area_ha;
    const another = (gap) => before.some((one) => same(one, gap) && one.cause !== gap.cause);
    return [right, gaps.filter(another).length];
  };
  window.tools = { state, causes, wrong, scatter, paintedAsIfOpened };
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def town(toy_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A threshold so low that a walk may change, and stay beyond it."""
    coverage = analyse(toy_study.replace(threshold_min=6))
    return write_map(coverage, tmp_path_factory.mktemp("steps") / "town.html")


def opened(browser: Browser, path: Path) -> Opened:
    found = Opened(browser, path, WIDE, AT_SCALE if "town" in path.name else "")
    found.page.evaluate(_TOOLS)
    return found


def put(page: Page, changes: list[dict[str, Any]]) -> None:
    """Make changes in a page; those it knows already are the same to it."""
    page.evaluate(
        """async (changes) => {
          window.made = window.made || new Map();
          const known = (one) => {
            const key = JSON.stringify(one);
            const made = window.made.get(key) || (one.at ? { ...one, at: L.latLng(one.at) } : one);
            window.made.set(key, made);
            return made;
          };
          await window.quartHeure.map.whatIf.change(changes.map(known));
        }""",
        changes,
    )


def services_of(page: Page) -> list[dict[str, Any]]:
    """Return the services of a page that can be closed or moved, with their positions in it."""
    found: list[dict[str, Any]] = page.evaluate(
        """() => {
          const { whatIf, data } = window.quartHeure.map;
          return data.services.flatMap(({ category, left_out }, place) =>
            left_out || !whatIf.canChange(category) ? [] : [{ place, category }]);
        }"""
    )
    return found


class Reader:
    """Somebody who changes one thing after the other, and takes some back."""

    def __init__(self, page: Page, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.services = services_of(page)
        self.bounds = page.evaluate("window.quartHeure.map.data.ground.bounds")
        self.categories = page.evaluate("[...window.quartHeure.map.whatIf.searchable]")
        self.changes: list[dict[str, Any]] = []
        self.undone: list[dict[str, Any]] = []

    def place(self) -> list[float]:
        bounds = self.bounds
        lat = self.rng.uniform(bounds["south"], bounds["north"])
        lng = self.rng.uniform(bounds["west"], bounds["east"])
        return [round(lat, 5), round(lng, 5)]

    def step(self) -> list[dict[str, Any]]:
        """Return the changes after another step."""
        kinds = ["add", "add", "close", "move", "undo", "redo", "every", "back"]
        kind = str(self.rng.choice(kinds))
        made = list(self.changes)
        if kind == "undo" and made:
            self.undone.append(made.pop(int(self.rng.integers(len(made)))))
        elif kind == "redo" and self.undone:
            again = self.undone.pop()
            if again["kind"] == "add" or again["place"] not in [one.get("place") for one in made]:
                made.append(again)
        elif kind == "every":
            made += [
                {"kind": "add", "category": one, "at": self.place(), "name": "every"}
                for one in self.categories
            ]
        elif kind == "back":
            made = made[-3:]
        elif kind == "add":
            category = str(self.rng.choice(self.categories))
            made.append({"kind": "add", "category": category, "at": self.place(), "name": "one"})
        else:
            place = int(self.rng.choice([one["place"] for one in self.services]))
            made = [one for one in made if one.get("place") != place]
            made.append(
                {"kind": "close", "place": place}
                if kind == "close"
                else {"kind": "move", "place": place, "at": self.place()}
            )
        self.changes = made
        return made

    def look(self, page: Page) -> None:
        """Look at something else, as somebody does in between."""
        page.evaluate(
            """([n, minutes, mode, row, zoom]) => {
              const { data } = window.quartHeure.map;
              const view = data.views[n % data.views.length].id;
              const district = row % 3 ? null : row % data.ground.districts.length;
              const told = data.thresholds_min[minutes % data.thresholds_min.length];
              const shown = mode % 2 ? "covered" : "minutes";
              const { map } = window.quartHeure.map;
              map.setView(map.getCenter(), 12 + (zoom % 4), { animate: false });
              window.quartHeure.map.choose({ view, minutes: told, mode: shown, district });
            }""",
            self.rng.integers(1000, size=5).tolist(),
        )


@pytest.mark.parametrize("seed", fewer(range(4), 1))
def test_every_step_is_what_is_worked_out_from_the_beginning(
    browser: Browser, town: Path, seed: int
) -> None:
    found = opened(browser, town)
    found.page.evaluate("quartHeure.map.data.gap_ha = 0.01")  # one cell is a zone
    reader = Reader(found.page, seed)
    for n in range(STEPS):
        put(found.page, reader.step())
        if n % 3 == 0:
            reader.look(found.page)
        if n % 10 == 9:
            for after in (False, True):
                found.page.evaluate("(after) => quartHeure.map.whatIf.toggle(after)", after)
        assert found.page.evaluate("tools.wrong()") == [], (n, reader.changes)
    found.check_quiet(town)
    found.context.close()


@pytest.mark.parametrize("mode", ["minutes", "covered"])
def test_single_cells_that_change_are_painted_as_if_all_were(
    browser: Browser, town: Path, mode: str
) -> None:
    found = opened(browser, town)
    for view in (0, 1):
        for seed in (1, 2):
            right = found.page.evaluate(
                """([view, mode, seed]) => {
                  const page = window.quartHeure.map;
                  page.choose({ view: page.data.views[view].id, mode });
                  tools.scatter(page.view, 0.001, seed + 9);
                  tools.scatter(page.view, seed % 2 ? 0.02 : 0.002, seed);
                  return tools.paintedAsIfOpened(page.view);
                }""",
                [view, mode, seed],
            )
            assert right, (view, seed)
    found.context.close()


def compare_with_a_fresh_page(browser: Browser, path: Path, seed: int, steps: int) -> None:
    found = opened(browser, path)
    reader = Reader(found.page, seed)
    for n in range(steps):
        put(found.page, reader.step())
        if n % 4 == 0:
            reader.look(found.page)
    for view in (0, 1):
        fresh = opened(browser, path)
        for page in (found.page, fresh.page):
            page.evaluate(
                """(view) => {
                  const page = window.quartHeure.map;
                  // By way of another zoom: a map that is moved lies a part of a pixel elsewhere.
                  for (const zoom of [12, 13]) {
                    page.map.setView([48.84, 2.32], zoom, { animate: false });
                  }
                  page.choose({ ...page.atStart(), view: page.data.views[view].id });
                }""",
                view,
            )
            put(page, reader.changes)
        ours, theirs = (page.evaluate("tools.state()") for page in (found.page, fresh.page))
        for name, value in theirs.items():
            assert ours[name] == value, name
        fresh.check_quiet(path)
        fresh.context.close()
    found.check_quiet(path)
    found.context.close()


@pytest.mark.parametrize("seed", fewer(range(6), 1))
def test_a_long_way_ends_where_a_fresh_page_begins(browser: Browser, town: Path, seed: int) -> None:
    compare_with_a_fresh_page(browser, town, seed, STEPS)


@pytest.mark.skipif(not THOROUGH, reason="takes long: QUART_HEURE_THOROUGH=1 runs it")
def test_a_long_way_through_paris_ends_where_a_fresh_page_begins(
    browser: Browser, tmp_path: Path
) -> None:
    coverage = analyse(Study.paris())
    path = write_map(coverage, tmp_path / "paris.html", background=coverage.study.background())
    for seed in range(3):
        compare_with_a_fresh_page(browser, path, seed, STEPS)


def test_what_an_address_says_is_what_was_done(browser: Browser, town: Path) -> None:
    """Places in an address are rounded, as those are that are tried here."""
    found = opened(browser, town)
    reader = Reader(found.page, 11)
    for _ in range(6):
        put(found.page, reader.step())
    address = found.page.evaluate("quartHeure.map.whatIf.address")
    assert address.count(";") == len(reader.changes) - 1
    fresh = opened(browser, town)
    fresh.page.evaluate("(si) => quartHeure.map.whatIf.restore(si)", address)
    ours, theirs = (page.evaluate("tools.state()") for page in (found.page, fresh.page))
    assert ours["categories"] == theirs["categories"]
    for one in (found, fresh):
        one.context.close()


def test_a_zone_that_a_service_comes_near_across_the_river_is_cut_off_by_it(
    browser: Browser, tmp_path: Path
) -> None:
    study = toy_town.town_study(network=toy_town.town_network(bridge=False))
    found = opened(browser, write_map(analyse(study), tmp_path / "town.html"))
    moved = 0
    for x in range(300, 1700, 300):
        lng, lat = town_lon_lat(x, 800)  # the quay, whose streets lead nowhere north
        put(found.page, [{"kind": "add", "category": "esi", "at": [lat, lng], "name": "quay"}])
        right, others = found.page.evaluate("tools.causes('esi')")
        assert right, x
        moved += others
    assert moved > 0
    found.context.close()
