/* From places on the map to metres of the study, and back. */

/** @import { Cells } from "./cells.js" */

const EVERY = 16; // cells between the corners whose place is worked out; between them it is mixed
const ROUNDS = 4;

export class Projection {
  /**
   * @param {Cells} cells
   * @param {number} cellMetres
   */
  constructor(cells, cellMetres) {
    this.cells = cells;
    this.cellMetres = cellMetres;
    this.columns = Math.ceil(cells.width / EVERY) + 1;
    const rows = Math.ceil(cells.height / EVERY) + 1;
    this.corners = Array.from({ length: rows * this.columns }, (_, n) =>
      this.shares((n % this.columns) * EVERY, Math.floor(n / this.columns) * EVERY)
    );
  }

  /**
   * Metres east and north of the corner of the grid.
   * @param {L.LatLng} place
   */
  metres({ lat, lng }) {
    const x = (lng + 180) / 360;
    const y = 0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI);
    return this.cells.at(x, y).map((cells) => cells * this.cellMetres);
  }

  /**
   * Shares of the Web Mercator square at a place in the grid, by Newton's steps.
   * @param {number} col
   * @param {number} row
   */
  shares(col, row) {
    const { centre, half } = this.cells.packed.fit;
    const step = 1e-4;
    let [u, v] = [0, 0];
    /** @type {(p: number, q: number) => number[]} */
    const at = (p, q) => this.cells.at(centre.x + p * half.x, centre.y + q * half.y);
    for (let round = 0; round < ROUNDS; round++) {
      const [c, r] = at(u, v);
      const [cu, ru] = at(u + step, v).map((value, i) => (value - [c, r][i]) / step);
      const [cv, rv] = at(u, v + step).map((value, i) => (value - [c, r][i]) / step);
      const whole = cu * rv - cv * ru;
      u += ((col - c) * rv - (row - r) * cv) / whole;
      v += ((row - r) * cu - (col - c) * ru) / whole;
    }
    return [centre.x + u * half.x, centre.y + v * half.y];
  }

  /**
   * @param {number} col in cells from the corner of the grid
   * @param {number} row
   */
  place(col, row) {
    const c = Math.min(Math.max(Math.floor(col / EVERY), 0), this.columns - 2);
    const r = Math.min(Math.max(Math.floor(row / EVERY), 0), this.corners.length / this.columns - 2);
    const [fx, fy] = [col / EVERY - c, row / EVERY - r];
    const [a, b, p, q] = [0, 1, this.columns, this.columns + 1].map((n) => this.corners[r * this.columns + c + n]);
    const [x, y] = [0, 1].map((i) => (a[i] * (1 - fx) + b[i] * fx) * (1 - fy) + (p[i] * (1 - fx) + q[i] * fx) * fy);
    return L.latLng((Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI, x * 360 - 180);
  }

  /** @param {number[]} at metres */
  placeOf([x, y]) {
    return this.place(x / this.cellMetres, y / this.cellMetres);
  }
}
