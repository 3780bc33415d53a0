/* What is supposed: services opened, closed and moved, and all figures of the page that follow. */

/** @import { CategoryView, CompositeView, Gap, PackedCells, PackedWalks, PageData, Service, View } from "./types.js" */
/** @import { Cells } from "./cells.js" */
/** @import { Gaps } from "./gaps.js" */
/** @import { Changes } from "./sums.js" */
/** @import { Minutes, Otherwise, Source } from "./walking.js" */
/** @import { Words } from "./words.js" */
/** @import { Labelled, Zone } from "./zones.js" */

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

/**
 * Which cells are beyond reach of a view now, those for which that is not as it is, and the zones as
 * they are.
 * @typedef {{ mask: Uint8Array, flipped: Int32Array, before: Labelled }} Beyond
 */

/** @typedef {{ change: Change, place: number }} Placed a change, and the position of its service */

import { constants } from "./page.js";
import { categoryViews, essentials } from "./scene.js";
import { FINE, LONGEST, Sums } from "./sums.js";
import { asBefore, Walking } from "./walking.js";
import { countZones, depths, zonesAgain, zonesOf } from "./zones.js";

const CHANGED = 1e-6; // minutes: less is the same
const HECTARE = 10000; // square metres

/** Codes of minutes, as cells.py gives them. */
class Codes {
  /** @param {PackedCells} packed */
  constructor({ upper_min, far, unreachable }) {
    this.upper = Float64Array.from(upper_min, (minutes) => minutes * (1 + 1e-9));
    this.far = far;
    this.unreachable = unreachable;
    /** The first step that may be that of minutes from one twentieth to the next. */
    this.first = new Uint8Array(Math.ceil(upper_min[upper_min.length - 1] * FINE) + 2);
    for (let bin = 0, step = 0; bin < this.first.length; bin++) {
      // One twentieth back, against rounding.
      while (step < this.upper.length && this.upper[step] < (bin - 1) / FINE) step++;
      this.first[bin] = step;
    }
  }

  /** @param {number} minutes */
  of(minutes) {
    if (minutes === Infinity) return this.unreachable;
    const { upper } = this;
    let step = this.first[Math.min(Math.floor(minutes * FINE), this.first.length - 1)];
    while (step < upper.length && upper[step] < minutes) step++;
    return step === upper.length ? this.far : step + 1;
  }
}

/**
 * The median of some minutes, to a twentieth of one.
 * @param {Float64Array} times
 */
function medianOf(times) {
  const counts = new Int32Array(FINE * LONGEST + 1);
  for (const minutes of times) counts[Math.min(Math.floor(minutes * FINE), counts.length - 1)]++;
  let [sum, bin] = [0, 0];
  while (sum < times.length / 2) sum += counts[bin++];
  return bin === counts.length ? Infinity : (bin - 0.5) / FINE;
}

/**
 * Let values of a thing be worked out when they are first asked for.
 * @template {object} T
 * @param {T} thing
 * @param {{ [K in keyof T]?: () => T[K] }} work
 */
function lazily(thing, work) {
  for (const [name, value] of Object.entries(work)) {
    /** @type {{ value: unknown } | null} */
    let known = null;
    const get = () => (known = known || { value: value() }).value;
    Object.defineProperty(thing, name, { get, configurable: true, enumerable: true });
  }
  return thing;
}

/**
 * Put a view back as it was.
 * @param {View} view
 * @param {View} was
 */
function settle(view, was) {
  for (const [name, value] of Object.entries(was)) {
    Object.defineProperty(view, name, { value, writable: true, configurable: true, enumerable: true });
  }
}

/**
 * The categories whose services the page knows all of: from the others nothing can be searched.
 * @param {PageData} data
 * @param {Cells} cells
 */
export function searchable(data, cells) {
  const open = categoryViews(data).filter(({ id, counted }) => {
    const shown = data.services.filter((service) => service.category === id && !service.left_out).length;
    return counted === shown && !cells.packed.nearest[id].places.includes(-1);
  });
  return new Set(open.map((view) => view.id));
}

export class Supposed {
  /**
   * @param {PageData} data
   * @param {Cells} cells
   * @param {Words} words
   * @param {PackedWalks} walks
   * @param {Walking} walking
   * @param {Sums} sums
   * @param {Gaps} gaps
   * @param {Set<string>} open the categories that can be searched
   */
  constructor(data, cells, words, walks, walking, sums, gaps, open) {
    this.data = data;
    this.cells = cells;
    this.words = words;
    this.walks = walks;
    this.walking = walking;
    this.sums = sums;
    this.searchable = open;
    this.gaps = gaps;
    this.projection = gaps.projection;
    this.codes = new Codes(cells.packed);
    /** What the page says when nothing is supposed. */
    this.original = {
      services: [...data.services],
      codes: { ...cells.minutes },
      places: Object.fromEntries(Object.entries(cells.packed.nearest).map(([id, { places }]) => [id, places])),
      views: data.views.map((view) => ({ ...view })),
      hours: data.hours,
    };
    this.known = data.services.map((_, place) => walking.service(place));
    /** @type {Map<string, Source>} */
    this.elsewhere = new Map();
    /** @type {Map<string, Minutes>} */
    this.base = new Map();
    /** Minutes of the categories that changed. @type {Map<string, Otherwise>} */
    this.now = new Map();
    /** What was found last of each category, to be written over. @type {Map<string, Otherwise>} */
    this.last = new Map();
    /** The changes that each category has been put to. @type {Map<string, Placed[]>} */
    this.put = new Map();
    /** What became of a service by a change. @type {WeakMap<Change, Service>} */
    this.became = new WeakMap();
    /** Cells of each category whose codes are not those of the page. @type {Map<string, Changes>} */
    this.changed = new Map();
    /** Cells from which the walk is not that of the page. @type {Map<string, Int32Array>} */
    this.moved = new Map();
    /** Services within reach as the crow flies, and which ones are counted. @type {Map<string, { counts: Uint16Array, sources: Source[] }>} */
    this.discs = new Map();
    /** @type {Map<string, Uint8Array>} */
    this.baseMasks = new Map();
    /** @type {Map<string, Uint32Array>} */
    this.baseNearest = new Map();
    /** The nearest services of each category that changed, and the cells where they are others. @type {Map<string, { numbers: Uint32Array, cells: Int32Array }>} */
    this.nearest = new Map();
    /** @type {Map<string, Labelled>} */
    this.baseZones = new Map();
    /** How many zones each category that changed has. @type {Map<string, number>} */
    this.zones = new Map();
    /** @type {Change[]} */
    this.changes = [];
  }

  /**
   * @param {PageData} data
   * @param {Cells} cells
   * @param {Words} words
   * @param {PackedWalks} walks
   * @param {Gaps} gaps
   * @param {Set<string>} categories that can be searched
   */
  static async open(data, cells, words, walks, gaps, categories) {
    const { codes, width } = cells;
    const grid = { codes, width, off: cells.packed.off_network };
    const walking = await Walking.open(walks, grid);
    const sums = new Sums(data, cells, walking.cells, gaps.tally);
    return new Supposed(data, cells, words, walks, walking, sums, gaps, categories);
  }

  /**
   * Show the page as it would be; as it is where there are no changes. Returns the categories whose
   * services are not as they were when this was called last.
   * @param {Change[]} changes
   */
  apply(changes) {
    const involved = new Set([...this.changes, ...changes].map((change) => this.categoryOf(change)));
    this.changes = changes;
    const { data, original } = this;
    data.hours = changes.length ? null : original.hours;
    data.services.splice(0, data.services.length, ...this.servicesOf(changes));
    const placed = this.placed(changes);
    const touched = new Set([...involved].filter((category) => this.change(category, placed)));
    const counted = essentials(data).map((view) => view.id);
    const composite = data.views.find((view) => view.kind === "composite");
    if (composite && composite.kind === "composite" && counted.some((id) => touched.has(id))) {
      this.changeComposite(composite, counted);
    }
    return touched;
  }

  /**
   * Changes with the position that the service of each has in the page: opened ones come last.
   * @param {Change[]} changes
   */
  placed(changes) {
    let added = this.original.services.length;
    return changes.map((change) => ({ change, place: change.kind === "add" ? added++ : change.place }));
  }

  /**
   * What a category needs once is worked out, before somebody waits for it.
   * @param {string} category
   * @param {L.LatLng} at
   */
  rehearse(category, at) {
    if (!this.searchable.has(category)) return;
    this.apply([{ kind: "add", category, at, name: "" }]);
    this.apply([]);
  }

  /**
   * The same of what no change is needed for.
   * @param {string} category
   */
  prepare(category) {
    const base = this.baseOf(category);
    this.numbersOf(category);
    this.zonesOf(category, [category]);
    this.sums.prepare(category, this.original.codes[category], base.minutes);
    if (!this.last.has(category)) this.last.set(category, asBefore(base));
  }

  /** @param {Change} change */
  categoryOf(change) {
    return change.kind === "add" ? change.category : this.original.services[change.place].category;
  }

  /** @param {Change[]} changes */
  servicesOf(changes) {
    const services = [...this.original.services];
    for (const { change, place } of this.placed(changes)) {
      const service = this.became.get(change) || this.serviceOf(change, services[place]);
      this.became.set(change, service);
      services[place] = service;
    }
    return services;
  }

  /**
   * What a service is once it is opened, closed or moved.
   * @param {Change} change
   * @param {Service} before
   * @returns {Service}
   */
  serviceOf(change, before) {
    const { words } = this;
    if (change.kind === "close") return { ...before, left_out: words.say("what_if_closed") };
    if (change.kind === "move") return { ...before, at: change.at };
    /** @type {Service} */
    const added = { at: change.at, category: change.category, name: change.name, status: words.say("what_if_status") };
    if (this.rowAt(this.projection.metres(change.at)) < 0) added.outside = true;
    return added;
  }

  /**
   * The services of a category that count once changes are made.
   * @param {string} category
   * @param {Placed[]} placed
   * @returns {Source[]}
   */
  sourcesOf(category, placed) {
    const { walks, original } = this;
    /** @type {Map<number, Source>} */
    const found = new Map();
    original.services.forEach((service, place) => {
      if (service.category === category && walks.counted[place]) found.set(place, this.known[place]);
    });
    for (const { change, place } of placed) {
      if (this.categoryOf(change) !== category) continue;
      if (change.kind === "close") found.delete(place);
      else if (change.kind === "add" || walks.counted[place]) {
        const [x, y] = this.projection.metres(change.at);
        found.set(place, this.sourceAt(x, y, place));
      }
    }
    return [...found.values()].filter((one) => one.entries.edge.length);
  }

  /**
   * A service that stands elsewhere; asked for again, the same one.
   * @param {number} x
   * @param {number} y
   * @param {number} place
   */
  sourceAt(x, y, place) {
    const key = place + " " + x + " " + y;
    const source = this.elsewhere.get(key) || this.walking.another(x, y, place);
    this.elsewhere.set(key, source);
    return source;
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
   * Put a category to its changes. Returns whether these are others than before.
   * @param {string} category
   * @param {Placed[]} placed
   */
  change(category, placed) {
    const { cells, original } = this;
    const mine = placed.filter(({ change }) => this.categoryOf(change) === category);
    const before = this.put.get(category) || [];
    if (mine.length === before.length && mine.every(({ change, place }, n) => change === before[n].change && place === before[n].place)) {
      return false;
    }
    this.put.set(category, mine);
    const view = /** @type {CategoryView} */ (this.data.views.find((one) => one.id === category));
    const was = /** @type {CategoryView} */ (original.views.find((one) => one.id === category));
    if (!mine.length) {
      cells.suppose(category, null);
      cells.packed.nearest[category].places = original.places[category];
      for (const known of [this.now, this.changed, this.moved, this.zones]) known.delete(category);
      settle(view, was);
      return true;
    }
    const base = this.baseOf(category);
    const sources = this.sourcesOf(category, mine);
    const minutes = this.walking.minutesFrom(base, sources, this.last.get(category) || asBefore(base));
    this.last.set(category, minutes);
    this.now.set(category, minutes);
    const { changes, moved } = this.writeCells(category, base, minutes);
    Object.assign(view, this.sums.figures(was, changes));
    const beyond = this.beyondNow(category, [category], changes.cells);
    this.zones.set(category, countZones(beyond.mask, cells.width, this.leastCells));
    lazily(view, { gaps: () => this.gapsOf([category], was, beyond) });
    view.figures = this.withCounts(view, was, sources);
    const walks = { positions: moved, before: base.minutes, after: minutes.minutes };
    lazily(view.figures, { minutes_median: () => this.sums.medians(was, walks) });
    view.counted = sources.length;
    return true;
  }

  /**
   * @param {string} category
   * @param {Minutes} base
   * @param {Otherwise} found
   */
  writeCells(category, base, found) {
    const { cells, original } = this;
    const codes = original.codes[category].slice();
    const size = found.positions.length;
    const [moved, there, changed] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
    let [nMoved, nChanged] = [0, 0];
    const on = this.walking.cells;
    for (const n of found.positions) {
      const minutes = found.minutes[n];
      if (minutes === base.minutes[n] || Math.abs(minutes - base.minutes[n]) < CHANGED) continue;
      const cell = on[n];
      moved[nMoved] = n;
      there[nMoved++] = cell;
      const code = this.codes.of(minutes);
      if (code === codes[cell]) continue;
      codes[cell] = code;
      changed[nChanged++] = cell;
    }
    /** @type {Changes} */
    const changes = { cells: changed.slice(0, nChanged), before: original.codes[category], after: codes };
    this.changed.set(category, changes);
    this.moved.set(category, there.slice(0, nMoved));
    cells.suppose(category, changes, () => this.nearestNow(category));
    cells.packed.nearest[category].places = this.data.services.map((_, place) => place);
    return { changes, moved: moved.slice(0, nMoved) };
  }

  /**
   * The nearest service of each cell of a category that changed.
   * @param {string} category
   */
  nearestNow(category) {
    const base = this.numbersOf(category);
    const moved = this.moved.get(category) || new Int32Array();
    const nearest = this.nearest.get(category) || { numbers: base.slice(), cells: new Int32Array() };
    const { numbers } = nearest;
    if (nearest.cells === moved) return numbers;
    for (const cell of nearest.cells) numbers[cell] = base[cell];
    const { source } = this.now.get(category) || this.baseOf(category);
    for (const cell of moved) numbers[cell] = source[this.sums.position[cell]] + 1;
    this.nearest.set(category, { numbers, cells: moved });
    return numbers;
  }

  /**
   * The nearest service of each cell as it is: its position in the page and 1, 0 for none.
   * @param {string} category
   */
  numbersOf(category) {
    const before = this.baseNearest.get(category);
    if (before) return before;
    const places = this.original.places[category];
    const numbers = this.cells.nearest[category].map((number) => (number ? places[number - 1] + 1 : 0));
    this.baseNearest.set(category, numbers);
    return numbers;
  }

  /**
   * The figures of a view, with how many services and zones each row has.
   * @param {CategoryView} view
   * @param {CategoryView} was
   * @param {Source[]} sources that count now
   * @returns {CategoryView["figures"]}
   */
  withCounts(view, was, sources) {
    const services = [...was.figures.services_inside];
    const last = services.length - 1;
    /** @type {(one: Source, by: number) => void} */
    const count = (one, by) => {
      const row = this.rowAt([one.x, one.y]);
      if (row < 0) return;
      services[row] = (services[row] || 0) + by;
      services[last] = (services[last] || 0) + by;
    };
    for (const one of sources) count(one, 1);
    for (const one of this.baseOf(was.id).sources) count(one, -1);
    const { rows } = this.data;
    // As the zones are: when they are looked at.
    return lazily({ ...view.figures, services_inside: services }, {
      gaps_touching: () => {
        const { gaps } = view;
        const touching = rows.map((label) => gaps.filter((gap) => gap.districts.includes(label)).length);
        touching[last] = gaps.length;
        return touching;
      },
    });
  }

  /**
   * The row of the district that holds a place, -1 outside the area.
   * @param {number[]} at metres from the corner of the grid
   */
  rowAt(at) {
    const [x, y] = at.map((metres) => Math.floor(metres / this.walks.cell_m));
    if (x < 0 || y < 0 || x >= this.cells.width || y >= this.cells.height) return -1;
    return this.sums.rowOf(y * this.cells.width + x);
  }

  /**
   * All of it is worked out when it is looked at.
   * @param {CompositeView} view
   * @param {string[]} counted
   */
  changeComposite(view, counted) {
    const was = /** @type {CompositeView} */ (this.original.views.find((one) => one.id === view.id));
    settle(view, was);
    if (!counted.some((id) => this.moved.get(id)?.length)) return;
    lazily(view, {
      gaps: () => {
        const beyond = this.beyondNow(view.id, counted, this.gaps.tally.changedIn(counted));
        return this.gapsOf(counted, was, beyond);
      },
      shares_pct: () => this.sums.sharesAt(was.shares_pct, counted, this.data.threshold_min),
    });
    view.shares_at = was.shares_at.map((one) => {
      const shares = () => this.sums.sharesAt(one.shares_pct, was.counted_at_all, one.minutes);
      return lazily({ ...one }, { shares_pct: shares });
    });
  }

  /* ---- zones ---- */

  /* The codes that are within the threshold, or just beyond it. */
  notUncovered() {
    return this.sums.near(this.data.threshold_min * (1 + constants.borderline) + 1e-6);
  }

  /**
   * Which cells are beyond reach of all of some categories, by more than walking a little faster mends.
   * @param {string[]} categories
   * @param {Record<string, Uint8Array>} codes
   */
  uncovered(categories, codes) {
    const { off_network: off } = this.cells.packed;
    const near = this.notUncovered();
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
   * The zones of a view as it is; worked out once.
   * @param {string} id
   * @param {string[]} categories
   */
  zonesOf(id, categories) {
    const mask = this.baseMasks.get(id) || this.uncovered(categories, this.original.codes);
    this.baseMasks.set(id, mask);
    const before = this.baseZones.get(id) || zonesOf(mask, this.cells.width, this.leastCells);
    this.baseZones.set(id, before);
    return { mask, before };
  }

  /* A zone has at least so many cells. */
  get leastCells() {
    return Math.ceil(this.data.gap_ha / (this.walks.cell_m ** 2 / HECTARE) - 1e-9);
  }

  /**
   * Which cells are beyond reach of a view now.
   * @param {string} id
   * @param {string[]} categories
   * @param {Int32Array} changed cells whose codes are not those of the page
   * @returns {Beyond}
   */
  beyondNow(id, categories, changed) {
    const base = this.zonesOf(id, categories);
    const near = this.notUncovered();
    const lists = categories.map((one) => this.cells.minutes[one]);
    const mask = base.mask.slice();
    const flipped = new Int32Array(changed.length);
    let n = 0;
    for (const cell of changed) {
      let beyond = 1;
      for (let i = 0; i < lists.length && beyond; i++) if (near[lists[i][cell]]) beyond = 0;
      if (beyond === mask[cell]) continue;
      mask[cell] = beyond;
      flipped[n++] = cell;
    }
    return { before: base.before, mask, flipped: flipped.subarray(0, n) };
  }

  /**
   * What is told of the zones of a view, the most populated first; one that is as it was, with all
   * walks from it, is the same.
   * @param {string[]} categories
   * @param {View} was
   * @param {Beyond} found
   */
  gapsOf(categories, was, { before, mask, flipped }) {
    const { zones, label } = flipped.length ? zonesAgain(before, mask, flipped, this.cells.width, this.leastCells) : before;
    /** @type {Map<number, Gap>} */
    const gapOf = new Map();
    for (const gap of was.gaps) gapOf.set(before.label[gap.cell], gap);
    const known = new Map(before.zones.map((zone) => [zone.first, zone]));
    /** By label: 1 where a walk from the zone is another. */
    const walked = new Uint8Array(label.length + 1);
    for (const id of categories) for (const cell of this.moved.get(id) || []) walked[label[cell]] = 1;
    /** @type {Int32Array | null} */
    let depth = null;
    const others = categories.some((id) => this.now.has(id));
    const told = zones.map((zone) => {
      const same = known.get(zone.first);
      const earlier = same && same.cells.length === zone.cells.length && same.sum === zone.sum && gapOf.get(same.label);
      const gap = earlier && others ? this.causedBy(earlier, zone, categories) : earlier;
      if (gap && same) this.gaps.hold(gap, same.cells, before.label);
      if (gap && !walked[zone.label]) return gap;
      const walks = this.walksFrom(zone, categories);
      if (gap && same) return this.gaps.hold({ ...gap, ...walks }, same.cells, label);
      depth = depth || depths(mask, this.cells.width);
      return this.gaps.hold({ ...this.gap(zone, depth, categories), ...walks }, zone.cells, label);
    });
    told.sort((a, b) => (b.residents || 0) - (a.residents || 0) || (b.area_ha || 0) - (a.area_ha || 0));
    return told.map((gap, n) => {
      if (gap.rank === n + 1) return gap;
      const ranked = { ...gap, rank: n + 1 };
      return this.gaps.hold(ranked, this.gaps.extents.get(gap) || new Int32Array(), label);
    });
  }

  /**
   * How far one walks from a zone, and where to.
   * @param {Zone} zone
   * @param {string[]} categories
   */
  walksFrom({ cells }, categories) {
    const { position } = this.sums;
    const found = categories.map((id) => this.now.get(id) || this.baseOf(id));
    const times = new Float64Array(cells.length);
    let [nearest, place, furthest] = [Infinity, -1, 0];
    for (let i = 0; i < times.length; i++) {
      const n = position[cells[i]];
      let least = Infinity;
      for (const { minutes } of found) if (minutes[n] < least) least = minutes[n];
      times[i] = least;
      if (least > furthest) furthest = least;
      if (least >= nearest) continue;
      nearest = least;
      place = found.find(({ minutes }) => minutes[n] === least)?.source[n] ?? -1;
    }
    /** @param {number} value */
    const finite = (value) => (Number.isFinite(value) ? value : null);
    return {
      minutes: { min: finite(nearest), median: finite(medianOf(times)), max: finite(furthest) },
      nearest: this.data.services[place]?.name || "",
    };
  }

  /**
   * A zone that is as it was, with the cause that it has now: a service may open across the river, near and no nearer.
   * @param {Gap} gap
   * @param {Zone} zone
   * @param {string[]} categories
   * @returns {Gap}
   */
  causedBy(gap, { cells }, categories) {
    // Hours and admission are no matter of distance.
    if (gap.cause !== "barrier" && gap.cause !== "too_far") return gap;
    const cause = this.causeOf(cells, categories);
    return cause === gap.cause ? gap : { ...gap, cause, barrier: undefined };
  }

  /**
   * @param {Int32Array} cells
   * @param {string[]} categories
   */
  causeOf(cells, categories) {
    const discs = categories.map((id) => this.inReach(id));
    let inReach = 0;
    for (const cell of cells) {
      for (const disc of discs) {
        if (!disc[cell]) continue;
        inReach++;
        break;
      }
    }
    return inReach >= cells.length / 2 ? "barrier" : "too_far";
  }

  /**
   * What else is told of a zone.
   * @param {Zone} zone
   * @param {Int32Array} depth
   * @param {string[]} categories
   * @returns {Gap}
   */
  gap({ cells }, depth, categories) {
    const { people } = this.sums;
    const { width } = this.cells;
    let [residents, inner] = [0, cells[0]];
    for (const cell of cells) {
      residents += people[cell];
      if (depth[cell] > depth[inner]) inner = cell;
    }
    const at = this.projection.place((inner % width) + 0.5, Math.floor(inner / width) + 0.5);
    return {
      rank: 0,
      cell: inner,
      parts: [],
      at: { lat: at.lat, lng: at.lng },
      districts: this.gaps.districtsOf(cells),
      area_ha: (cells.length * this.walks.cell_m ** 2) / HECTARE,
      residents: Math.round(residents),
      minutes: { min: null, median: null, max: null },
      shape: [],
      street: this.gaps.streetAt(at),
      cause: this.causeOf(cells, categories),
    };
  }

  /**
   * How many services of a category each cell has within reach as the crow flies.
   * @param {string} category
   */
  inReach(category) {
    const held = this.discs.get(category) || { counts: new Uint16Array(this.cells.codes.length), sources: [] };
    const { sources } = this.now.get(category) || this.baseOf(category);
    for (const one of held.sources) if (!sources.includes(one)) this.stamp(held.counts, one, -1);
    for (const one of sources) if (!held.sources.includes(one)) this.stamp(held.counts, one, 1);
    this.discs.set(category, { counts: held.counts, sources });
    return held.counts;
  }

  /**
   * @param {Uint16Array} counts
   * @param {Source} one
   * @param {number} by
   */
  stamp(counts, one, by) {
    const { width, height } = this.cells;
    const { cell_m: side, reach_m: reach } = this.walks;
    const [low, high] = [-reach, reach].map((metres) => Math.floor((one.y + metres) / side));
    for (let row = Math.max(low, 0); row <= Math.min(high, height - 1); row++) {
      const half = Math.sqrt(Math.max(reach ** 2 - ((row + 0.5) * side - one.y) ** 2, 0));
      const first = Math.max(Math.ceil((one.x - half) / side - 0.5), 0);
      const last = Math.min(Math.floor((one.x + half) / side - 0.5), width - 1);
      if (Math.abs((row + 0.5) * side - one.y) > reach) continue;
      for (let col = first; col <= last; col++) counts[row * width + col] += by;
    }
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
      ...this.sums.changed(category, this.changed.get(category) || this.unchanged(category), minutes),
      gapsBefore: was ? was.gaps.length : 0,
      gapsAfter: this.zones.get(category) ?? (now ? now.gaps.length : 0),
    };
  }

  /**
   * @param {string} category
   * @returns {Changes}
   */
  unchanged(category) {
    const codes = this.original.codes[category];
    return { cells: new Int32Array(), before: codes, after: codes };
  }

  /**
   * 1 where a cell gains a category of some within a threshold, 2 where it loses one, else 0.
   * @param {string[]} categories
   * @param {number} minutes
   */
  differences(categories, minutes) {
    return this.sums.differences(categories, minutes);
  }

  /**
   * The way from a place to the nearest service of a category, in places; and how far that service is
   * in a straight line. Null where there is none.
   * @param {L.LatLng} at
   * @param {string} category
   */
  way(at, category) {
    const cell = this.cells.holding(at);
    const sources = this.sourcesOf(category, this.placed(this.changes));
    const way = cell < 0 ? null : this.walking.way(cell, sources);
    if (!way) return null;
    const [x, y] = this.projection.metres(at);
    const crow = sources.reduce((a, b) => (Math.hypot(b.x - x, b.y - y) < Math.hypot(a.x - x, a.y - y) ? b : a));
    return {
      line: way.points.map((point) => this.projection.placeOf(point)),
      minutes: way.metres / this.walks.metres_per_min,
      metres: way.metres,
      service: this.data.services[way.place],
      crow: { at: this.projection.placeOf([crow.x, crow.y]), metres: Math.hypot(crow.x - x, crow.y - y) },
    };
  }
}

