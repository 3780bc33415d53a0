/* The tally: how many people, and how much area, are within reach, by row of the tables. */

/** @import { PageData, View } from "./types.js" */
/** @import { Cells } from "./cells.js" */

/** @typedef {{ people: number, share: number | null }} Lack who has none: people, and the share in per cent */

import { onNetwork, unpackNumbers } from "./cells.js";
import { essentials } from "./scene.js";

const KEPT = 4; // sums: before and after, of a district and of all

export class Tally {
  /**
   * @param {PageData} data
   * @param {Cells} cells
   * @param {Uint32Array} district row of each cell of the grid and 1
   * @param {Uint32Array} units residents of each
   * @param {Uint32Array | null} quarter of each, and 1
   */
  constructor(data, cells, district, units, quarter) {
    this.data = data;
    this.cells = cells;
    this.district = district;
    this.people = new Float64Array(units);
    for (let i = 0; i < units.length; i++) this.people[i] *= cells.packed.resident_unit;
    this.quarter = quarter;
    this.rows = data.rows.length;
    /** The cells on the network. */
    this.on = onNetwork(cells.codes, cells.packed.off_network);
    /** How many of them each row and each quarter has. */
    this.size = new Float64Array(this.rows);
    this.quarterSize = new Float64Array(cells.packed.quarters.length + 1);
    for (const cell of this.on) {
      this.size[this.rowOf(cell)]++;
      if (quarter) this.quarterSize[quarter[cell]]++;
    }
    this.size[this.rows - 1] = this.on.length;
    this.all = this.sums();
    /** @type {Map<number, Uint8Array>} */
    this.limits = new Map();
    /** What is added up of the codes as they are. @type {Map<string, Float64Array>} */
    this.base = new Map();
    /** The least code of each cell in views of several categories, as they are. @type {Map<string, Uint8Array>} */
    this.least = new Map();
    /** What was added up last of what is supposed. @type {{ key: string, lists: Uint8Array[], weights: Float64Array }[]} */
    this.coded = [];
  }

  /**
   * @param {PageData} data
   * @param {Cells} cells
   */
  static async open(data, cells) {
    const { district, residents, quarter } = cells.packed;
    const [rows, units, quarters] = await Promise.all([
      unpackNumbers(district),
      unpackNumbers(residents),
      quarter.length ? unpackNumbers(quarter) : null,
    ]);
    return new Tally(data, cells, rows, units, quarters);
  }

  /** @param {number} cell */
  rowOf(cell) {
    return this.district[cell] - 1;
  }

  /* People, or cells without them, by row; the last one is of all. */
  sums() {
    const found = new Float64Array(this.rows);
    const { residents } = this.data;
    for (const cell of this.on) found[this.district[cell] - 1] += residents ? this.people[cell] : 1;
    found[this.rows - 1] = found.reduce((sum, one, row) => (row < this.rows - 1 ? sum + one : sum), 0);
    return found;
  }

  /**
   * Which codes are within some minutes.
   * @param {number} minutes
   */
  near(minutes) {
    const before = this.limits.get(minutes);
    if (before) return before;
    const upper = this.cells.packed.upper_min;
    const found = Uint8Array.from({ length: 256 }, (_, code) =>
      code > 0 && code <= upper.length && upper[code - 1] <= minutes * (1 + 1e-9) ? 1 : 0
    );
    this.limits.set(minutes, found);
    return found;
  }

  /**
   * Who has none of a view within some minutes, in a row of the tables.
   * @param {View} view
   * @param {number} minutes
   * @param {number} row
   * @param {Record<string, Uint8Array>} [codes] of each category; those of the page by default
   * @returns {Lack}
   */
  lack(view, minutes, row, codes = this.cells.minutes) {
    const near = this.near(minutes);
    const weights = this.byCode(view, row, codes);
    const people = weights.reduce((sum, weight, code) => (near[code] ? sum : sum + weight), 0);
    const all = this.all[row];
    return { people, share: all ? (100 * people) / all : null };
  }

  /**
   * People, or cells without them, of a row by the least code that they have of a view.
   * @param {View} view
   * @param {number} row
   * @param {Record<string, Uint8Array>} codes those of the page, as they are or as they are supposed
   */
  byCode(view, row, codes) {
    const ids = view.kind === "composite" ? essentials(this.data).map((one) => one.id) : [view.id];
    const lists = ids.map((id) => codes[id]);
    const key = view.id + " " + row;
    const others = ids.filter((id) => codes[id] !== this.cells.original[id]);
    if (!others.length) return this.baseByCode(key, ids, row);
    const before = this.coded.find((one) => one.key === key && one.lists.every((list, n) => list === lists[n]));
    if (before) return before.weights;
    const weights = this.baseByCode(key, ids, row).slice();
    const then = this.leastOf(ids);
    const whole = row === this.rows - 1;
    const { residents } = this.data;
    for (const cell of this.changedIn(others)) {
      if (!whole && this.district[cell] !== row + 1) continue;
      let least = lists[0][cell];
      for (let n = 1; n < lists.length; n++) if (lists[n][cell] < least) least = lists[n][cell];
      if (least === then[cell]) continue;
      // Residents are whole units: sums are the same in any order.
      const weight = residents ? this.people[cell] : 1;
      weights[then[cell]] -= weight;
      weights[least] += weight;
    }
    this.coded = [{ key, lists, weights }, ...this.coded.slice(0, KEPT - 1)];
    return weights;
  }

  /**
   * The same of the codes as they are; worked out once.
   * @param {string} key
   * @param {string[]} ids
   * @param {number} row
   */
  baseByCode(key, ids, row) {
    const before = this.base.get(key);
    if (before) return before;
    const weights = new Float64Array(256);
    const { residents } = this.data;
    const least = this.leastOf(ids);
    const whole = row === this.rows - 1;
    for (const cell of this.on) {
      if (!whole && this.district[cell] !== row + 1) continue;
      weights[least[cell]] += residents ? this.people[cell] : 1;
    }
    this.base.set(key, weights);
    return weights;
  }

  /**
   * The least code of each cell, as they are.
   * @param {string[]} ids
   */
  leastOf(ids) {
    const { original } = this.cells;
    if (ids.length === 1) return original[ids[0]];
    const key = ids.join(" ");
    const before = this.least.get(key);
    if (before) return before;
    const found = original[ids[0]].slice();
    for (const id of ids.slice(1)) {
      const codes = original[id];
      for (const cell of this.on) if (codes[cell] < found[cell]) found[cell] = codes[cell];
    }
    this.least.set(key, found);
    return found;
  }

  /**
   * The cells whose codes of any of some categories are supposed to be others, each once.
   * @param {string[]} ids
   */
  changedIn(ids) {
    const lists = ids.map((id) => this.cells.changed.get(id) || new Int32Array());
    if (lists.length === 1) return lists[0];
    const marked = new Uint8Array(this.district.length);
    const found = new Int32Array(lists.reduce((sum, list) => sum + list.length, 0));
    let n = 0;
    for (const list of lists) {
      for (const cell of list) {
        if (marked[cell]) continue;
        marked[cell] = 1;
        found[n++] = cell;
      }
    }
    return found.subarray(0, n);
  }
}
