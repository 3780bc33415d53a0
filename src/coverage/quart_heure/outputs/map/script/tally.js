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
    /** What was added up last. @type {{ key: string, lists: Uint8Array[], weights: Float64Array }[]} */
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
    const upper = this.cells.packed.upper_min;
    return Uint8Array.from({ length: 256 }, (_, code) =>
      code > 0 && code <= upper.length && upper[code - 1] <= minutes * (1 + 1e-9) ? 1 : 0
    );
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
   * @param {Record<string, Uint8Array>} codes
   */
  byCode(view, row, codes) {
    const ids = view.kind === "composite" ? essentials(this.data).map((one) => one.id) : [view.id];
    const lists = ids.map((id) => codes[id]);
    const key = view.id + " " + row;
    const before = this.coded.find((one) => one.key === key && one.lists.every((list, n) => list === lists[n]));
    if (before) return before.weights;
    const weights = new Float64Array(256);
    const { residents } = this.data;
    const whole = row === this.rows - 1;
    for (const cell of this.on) {
      if (!whole && this.district[cell] !== row + 1) continue;
      let least = lists[0][cell];
      for (let n = 1; n < lists.length; n++) if (lists[n][cell] < least) least = lists[n][cell];
      weights[least] += residents ? this.people[cell] : 1;
    }
    this.coded = [{ key, lists, weights }, ...this.coded.slice(0, KEPT - 1)];
    return weights;
  }
}
