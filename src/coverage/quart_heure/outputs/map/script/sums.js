/* Sums by district of what is within reach, as the tables of the page have them. */

/** @import { CategoryView, CompositeView, PageData } from "./types.js" */
/** @import { Cells } from "./cells.js" */

const FINE = 20; // steps of a minute that medians are found by
const LONGEST = 400; // minutes

export class Sums {
  /**
   * @param {PageData} data
   * @param {Cells} cells
   * @param {Int32Array} on the cells on the network
   * @param {Uint8Array} district row of each cell of the grid and 1
   * @param {Uint32Array} units residents of each
   * @param {number} unit
   */
  constructor(data, cells, on, district, units, unit) {
    this.data = data;
    this.cells = cells;
    this.on = on;
    this.rows = data.rows.length;
    this.district = district;
    this.people = Float64Array.from(units, (n) => n * unit);
    this.position = new Int32Array(district.length).fill(-1);
    on.forEach((cell, n) => (this.position[cell] = n));
    const one = new Float64Array(district.length).fill(1);
    /** What is summed: residents and area, or area alone. */
    this.weights = { people: this.people, area: one };
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
    const upper = this.cells.packed.upper_min;
    return Uint8Array.from({ length: 256 }, (_, code) =>
      code > 0 && code <= upper.length && upper[code - 1] <= minutes * (1 + 1e-9) ? 1 : 0
    );
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
   * The tables of a category once it has changed; rows that nothing changes in keep their figures.
   * @param {CategoryView} was
   * @param {Uint8Array} before
   * @param {Uint8Array} codes
   * @param {Float64Array} minutes of the cells on the network
   */
  figures(was, before, codes, minutes) {
    const changed = new Uint8Array(this.rows);
    for (const cell of this.on) if (before[cell] !== codes[cell]) changed[this.district[cell] - 1] = 1;
    changed[this.rows - 1] = changed.some((one) => one === 1) ? 1 : 0;
    const people = this.table(codes, this.people);
    const area = this.table(codes, this.weights.area);
    const residents = this.data.residents;
    /** @type {(table: Float64Array, row: number, near: Uint8Array) => number} */
    const within = (table, row, near) => near.reduce((sum, one, code) => (one ? sum + table[row * 256 + code] : sum), 0);
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
    const medians = this.medians(minutes);
    const figures = at(was.figures, this.data.threshold_min);
    return {
      figures: {
        ...figures,
        minutes_median: figures.minutes_median.map((one, row) => (changed[row] ? finite(medians[row]) : one)),
      },
      figures_at: was.figures_at.map((one) => at(one, one.minutes)),
    };
  }

  /**
   * Minutes that half of the residents of each row, or half of its area without them, are within.
   * @param {Float64Array} minutes
   */
  medians(minutes) {
    const bins = FINE * LONGEST;
    const weight = this.data.residents ? this.people : this.weights.area;
    const all = this.data.residents ? this.all.people : this.all.area;
    const table = new Float64Array(this.rows * bins);
    this.on.forEach((cell, n) => {
      if (!(minutes[n] < LONGEST)) return;
      const bin = Math.floor(minutes[n] * FINE);
      table[(this.district[cell] - 1) * bins + bin] += weight[cell];
      table[(this.rows - 1) * bins + bin] += weight[cell];
    });
    return Array.from(all, (whole, row) => {
      let sum = 0;
      for (let bin = 0; bin < bins; bin++) {
        sum += table[row * bins + bin];
        if (sum > 0 && sum >= whole / 2) return (bin + 0.5) / FINE;
      }
      return Infinity;
    });
  }

  /**
   * The shares of a composite by how many of its categories are within reach.
   * @param {CompositeView} was
   * @param {string[]} counted
   * @param {Record<string, Uint8Array>} before
   */
  shares(was, counted, before) {
    const weight = this.data.residents ? this.people : this.weights.area;
    const all = this.data.residents ? this.all.people : this.all.area;
    /** @type {(old: (number | null)[][], ids: string[], minutes: number) => (number | null)[][]} */
    const at = (old, ids, minutes) => {
      const near = this.near(minutes);
      const size = ids.length + 1;
      const table = new Float64Array(this.rows * size);
      const changed = new Uint8Array(this.rows);
      const lists = ids.map((id) => ({ now: this.cells.minutes[id], then: before[id] }));
      for (const cell of this.on) {
        let [n, m] = [0, 0];
        for (const { now, then } of lists) {
          n += near[now[cell]];
          m += near[then[cell]];
        }
        const row = this.district[cell] - 1;
        if (n !== m) changed[row] = changed[this.rows - 1] = 1;
        table[row * size + n] += weight[cell];
        table[(this.rows - 1) * size + n] += weight[cell];
      }
      return old.map((shares, row) =>
        changed[row] ? shares.map((_, n) => finite((100 * table[row * size + n]) / all[row])) : shares
      );
    };
    return {
      shares_pct: at(was.shares_pct, counted, this.data.threshold_min),
      shares_at: was.shares_at.map((one) => ({ ...one, shares_pct: at(one.shares_pct, was.counted_at_all, one.minutes) })),
    };
  }

  /**
   * Residents, or hectares without them, that gain and lose, and that are within reach.
   * @param {Uint8Array} before
   * @param {Uint8Array} codes
   * @param {number} minutes
   */
  changed(before, codes, minutes) {
    const near = this.near(minutes);
    const weight = this.data.residents ? this.people : this.weights.area;
    let [gained, lost, was, now] = [0, 0, 0, 0];
    for (const cell of this.on) {
      const [then, after] = [near[before[cell]], near[codes[cell]]];
      if (then) was += weight[cell];
      if (after) now += weight[cell];
      if (after && !then) gained += weight[cell];
      if (then && !after) lost += weight[cell];
    }
    const whole = (this.data.residents ? this.all.people : this.all.area)[this.rows - 1];
    return { gained, lost, before: (100 * was) / whole, after: (100 * now) / whole };
  }

  /**
   * 1 where a cell gains one of some categories, 2 where it loses one.
   * @param {Uint8Array[][]} pairs codes before and after
   * @param {number} minutes
   */
  differences(pairs, minutes) {
    const near = this.near(minutes);
    const found = new Uint8Array(this.district.length);
    for (const cell of this.on) {
      let balance = 0;
      for (const [before, after] of pairs) balance += near[after[cell]] - near[before[cell]];
      if (balance) found[cell] = balance > 0 ? 1 : 2;
    }
    return found;
  }

  /**
   * The rows of the districts of some cells.
   * @param {number[]} cells
   */
  districtsOf(cells) {
    /** @type {Map<number, number>} */
    const sizes = new Map();
    for (const cell of cells) {
      const row = this.rowOf(cell);
      if (row >= 0 && row < this.data.ground.districts.length) sizes.set(row, (sizes.get(row) || 0) + 1);
    }
    return [...sizes.keys()].sort((a, b) => a - b);
  }
}

/** @param {number} value */
const finite = (value) => (Number.isFinite(value) ? value : null);
