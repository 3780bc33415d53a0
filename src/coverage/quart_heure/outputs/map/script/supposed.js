/* What is supposed: services opened, closed and moved, and all figures of the page that follow. */

/** @import { CategoryView, CompositeView, Gap, PackedWalks, PageData, Service, View } from "./types.js" */
/** @import { Cells } from "./cells.js" */
/** @import { Minutes, Source } from "./walking.js" */
/** @import { Words } from "./words.js" */
/** @import { Zone } from "./zones.js" */

/**
 * A change; services of the page go by their position in it.
 * @typedef {{ kind: "add", category: string, at: L.LatLng, name: string }} Added
 * @typedef {{ kind: "close", place: number }} Closed
 * @typedef {{ kind: "move", place: number, at: L.LatLng }} Moved
 * @typedef {Added | Closed | Moved} Change
 */

/**
 * What changes do to a category at a threshold: residents, or hectares without them.
 * @typedef {{ gained: number, lost: number, before: number, after: number, gapsBefore: number, gapsAfter: number }} Outcome
 */

import { unpack, unpackNumbers } from "./cells.js";
import { degrees } from "./draw.js";
import { constants } from "./page.js";
import { Projection } from "./projection.js";
import { categoryViews, essentials } from "./scene.js";
import { Sums } from "./sums.js";
import { Walking } from "./walking.js";
import { depths, outline, zonesOf } from "./zones.js";

const CHANGED = 1e-6; // minutes: less is the same
const STREET_REACH = 350; // metres to the name of a street that a zone is called by

/**
 * The code of some minutes, as cells.py gives it.
 * @param {number} minutes
 * @param {Float64Array} upper
 * @param {number} far
 * @param {number} unreachable
 */
function codeOf(minutes, upper, far, unreachable) {
  if (minutes === Infinity) return unreachable;
  let [low, high] = [0, upper.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (upper[middle] * (1 + 1e-9) < minutes) low = middle + 1;
    else high = middle;
  }
  return low === upper.length ? far : low + 1;
}

export class Supposed {
  /**
   * @param {PageData} data
   * @param {Cells} cells
   * @param {Words} words
   * @param {PackedWalks} walks
   * @param {Walking} walking
   * @param {Sums} sums
   */
  constructor(data, cells, words, walks, walking, sums) {
    this.data = data;
    this.cells = cells;
    this.words = words;
    this.walks = walks;
    this.walking = walking;
    this.sums = sums;
    this.projection = new Projection(cells, walks.cell_m);
    this.upper = Float64Array.from(cells.packed.upper_min);
    /** What the page says when nothing is supposed. */
    this.original = {
      services: [...data.services],
      codes: { ...cells.minutes },
      nearest: { ...cells.nearest },
      places: Object.fromEntries(Object.entries(cells.packed.nearest).map(([id, { places }]) => [id, places])),
      views: data.views.map((view) => ({ ...view })),
      hours: data.hours,
    };
    /** @type {Map<string, Minutes>} */
    this.base = new Map();
    /** @type {Map<string, { minutes: Minutes, sources: Source[] }>} */
    this.now = new Map();
    /** @type {Map<string, { zones: (Zone & { label: number })[], label: Int32Array }>} */
    this.baseZones = new Map();
    /** @type {Change[]} */
    this.changes = [];
  }

  /**
   * @param {PageData} data
   * @param {Cells} cells
   * @param {Words} words
   * @param {PackedWalks} walks
   */
  static async open(data, cells, words, walks) {
    const { codes, width } = cells;
    const grid = { codes, width, off: cells.packed.off_network };
    const walking = await Walking.open(walks, grid);
    const [district, units] = await Promise.all([unpack(walks.district), unpackNumbers(walks.residents)]);
    const sums = new Sums(data, cells, walking.cells, district, units, walks.resident_unit);
    return new Supposed(data, cells, words, walks, walking, sums);
  }

  /**
   * Whether changes of a category can be worked out: not where a place of it is discreet.
   * @param {string} category
   */
  canChange(category) {
    const view = categoryViews(this.data).find((one) => one.id === category);
    return Boolean(view) && !view?.withheld && !view?.uncounted && !view?.ends;
  }

  /**
   * Show the page as it would be; as it is where there are no changes. Returns the categories whose
   * services changed now or before.
   * @param {Change[]} changes
   */
  apply(changes) {
    const touched = new Set([...this.changes, ...changes].map((change) => this.categoryOf(change)));
    this.changes = changes;
    const { data, original } = this;
    data.hours = changes.length ? null : original.hours;
    data.services.splice(0, data.services.length, ...this.servicesOf(changes));
    for (const category of touched) this.change(category, changes);
    const counted = essentials(data).map((view) => view.id);
    const composite = data.views.find((view) => view.kind === "composite");
    if (composite && composite.kind === "composite" && counted.some((id) => touched.has(id))) {
      this.changeComposite(composite, counted, changes);
    }
    return touched;
  }

  /** @param {Change} change */
  categoryOf(change) {
    return change.kind === "add" ? change.category : this.original.services[change.place].category;
  }

  /** @param {Change[]} changes */
  servicesOf(changes) {
    const services = [...this.original.services];
    const { words } = this;
    for (const change of changes) {
      if (change.kind === "add") {
        /** @type {Service} */
        const added = { at: change.at, category: change.category, name: change.name, status: words.say("what_if_status") };
        if (this.rowAt(change.at) < 0) added.outside = true;
        services.push(added);
      } else if (change.kind === "close") {
        services[change.place] = { ...services[change.place], left_out: words.say("what_if_closed") };
      } else {
        services[change.place] = { ...services[change.place], at: change.at };
      }
    }
    return services;
  }

  /**
   * The services of a category that count once changes are made.
   * @param {string} category
   * @param {Change[]} changes
   * @returns {Source[]}
   */
  sourcesOf(category, changes) {
    const { walks, walking, original } = this;
    /** @type {Map<number, Source>} */
    const found = new Map();
    original.services.forEach((service, place) => {
      if (service.category === category && walks.counted[place]) found.set(place, walking.service(place));
    });
    let added = original.services.length;
    for (const change of changes) {
      const place = change.kind === "add" ? added++ : change.place;
      if (this.categoryOf(change) !== category) continue;
      if (change.kind === "close") found.delete(place);
      else if (change.kind === "add" || walks.counted[place]) {
        const [x, y] = this.projection.metres(change.at);
        found.set(place, walking.another(x, y, place));
      }
    }
    return [...found.values()].filter((one) => one.entries.edge.length);
  }

  /**
   * Minutes of a category as it is.
   * @param {string} category
   */
  baseOf(category) {
    const before = this.base.get(category);
    if (before) return before;
    const found = this.walking.minutes(this.sourcesOf(category, []));
    this.base.set(category, found);
    return found;
  }

  /**
   * @param {string} category
   * @param {Change[]} changes
   */
  change(category, changes) {
    const { cells, original } = this;
    const mine = changes.filter((change) => this.categoryOf(change) === category);
    const view = /** @type {CategoryView} */ (this.data.views.find((one) => one.id === category));
    const was = /** @type {CategoryView} */ (original.views.find((one) => one.id === category));
    this.forget(category);
    if (!mine.length) {
      cells.minutes[category] = original.codes[category];
      cells.nearest[category] = original.nearest[category];
      cells.packed.nearest[category].places = original.places[category];
      this.now.delete(category);
      Object.assign(view, was);
      return;
    }
    const base = this.baseOf(category);
    const sources = this.sourcesOf(category, changes);
    const minutes = this.walking.minutes(sources);
    this.now.set(category, { minutes, sources });
    this.writeCells(category, base, minutes, sources);
    const codes = cells.minutes[category];
    Object.assign(view, this.sums.figures(was, original.codes[category], codes, minutes.minutes));
    view.gaps = this.gapsOf(category, [category], was, changes);
    view.figures = { ...view.figures, ...this.counts(was, mine, view.gaps) };
    view.counted = sources.length;
  }

  /**
   * What is drawn of a category is drawn anew.
   * @param {string} category
   */
  forget(category) {
    this.cells.fields.delete(category);
  }

  /**
   * @param {string} category
   * @param {Minutes} base
   * @param {Minutes} found
   * @param {Source[]} sources
   */
  writeCells(category, base, found, sources) {
    const { cells, original, upper } = this;
    const { far, unreachable } = cells.packed;
    const codes = original.codes[category].slice();
    const numbers = original.nearest[category].slice();
    const places = original.places[category];
    for (let i = 0; i < numbers.length; i++) if (numbers[i]) numbers[i] = places[numbers[i] - 1] + 1;
    this.walking.cells.forEach((cell, n) => {
      const minutes = found.minutes[n];
      if (minutes === base.minutes[n] || Math.abs(minutes - base.minutes[n]) < CHANGED) return;
      codes[cell] = codeOf(minutes, upper, far, unreachable);
      numbers[cell] = found.source[n] < 0 ? 0 : sources[found.source[n]].place + 1;
    });
    cells.minutes[category] = codes;
    cells.nearest[category] = numbers;
    cells.packed.nearest[category].places = this.data.services.map((_, place) => place);
  }

  /**
   * How many services and zones each row has.
   * @param {CategoryView} was
   * @param {Change[]} changes of the category
   * @param {Gap[]} gaps
   */
  counts(was, changes, gaps) {
    const services = [...was.figures.services_inside];
    const last = services.length - 1;
    /** @type {(at: { lat: number, lng: number }, by: number) => void} */
    const count = (at, by) => {
      const row = this.rowAt(at);
      if (row < 0) return;
      services[row] = (services[row] || 0) + by;
      services[last] = (services[last] || 0) + by;
    };
    for (const change of changes) {
      if (change.kind !== "add" && !this.walks.counted[change.place]) continue;
      if (change.kind !== "add") count(this.original.services[change.place].at, -1);
      if (change.kind !== "close") count(change.at, 1);
    }
    const touching = this.data.rows.map((label) => gaps.filter((gap) => gap.districts.includes(label)).length);
    touching[last] = gaps.length;
    return { services_inside: services, gaps_touching: touching };
  }

  /**
   * The row of the district that holds a place, -1 outside the area.
   * @param {{ lat: number, lng: number }} at
   */
  rowAt(at) {
    const [x, y] = this.projection.metres(L.latLng(at.lat, at.lng)).map((m) => Math.floor(m / this.walks.cell_m));
    if (x < 0 || y < 0 || x >= this.cells.width || y >= this.cells.height) return -1;
    return this.sums.rowOf(y * this.cells.width + x);
  }

  /**
   * @param {CompositeView} view
   * @param {string[]} counted
   * @param {Change[]} changes
   */
  changeComposite(view, counted, changes) {
    const was = /** @type {CompositeView} */ (this.original.views.find((one) => one.id === view.id));
    if (!changes.some((change) => counted.includes(this.categoryOf(change)))) {
      Object.assign(view, was);
      return;
    }
    Object.assign(view, this.sums.shares(was, counted, this.original.codes));
    view.gaps = this.gapsOf(view.id, counted, was, changes);
  }

  /* ---- zones ---- */

  /**
   * Which cells are beyond reach of all of some categories, by more than walking a little faster mends.
   * @param {string[]} categories
   * @param {Record<string, Uint8Array>} codes
   */
  uncovered(categories, codes) {
    const { off_network: off } = this.cells.packed;
    const limit = this.data.threshold_min * (1 + constants.borderline) + 1e-6;
    const near = Uint8Array.from({ length: 256 }, (_, code) => (code > 0 && code <= this.upper.length && this.upper[code - 1] <= limit ? 1 : 0));
    const [first, ...others] = categories.map((id) => codes[id]);
    const mask = new Uint8Array(first.length);
    for (let i = 0; i < mask.length; i++) {
      const code = first[i];
      if (code === 0 || code === off || near[code]) continue;
      mask[i] = 1;
      for (const other of others) if (near[other[i]]) mask[i] = 0;
    }
    return mask;
  }

  /**
   * The zones of a view, the most populated first; one that is as it was keeps what was said of it.
   * @param {string} id
   * @param {string[]} categories
   * @param {View} was
   * @param {Change[]} changes
   */
  gapsOf(id, categories, was, changes) {
    const { width } = this.cells;
    const hectares = this.walks.cell_m ** 2 / 10000;
    const least = Math.ceil(this.data.gap_ha / hectares - 1e-9);
    const before = this.baseZones.get(id) || zonesOf(this.uncovered(categories, this.original.codes), width, least);
    this.baseZones.set(id, before);
    /** @type {Map<number, Gap>} */
    const gapOf = new Map();
    for (const gap of was.gaps) {
      const cell = this.cells.holding(L.latLng(gap.at.lat, gap.at.lng));
      if (cell >= 0) gapOf.set(before.label[cell], gap);
    }
    const known = new Map(before.zones.map((zone) => [zone.first, zone]));
    const mask = this.uncovered(categories, this.cells.minutes);
    const { label, zones } = zonesOf(mask, width, least);
    const depth = depths(mask, width);
    const told = zones.map((zone) => {
      const same = known.get(zone.first);
      const gap = same && same.cells.length === zone.cells.length && same.sum === zone.sum && gapOf.get(same.label);
      return gap ? { ...gap } : this.gap(zone, label, depth, categories, changes);
    });
    told.sort((a, b) => (b.residents || 0) - (a.residents || 0) || (b.area_ha || 0) - (a.area_ha || 0));
    told.forEach((gap, n) => (gap.rank = n + 1));
    return told;
  }

  /**
   * @param {Zone} zone
   * @param {Int32Array} label
   * @param {Int32Array} depth
   * @param {string[]} categories
   * @param {Change[]} changes
   * @returns {Gap}
   */
  gap(zone, label, depth, categories, changes) {
    const { sums, projection, data } = this;
    const { width } = this.cells;
    const found = categories.map((id) => this.now.get(id) || { minutes: this.baseOf(id), sources: this.sourcesOf(id, changes) });
    let [nearest, name] = [Infinity, ""];
    const times = zone.cells.map((cell) => {
      const n = sums.position[cell];
      let least = Infinity;
      for (const { minutes, sources } of found) {
        if (minutes.minutes[n] >= least) continue;
        least = minutes.minutes[n];
        if (least >= nearest) continue;
        nearest = least;
        const source = sources[minutes.source[n]];
        name = (source && data.services[source.place]?.name) || "";
      }
      return least;
    });
    times.sort((a, b) => a - b);
    const inReach = zone.cells.filter((cell) => this.nearAsTheCrowFlies(sums.position[cell], found)).length;
    const inner = zone.cells.reduce((best, cell) => (depth[cell] > depth[best] ? cell : best), zone.cells[0]);
    const at = projection.place((inner % width) + 0.5, Math.floor(inner / width) + 0.5);
    const middle = (times[(times.length - 1) >> 1] + times[times.length >> 1]) / 2;
    /** @param {number} value */
    const finite = (value) => (Number.isFinite(value) ? value : null);
    return {
      rank: 0,
      at: { lat: at.lat, lng: at.lng },
      districts: sums.districtsOf(zone.cells).map((row) => data.rows[row]),
      area_ha: (zone.cells.length * this.walks.cell_m ** 2) / 10000,
      residents: Math.round(zone.cells.reduce((sum, cell) => sum + sums.people[cell], 0)),
      minutes: { min: finite(times[0]), median: finite(middle), max: finite(times[times.length - 1]) },
      shape: [outline(zone.cells, label, width).map((ring) => this.steps(ring))],
      nearest: name,
      street: this.streetAt(at),
      cause: inReach >= zone.cells.length / 2 ? "barrier" : "too_far",
    };
  }

  /**
   * @param {number} n position of the cell among those on the network
   * @param {{ sources: Source[] }[]} found
   */
  nearAsTheCrowFlies(n, found) {
    const { x, y } = this.walking;
    const square = this.walks.reach_m ** 2;
    for (const { sources } of found) {
      for (const one of sources) if ((one.x - x[n]) ** 2 + (one.y - y[n]) ** 2 <= square) return true;
    }
    return false;
  }

  /**
   * A ring in cells -> [x, y, dx, dy, …] in units of degrees.
   * @param {number[][]} ring
   */
  steps(ring) {
    const units = constants.units_per_degree;
    const steps = [];
    let [atX, atY] = [0, 0];
    for (const [col, row] of ring) {
      const { lat, lng } = this.projection.place(col, row);
      const [x, y] = [Math.round(lng * units), Math.round(lat * units)];
      if (steps.length && x === atX && y === atY) continue;
      steps.push(x - atX, y - atY);
      [atX, atY] = [x, y];
    }
    return steps;
  }

  /**
   * The name of the street written nearest to a place.
   * @param {L.LatLng} at
   */
  streetAt(at) {
    const { street_labels: labels, street_names: names } = this.data.ground;
    let [best, least] = ["", STREET_REACH];
    const across = Math.cos((at.lat * Math.PI) / 180);
    labels.name.forEach((name, i) => {
      const metres = 111195 * Math.hypot((degrees(labels.x[i]) - at.lng) * across, degrees(labels.y[i]) - at.lat);
      if (metres < least) [best, least] = [names[name], metres];
    });
    return best;
  }

  /* ---- what came of it ---- */

  /**
   * @param {string} category
   * @param {number} minutes
   * @returns {Outcome}
   */
  outcome(category, minutes) {
    const was = this.original.views.find((one) => one.id === category);
    const now = this.data.views.find((one) => one.id === category);
    return {
      ...this.sums.changed(this.original.codes[category], this.cells.minutes[category], minutes),
      gapsBefore: was ? was.gaps.length : 0,
      gapsAfter: now ? now.gaps.length : 0,
    };
  }

  /**
   * 1 where a cell gains a category of some within a threshold, 2 where it loses one, else 0.
   * @param {string[]} categories
   * @param {number} minutes
   */
  differences(categories, minutes) {
    return this.sums.differences(
      categories.map((id) => [this.original.codes[id], this.cells.minutes[id]]),
      minutes
    );
  }

  /**
   * The way from a place to the nearest service of a category, in places; and how far that service is
   * in a straight line. Null where there is none.
   * @param {L.LatLng} at
   * @param {string} category
   */
  way(at, category) {
    const cell = this.cells.holding(at);
    const sources = this.sourcesOf(category, this.changes);
    const way = cell < 0 ? null : this.walking.way(cell, sources);
    if (!way) return null;
    const [x, y] = this.projection.metres(at);
    const crow = sources.reduce((a, b) => (Math.hypot(b.x - x, b.y - y) < Math.hypot(a.x - x, a.y - y) ? b : a));
    return {
      line: way.points.map((point) => this.projection.placeOf(point)),
      minutes: way.metres / this.walks.metres_per_min,
      metres: way.metres,
      service: this.data.services[sources[way.source].place],
      crow: { at: this.projection.placeOf([crow.x, crow.y]), metres: Math.hypot(crow.x - x, crow.y - y) },
    };
  }
}

