/* Gaps at every threshold, and what each district has of them: all worked out from the cells. */

/** @import { Gap, GapMinutes, GapPart, PageData, View } from "./types.js" */
/** @import { Cells } from "./cells.js" */
/** @import { Tally } from "./tally.js" */

/** @typedef {{ name: string, whole: boolean }} Quarter that a part lies in */

/**
 * What a district has of a gap: `row` is that of the district, `whole` whether it is all of it.
 * @typedef {object} Part
 * @property {Gap} gap
 * @property {number} row
 * @property {boolean} whole
 * @property {Quarter[]} quarters
 * @property {L.LatLngLiteral} at
 * @property {number} area_ha
 * @property {number | null} residents
 * @property {GapMinutes} minutes
 * @property {string} nearest
 * @property {boolean} discreet
 * @property {string} street
 */

import { degrees } from "./draw.js";
import { constants } from "./page.js";
import { Projection } from "./projection.js";
import { essentials, isJudged } from "./scene.js";
import { streetMap } from "./street_map.js";
import { depths, outline, zonesOf } from "./zones.js";

const STREET_REACH = 350; // metres to the name of a street that a zone is called by
const WHOLE = 0.95; // of a district or quarter: the rest is the edge of its neighbour
const QUARTER_SHARE = 0.1; // of a part, or it is not named by that quarter
const HECTARE = 10000; // square metres

export class Gaps {
  /**
   * @param {PageData} data
   * @param {Cells} cells
   * @param {Tally} tally
   */
  constructor(data, cells, tally) {
    this.data = data;
    this.cells = cells;
    this.tally = tally;
    this.projection = new Projection(cells, cells.packed.cell_m);
    this.hectares = cells.packed.cell_m ** 2 / HECTARE;
    /** @type {Map<string, { codes: Uint8Array[], told: Gap[] | null, gaps: Gap[] }>} */
    this.known = new Map();
    /** The cells of each gap. @type {WeakMap<Gap, Int32Array>} */
    this.extents = new WeakMap();
    /** @type {WeakMap<Gap, Part[]>} */
    this.cut = new WeakMap();
    /** The districts of the cells of a gap. @type {WeakMap<Int32Array, { row: number, whole: boolean }[]>} */
    this.rows = new WeakMap();
  }

  /**
   * The gaps of a view at a threshold, the most populated first.
   * @param {View} view
   * @param {number} minutes
   */
  of(view, minutes) {
    const standard = minutes === this.data.threshold_min;
    const ids = view.kind === "composite" ? essentials(this.data).map((one) => one.id) : [view.id];
    const codes = ids.map((id) => this.cells.minutes[id]);
    const told = standard ? view.gaps : null;
    const key = view.id + " " + minutes;
    const before = this.known.get(key);
    if (before && before.told === told && before.codes.every((one, n) => one === codes[n])) return before.gaps;
    const gaps = !isJudged(view) ? [] : told ? this.drawn(told, ids, minutes) : this.found(ids, minutes);
    this.known.set(key, { codes, told, gaps });
    return gaps;
  }

  /**
   * The districts that have some of a gap, that with most people in it first.
   * @param {Gap} gap one of those that `of` gave
   * @returns {{ row: number, whole: boolean }[]}
   */
  rowsOf(gap) {
    const cells = this.extents.get(gap);
    if (!cells) return (gap.parts || []).map(({ row }) => ({ row, whole: false }));
    const before = this.rows.get(cells);
    if (before) return before;
    const { tally } = this;
    const [people, size] = [new Float64Array(tally.rows), new Float64Array(tally.rows)];
    for (const cell of cells) {
      const row = tally.rowOf(cell);
      people[row] += tally.people[cell];
      size[row]++;
    }
    const rows = [...size.keys()]
      .filter((row) => size[row])
      .sort((a, b) => people[b] - people[a] || size[b] - size[a])
      .map((row) => ({ row, whole: size[row] >= WHOLE * tally.size[row] }));
    this.rows.set(cells, rows);
    return rows;
  }

  /**
   * What the districts have of a gap, the most populated first.
   * @param {View} view
   * @param {Gap} gap one of those that `of` gave
   */
  parts(view, gap) {
    const before = this.cut.get(gap);
    if (before) return before;
    const cells = this.extents.get(gap);
    const parts = cells ? this.partsOf(view, gap, cells) : (gap.parts || []).map((one) => partTold(gap, one)).sort(bySize);
    this.cut.set(gap, parts);
    return parts;
  }

  /**
   * What a district has of all gaps of a view.
   * @param {View} view
   * @param {number} minutes
   * @param {number} row
   */
  within(view, minutes, row) {
    const parts = this.of(view, minutes).flatMap((gap) => this.parts(view, gap).filter((part) => part.row === row));
    return parts.sort(bySize);
  }

  /**
   * Gaps that are told, with the shapes that their cells have.
   * @param {Gap[]} told
   * @param {string[]} ids
   * @param {number} minutes
   */
  drawn(told, ids, minutes) {
    if (told.every((gap) => gap.shape.length && this.extents.has(gap))) return told;
    const { width } = this.cells;
    const { label, zones } = zonesOf(this.mask(ids, minutes), width, 1);
    const byLabel = new Map(zones.map((zone) => [zone.label, zone.cells]));
    for (const gap of told) {
      const cells = byLabel.get(label[gap.cell]);
      // Where hours part zones, the minutes of the cells do not tell which are of which.
      if (!cells || (gap.shape.length && told.some((other) => other !== gap && label[other.cell] === label[gap.cell]))) continue;
      this.hold(gap, cells, label);
    }
    return told;
  }

  /**
   * Gaps at another threshold than that of the study.
   * @param {string[]} ids
   * @param {number} minutes
   * @returns {Gap[]}
   */
  found(ids, minutes) {
    const { width } = this.cells;
    const mask = this.mask(ids, minutes);
    const { label, zones } = zonesOf(mask, width, Math.ceil(this.data.gap_ha / this.hectares - 1e-9));
    const depth = depths(mask, width);
    const gaps = zones.map((zone) => {
      const inner = innermost(zone.cells, depth);
      const at = this.placeOf(inner);
      /** @type {Gap} */
      const gap = {
        rank: 0,
        cell: inner,
        at: { lat: at.lat, lng: at.lng },
        street: this.streetAt(at),
        ...this.figures(zone.cells, ids),
        districts: this.districtsOf(zone.cells),
        parts: [],
        shape: [],
      };
      return this.hold(gap, zone.cells, label);
    });
    gaps.sort(bySize).forEach((gap, n) => (gap.rank = n + 1));
    return gaps;
  }

  /**
   * The districts that some cells are in, that with most of them first.
   * @param {Int32Array} cells
   */
  districtsOf(cells) {
    const counts = new Uint32Array(this.data.rows.length);
    for (const cell of cells) counts[this.tally.rowOf(cell)]++;
    const rows = this.data.ground.districts.map((_, row) => row).filter((row) => counts[row]);
    return rows.sort((a, b) => counts[b] - counts[a]).map((row) => this.data.rows[row]);
  }

  /**
   * Which cells are beyond reach of all of some categories, by more than walking a little faster mends.
   * @param {string[]} ids
   * @param {number} minutes
   */
  mask(ids, minutes) {
    const { off_network: off } = this.cells.packed;
    const near = this.tally.near(minutes * (1 + constants.borderline) + 1e-6);
    const lists = ids.map((id) => this.cells.minutes[id]);
    const mask = new Uint8Array(this.cells.codes.length);
    for (const cell of this.tally.on) {
      if (lists[0][cell] === off) continue;
      mask[cell] = lists.some((codes) => near[codes[cell]]) ? 0 : 1;
    }
    return mask;
  }

  /**
   * @param {View} view
   * @param {Gap} gap
   * @param {Int32Array} cells
   */
  partsOf(view, gap, cells) {
    const ids = view.kind === "composite" ? essentials(this.data).map((one) => one.id) : [view.id];
    /** @type {Map<number, number[]>} */
    const byRow = new Map();
    for (const cell of cells) {
      const row = this.tally.rowOf(cell);
      const there = byRow.get(row);
      if (there) there.push(cell);
      else byRow.set(row, [cell]);
    }
    const parts = [...byRow].map(([row, list]) => {
      const mine = Int32Array.from(list);
      /** @type {L.LatLngLiteral | null} */
      let middle = byRow.size > 1 ? null : gap.at;
      // Where its middle is, is worked out when somebody looks at it.
      const at = () => (middle = middle || this.placeOf(this.middleOf(mine)));
      const street = () => this.streetAt(at());
      /** @type {Part} */
      const part = {
        gap,
        row,
        ...this.figures(mine, ids),
        get at() {
          return at();
        },
        get street() {
          return street();
        },
        whole: mine.length >= WHOLE * this.tally.size[row],
        quarters: this.quartersOf(mine),
      };
      return part;
    });
    return parts.sort(bySize);
  }

  /**
   * The one of some cells that is furthest from their edge.
   * @param {Int32Array} cells
   */
  middleOf(cells) {
    const mask = new Uint8Array(this.cells.codes.length);
    for (const cell of cells) mask[cell] = 1;
    return innermost(cells, depths(mask, this.cells.width));
  }

  /** @param {number} cell */
  placeOf(cell) {
    const { width } = this.cells;
    return this.projection.place((cell % width) + 0.5, Math.floor(cell / width) + 0.5);
  }

  /**
   * Keep where a gap is that is worked out elsewhere.
   * @param {Gap} gap
   * @param {Int32Array} cells
   * @param {Int32Array} label of all zones
   */
  hold(gap, cells, label) {
    this.extents.set(gap, cells);
    if (!gap.shape.length) gap.shape = [outline(cells, label, this.cells.width).map((ring) => this.steps(ring))];
    return gap;
  }

  /**
   * How large some cells are that lie together, how far one walks there, and where to.
   * @param {Int32Array} cells
   * @param {string[]} ids
   */
  figures(cells, ids) {
    const { packed } = this.cells;
    const { upper_min: upper, unreachable } = packed;
    const lists = ids.map((id) => this.cells.minutes[id]);
    const times = new Uint32Array(256);
    let [least, nearest, of, people] = [Infinity, -1, 0, 0];
    for (const cell of cells) {
      let [code, from] = [Infinity, 0];
      lists.forEach((codes, n) => {
        if (codes[cell] < code) [code, from] = [codes[cell], n];
      });
      times[code]++;
      people += this.tally.people[cell];
      if (code < least) [least, nearest, of] = [code, cell, from];
    }
    /** @param {number} code */
    const minutes = (code) => (code >= unreachable || code > upper.length ? null : upper[code - 1]);
    const codes = [...times.keys()].filter((code) => times[code]);
    let [sum, middle] = [0, 0];
    while (sum < cells.length / 2) sum += times[middle++];
    const number = nearest < 0 ? 0 : this.cells.nearestOf(ids[of])[nearest];
    const place = number ? packed.nearest[ids[of]].places[number - 1] : null;
    return {
      area_ha: cells.length * this.hectares,
      residents: this.data.residents ? Math.round(people) : null,
      minutes: { min: minutes(codes[0]), median: minutes(middle - 1), max: minutes(codes[codes.length - 1]) },
      nearest: place === null || place < 0 ? "" : this.data.services[place]?.name || "",
      discreet: place === -1,
    };
  }

  /**
   * The quarters that some cells are of, those with most of them first.
   * @param {Int32Array} cells
   * @returns {Quarter[]}
   */
  quartersOf(cells) {
    const { quarter, quarterSize } = this.tally;
    const { quarters } = this.cells.packed;
    if (!quarter) return [];
    const counts = new Uint32Array(quarters.length + 1);
    for (const cell of cells) counts[quarter[cell]]++;
    return [...counts.keys()]
      .filter((n) => n > 0 && (counts[n] >= QUARTER_SHARE * cells.length || counts[n] >= quarterSize[n] / 2))
      .filter((n) => counts[n] > 0)
      .sort((a, b) => counts[b] - counts[a])
      .map((n) => ({ name: quarters[n - 1], whole: counts[n] >= WHOLE * quarterSize[n] }));
  }

  /**
   * The name of the street written nearest to a place.
   * @param {L.LatLngLiteral} at
   */
  streetAt(at) {
    const { labels, names } = streetMap;
    let [best, least] = ["", STREET_REACH];
    const across = Math.cos((at.lat * Math.PI) / 180);
    labels.name.forEach((name, i) => {
      const metres = 111195 * Math.hypot((degrees(labels.x[i]) - at.lng) * across, degrees(labels.y[i]) - at.lat);
      if (metres < least) [best, least] = [names[name], metres];
    });
    return best;
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
}

/**
 * @param {Int32Array} cells
 * @param {Int32Array} depth
 */
const innermost = (cells, depth) => cells.reduce((best, cell) => (depth[cell] > depth[best] ? cell : best), cells[0]);

/**
 * A part that the page is told of.
 * @param {Gap} gap
 * @param {GapPart} one
 * @returns {Part}
 */
function partTold(gap, one) {
  const { nearest = "", discreet = false, street = "" } = one;
  return { ...one, gap, whole: false, quarters: [], at: gap.at, area_ha: one.area_ha || 0, nearest, discreet, street };
}

/**
 * The most populated first, then the largest.
 * @param {{ residents: number | null, area_ha: number | null }} a
 * @param {{ residents: number | null, area_ha: number | null }} b
 */
const bySize = (a, b) => (b.residents || 0) - (a.residents || 0) || (b.area_ha || 0) - (a.area_ha || 0);
