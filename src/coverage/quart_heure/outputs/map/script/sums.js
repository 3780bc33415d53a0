/* Sums by district of what is within reach, as the tables of the page have them. */

/** @import { CategoryView, CompositeView, PageData } from "./types.js" */
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
    /** @type {Map<string, Float64Array>} */
    this.counts = new Map();
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
   * @param {Float64Array} table
   * @param {Float64Array} weight
   * @param {Changes} cells
   */
  shifted(table, weight, { cells, before, after }) {
    const found = table.slice();
    const last = (this.rows - 1) * 256;
    for (const cell of cells) {
      const at = (this.district[cell] - 1) * 256;
      found[at + before[cell]] -= weight[cell];
      found[at + after[cell]] += weight[cell];
      found[last + before[cell]] -= weight[cell];
      found[last + after[cell]] += weight[cell];
    }
    return found;
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
   * @param {Moved} moved
   */
  figures(was, changes, moved) {
    const changed = this.rowsOf(changes.cells);
    const base = this.baseTables(was.id, changes.before);
    const people = this.shifted(base.people, this.people, changes);
    const area = this.shifted(base.area, this.weights.area, changes);
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
    const figures = at(was.figures, this.data.threshold_min);
    const medians = this.medians(was.id, moved);
    return {
      figures: {
        ...figures,
        minutes_median: figures.minutes_median.map((one, row) => (medians.has(row) ? finite(medians.get(row) || 0) : one)),
      },
      figures_at: was.figures_at.map((one) => at(one, one.minutes)),
    };
  }

  /**
   * Minutes that half of the residents of each row, or half of its area without them, are within: of
   * the rows in which walks are longer or shorter.
   * @param {string} id
   * @param {Moved} moved
   */
  medians(id, { positions, before, after }) {
    const bins = FINE * LONGEST;
    const weight = this.data.residents ? this.people : this.weights.area;
    const all = this.data.residents ? this.all.people : this.all.area;
    const last = (this.rows - 1) * bins;
    let base = this.walks.get(id);
    if (!base) {
      base = new Float32Array(this.rows * bins);
      for (let n = 0; n < this.on.length; n++) {
        if (!(before[n] < LONGEST)) continue;
        const bin = Math.floor(before[n] * FINE);
        base[(this.district[this.on[n]] - 1) * bins + bin] += weight[this.on[n]];
        base[last + bin] += weight[this.on[n]];
      }
      this.walks.set(id, base);
    }
    const table = base.slice();
    const rows = new Set(positions.length ? [this.rows - 1] : []);
    for (const n of positions) {
      const cell = this.on[n];
      const row = this.district[cell] - 1;
      rows.add(row);
      for (const [minutes, sign] of [[before[n], -1], [after[n], 1]]) {
        if (!(minutes < LONGEST)) continue;
        const bin = Math.floor(minutes * FINE);
        table[row * bins + bin] += sign * weight[cell];
        table[last + bin] += sign * weight[cell];
      }
    }
    /** @type {Map<number, number>} */
    const found = new Map();
    for (const row of rows) {
      let [sum, bin] = [0, 0];
      while (bin < bins && !(sum > 0 && sum >= all[row] / 2)) sum += table[row * bins + bin++];
      found.set(row, bin < bins ? (bin - 0.5) / FINE : Infinity);
    }
    return found;
  }

  /**
   * The shares of a composite by how many of its categories are within reach.
   * @param {CompositeView} was
   * @param {string[]} counted
   * @param {Record<string, Uint8Array>} before
   * @param {Int32Array} cells that some category changes at
   */
  shares(was, counted, before, cells) {
    const weight = this.data.residents ? this.people : this.weights.area;
    const all = this.data.residents ? this.all.people : this.all.area;
    /** @type {(ids: string[], codes: Record<string, Uint8Array>, near: Uint8Array) => (cell: number) => number} */
    const counter = (ids, codes, near) => {
      const lists = ids.map((id) => codes[id]);
      return (cell) => {
        let n = 0;
        for (const list of lists) n += near[list[cell]];
        return n;
      };
    };
    /** @type {(old: (number | null)[][], ids: string[], minutes: number) => (number | null)[][]} */
    const at = (old, ids, minutes) => {
      const near = this.near(minutes);
      const size = ids.length + 1;
      const [then, now] = [counter(ids, before, near), counter(ids, this.cells.minutes, near)];
      const key = minutes + " " + ids.join(" ");
      let base = this.counts.get(key);
      if (!base) {
        base = new Float64Array(this.rows * size);
        for (const cell of this.on) {
          const n = then(cell);
          base[(this.district[cell] - 1) * size + n] += weight[cell];
          base[(this.rows - 1) * size + n] += weight[cell];
        }
        this.counts.set(key, base);
      }
      const table = base.slice();
      const changed = new Uint8Array(this.rows);
      for (const cell of cells) {
        const [n, m] = [then(cell), now(cell)];
        if (n === m) continue;
        const row = this.district[cell] - 1;
        changed[row] = changed[this.rows - 1] = 1;
        for (const one of [row, this.rows - 1]) {
          table[one * size + n] -= weight[cell];
          table[one * size + m] += weight[cell];
        }
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
}

/** @param {number} value */
const finite = (value) => (Number.isFinite(value) ? value : null);
