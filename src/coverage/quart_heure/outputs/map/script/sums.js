/* Sums by district of what is within reach, as the tables of the page have them. */

/** @import { CategoryView, PageData } from "./types.js" */
/** @import { Cells } from "./cells.js" */
/** @import { Tally } from "./tally.js" */

/**
 * Cells whose codes change, and all codes before and after.
 * @typedef {{ cells: Int32Array, before: Uint8Array, after: Uint8Array }} Changes
 */

/**
 * Positions of cells, among those on the network, from which the walk changes; minutes before and after.
 * @typedef {{ positions: Int32Array, before: Float64Array, after: Float64Array }} Moved
 */

export const FINE = 20; // steps of a minute that medians are found by
export const LONGEST = 400; // minutes

export class Sums {
  /**
   * @param {PageData} data
   * @param {Cells} cells
   * @param {Int32Array} on the cells on the network
   * @param {Tally} tally
   */
  constructor(data, cells, on, tally) {
    this.data = data;
    this.cells = cells;
    this.on = on;
    this.rows = data.rows.length;
    const { district } = tally;
    this.tally = tally;
    this.district = district;
    this.people = tally.people;
    this.position = new Int32Array(district.length).fill(-1);
    on.forEach((cell, n) => (this.position[cell] = n));
    const one = new Float64Array(district.length).fill(1);
    /** What is summed: residents and area, or area alone. */
    this.weights = { people: this.people, area: one };
    /** What is worked out once, by category. @type {Map<string, { people: Float64Array, area: Float64Array }>} */
    this.tables = new Map();
    /** @type {Map<string, Float32Array>} */
    this.walks = new Map();
    /** How many of some categories are within a threshold, of each cell and by row. @type {Map<string, { of: Uint8Array, table: Float64Array }>} */
    this.counts = new Map();
    /** What is needed for a moment, all 0 in between. */
    this.balance = new Int8Array(district.length);
    this.all = { people: this.by(this.people, () => true), area: this.by(one, () => true) };
  }

  /** @param {number} cell */
  rowOf(cell) {
    return this.district[cell] - 1;
  }

  /**
   * A weight of the cells on the network that are chosen, by row; the last one is of all.
   * @param {Float64Array} weight
   * @param {(cell: number) => boolean} chosen
   */
  by(weight, chosen) {
    const sums = new Float64Array(this.rows);
    for (const cell of this.on) if (chosen(cell)) sums[this.district[cell] - 1] += weight[cell];
    let whole = 0;
    for (let row = 0; row < this.rows - 1; row++) whole += sums[row];
    sums[this.rows - 1] = whole;
    return sums;
  }

  /**
   * Which codes are within a threshold.
   * @param {number} minutes
   */
  near(minutes) {
    return this.tally.near(minutes);
  }

  /**
   * Residents, or area, of each row by the code of its cells.
   * @param {Uint8Array} codes
   * @param {Float64Array} weight
   */
  table(codes, weight) {
    const table = new Float64Array(this.rows * 256);
    const last = (this.rows - 1) * 256;
    for (const cell of this.on) {
      table[(this.district[cell] - 1) * 256 + codes[cell]] += weight[cell];
      table[last + codes[cell]] += weight[cell];
    }
    return table;
  }

  /**
   * The sums of a category by row and code, as it is; worked out once.
   * @param {string} id
   * @param {Uint8Array} codes
   */
  baseTables(id, codes) {
    const before = this.tables.get(id);
    if (before) return before;
    const found = { people: this.table(codes, this.people), area: this.table(codes, this.weights.area) };
    this.tables.set(id, found);
    return found;
  }

  /**
   * The same once some cells have other codes.
   * @param {{ people: Float64Array, area: Float64Array }} base
   * @param {Changes} cells
   */
  shifted(base, { cells, before, after }) {
    const [people, area] = [base.people.slice(), base.area.slice()];
    const { district, people: living } = this;
    for (const cell of cells) {
      const at = (district[cell] - 1) * 256;
      const [then, now] = [at + before[cell], at + after[cell]];
      people[then] -= living[cell];
      people[now] += living[cell];
      area[then]--;
      area[now]++;
    }
    // The last row is of all. Residents are whole units: sums are the same in any order.
    const last = (this.rows - 1) * 256;
    for (const table of [people, area]) {
      table.fill(0, last);
      for (let i = 0; i < last; i++) table[last + (i & 255)] += table[i];
    }
    return { people, area };
  }

  /**
   * Which rows some cells are in; with any, the last one too.
   * @param {Int32Array} cells
   */
  rowsOf(cells) {
    const found = new Uint8Array(this.rows);
    for (const cell of cells) found[this.district[cell] - 1] = 1;
    found[this.rows - 1] = cells.length ? 1 : 0;
    return found;
  }

  /**
   * The tables of a category once it has changed; rows that nothing changes in keep their figures.
   * @param {CategoryView} was
   * @param {Changes} changes
   */
  figures(was, changes) {
    const changed = this.rowsOf(changes.cells);
    const { people, area } = this.shifted(this.baseTables(was.id, changes.before), changes);
    const residents = this.data.residents;
    /** @type {(table: Float64Array, row: number, near: Uint8Array) => number} */
    const within = (table, row, near) => {
      let sum = 0;
      for (let code = 0; code < 256; code++) if (near[code]) sum += table[row * 256 + code];
      return sum;
    };
    /** @type {<T extends { residents_covered_pct: (number | null)[], residents_beyond: (number | null)[], covered_pct: (number | null)[] }>(old: T, at: number) => T} */
    const at = (old, limit) => {
      const near = this.near(limit);
      /** @type {(column: (number | null)[], value: (row: number) => number) => (number | null)[]} */
      const column = (values, value) => values.map((one, row) => (changed[row] ? finite(value(row)) : one));
      return {
        ...old,
        residents_covered_pct: residents
          ? column(old.residents_covered_pct, (row) => (100 * within(people, row, near)) / this.all.people[row])
          : old.residents_covered_pct,
        residents_beyond: residents
          ? column(old.residents_beyond, (row) => this.all.people[row] - within(people, row, near))
          : old.residents_beyond,
        covered_pct: column(old.covered_pct, (row) => (100 * within(area, row, near)) / this.all.area[row]),
      };
    };
    return {
      figures: at(was.figures, this.data.threshold_min),
      figures_at: was.figures_at.map((one) => at(one, one.minutes)),
    };
  }

  /**
   * Residents, or area without them, by row and twentieth of a minute, as they are; worked out once.
   * @param {string} id
   * @param {Float64Array} minutes
   */
  walksOf(id, minutes) {
    const before = this.walks.get(id);
    if (before) return before;
    const bins = FINE * LONGEST;
    const weight = this.data.residents ? this.people : this.weights.area;
    const last = (this.rows - 1) * bins;
    const table = new Float32Array(this.rows * bins);
    for (let n = 0; n < this.on.length; n++) {
      if (!(minutes[n] < LONGEST)) continue;
      const bin = Math.floor(minutes[n] * FINE);
      table[(this.district[this.on[n]] - 1) * bins + bin] += weight[this.on[n]];
      table[last + bin] += weight[this.on[n]];
    }
    this.walks.set(id, table);
    return table;
  }

  /**
   * What is worked out once of a category, before somebody waits for it.
   * @param {string} id
   * @param {Uint8Array} codes
   * @param {Float64Array} minutes
   */
  prepare(id, codes, minutes) {
    this.baseTables(id, codes);
    this.walksOf(id, minutes);
  }

  /**
   * Minutes that half of the residents of each row, or half of its area without them, are within; of
   * rows in which no walk is longer or shorter, those that were.
   * @param {CategoryView} was
   * @param {Moved} moved
   */
  medians(was, { positions, before, after }) {
    const bins = FINE * LONGEST;
    const weight = this.data.residents ? this.people : this.weights.area;
    const all = this.data.residents ? this.all.people : this.all.area;
    const last = (this.rows - 1) * bins;
    const table = this.walksOf(was.id, before);
    const there = new Uint8Array(this.rows);
    if (positions.length) there[this.rows - 1] = 1;
    /** @type {(times: Float64Array, sign: number) => void} */
    const put = (times, sign) => {
      for (const n of positions) {
        const minutes = times[n];
        const cell = this.on[n];
        const row = this.district[cell] - 1;
        there[row] = 1;
        if (!(minutes < LONGEST)) continue;
        const bin = Math.floor(minutes * FINE);
        table[row * bins + bin] += sign * weight[cell];
        table[last + bin] += sign * weight[cell];
      }
    };
    put(before, -1);
    put(after, 1);
    const found = was.figures.minutes_median.map((one, row) => {
      if (!there[row]) return one;
      let [sum, bin] = [0, 0];
      while (bin < bins && !(sum > 0 && sum >= all[row] / 2)) sum += table[row * bins + bin++];
      return bin < bins ? finite((bin - 0.5) / FINE) : null;
    });
    // The table is that of the page again: residents are whole units, of which nothing is lost.
    put(after, -1);
    put(before, 1);
    return found;
  }

  /**
   * Of each cell, how many more of some categories are within a threshold than there are, in
   * `balance`; returns the cells where it may not be 0, some of them twice.
   * @param {string[]} ids
   * @param {Uint8Array} near
   */
  weigh(ids, near) {
    const { balance } = this;
    /** @type {number[]} */
    const found = [];
    for (const id of ids) {
      const [before, after] = [this.cells.original[id], this.cells.minutes[id]];
      for (const cell of this.cells.changed.get(id) || []) {
        const more = near[after[cell]] - near[before[cell]];
        if (!more) continue;
        if (!balance[cell]) found.push(cell);
        balance[cell] += more;
      }
    }
    return found;
  }

  /**
   * How many of some categories are within a threshold as they are; worked out once.
   * @param {string[]} ids
   * @param {number} minutes
   */
  countsOf(ids, minutes) {
    const key = minutes + " " + ids.join(" ");
    const before = this.counts.get(key);
    if (before) return before;
    const near = this.near(minutes);
    const weight = this.data.residents ? this.people : this.weights.area;
    const size = ids.length + 1;
    const of = new Uint8Array(this.district.length);
    const table = new Float64Array(this.rows * size);
    for (const id of ids) {
      const codes = this.cells.original[id];
      for (const cell of this.on) of[cell] += near[codes[cell]];
    }
    for (const cell of this.on) {
      table[(this.district[cell] - 1) * size + of[cell]] += weight[cell];
      table[(this.rows - 1) * size + of[cell]] += weight[cell];
    }
    const found = { of, table };
    this.counts.set(key, found);
    return found;
  }

  /**
   * The shares of a composite at a threshold, by how many of its categories are within reach.
   * @param {(number | null)[][]} old
   * @param {string[]} ids
   * @param {number} minutes
   */
  sharesAt(old, ids, minutes) {
    const weight = this.data.residents ? this.people : this.weights.area;
    const all = this.data.residents ? this.all.people : this.all.area;
    const size = ids.length + 1;
    const base = this.countsOf(ids, minutes);
    const table = base.table.slice();
    const changed = new Uint8Array(this.rows);
    const { balance } = this;
    for (const cell of this.weigh(ids, this.near(minutes))) {
      const more = balance[cell];
      balance[cell] = 0;
      if (!more) continue;
      const row = this.district[cell] - 1;
      changed[row] = changed[this.rows - 1] = 1;
      const n = base.of[cell];
      for (const at of [row * size, (this.rows - 1) * size]) {
        table[at + n] -= weight[cell];
        table[at + n + more] += weight[cell];
      }
    }
    return old.map((shares, row) =>
      changed[row] ? shares.map((_, n) => finite((100 * table[row * size + n]) / all[row])) : shares
    );
  }

  /**
   * Residents, or cells without them, that gain and lose, and the shares that are within reach.
   * @param {string} id
   * @param {Changes} changes
   * @param {number} minutes
   */
  changed(id, changes, minutes) {
    const near = this.near(minutes);
    const weight = this.data.residents ? this.people : this.weights.area;
    const { people, area } = this.baseTables(id, changes.before);
    const table = this.data.residents ? people : area;
    const last = this.rows - 1;
    let [gained, lost] = [0, 0];
    for (const cell of changes.cells) {
      const [then, after] = [near[changes.before[cell]], near[changes.after[cell]]];
      if (after && !then) gained += weight[cell];
      if (then && !after) lost += weight[cell];
    }
    const was = near.reduce((sum, one, code) => (one ? sum + table[last * 256 + code] : sum), 0);
    const whole = (this.data.residents ? this.all.people : this.all.area)[last];
    return { gained, lost, before: (100 * was) / whole, after: (100 * (was + gained - lost)) / whole };
  }

  /**
   * 1 where a cell gains one of some categories within a threshold, 2 where it loses one, else 0.
   * @param {string[]} ids
   * @param {number} minutes
   */
  differences(ids, minutes) {
    const { balance } = this;
    const found = new Uint8Array(this.district.length);
    for (const cell of this.weigh(ids, this.near(minutes))) {
      if (balance[cell]) found[cell] = balance[cell] > 0 ? 1 : 2;
      balance[cell] = 0;
    }
    return found;
  }
}

/** @param {number} value */
const finite = (value) => (Number.isFinite(value) ? value : null);
