/* Barriers: what nobody walks across on the straight line between a place and a street. The rule is
   that of network/barriers.py. */

/** @import { PackedBarriers } from "./types.js" */

import { beginsOf, project, summed, unpackSigned, unpackSteps } from "./streets.js";

const STOP_SHORT = 0.05; // metres that a line ends before its street
const OWN_SIDE = 2;
const RIM = 5;
const SLACK = 1e-6; // metres, against rounding

/** @typedef {{ ax: number, ay: number, bx: number, by: number, owner: number }} Piece */

/**
 * @param {number} ax
 * @param {number} ay
 * @param {number} bx
 * @param {number} by
 * @param {number} px
 * @param {number} py
 */
const side = (ax, ay, bx, by, px, py) => (bx - ax) * (py - ay) - (by - ay) * (px - ax);

export class Barriers {
  /**
   * @param {Piece[]} pieces
   * @param {number[][][][]} areas the rings of each barrier, none of a line
   */
  constructor(pieces, areas) {
    this.pieces = pieces;
    this.areas = areas;
  }

  /**
   * @param {PackedBarriers} packed
   * @param {number} unit metres of one
   */
  static async open(packed, unit) {
    const [rings, counts, { dx, dy }] = await Promise.all([
      unpackSigned(packed.rings_of_area),
      unpackSigned(packed.points),
      unpackSteps(packed.steps),
    ]);
    const [x, y, begins] = [summed(dx), summed(dy), beginsOf(counts)];
    /** @type {number[][][][]} */
    const areas = Array.from({ length: packed.n_lines }, () => []);
    const owners = Array.from({ length: packed.n_lines }, (_, n) => n);
    rings.forEach((n) => {
      for (let ring = 0; ring < n; ring++) owners.push(areas.length);
      areas.push([]);
    });
    /** @type {Piece[]} */
    const pieces = [];
    owners.forEach((owner, line) => {
      /** @type {number[][]} */
      const ring = [];
      for (let i = begins[line]; i < begins[line + 1]; i++) ring.push([x[i] * unit, y[i] * unit]);
      for (let i = 0; i + 1 < ring.length; i++) {
        pieces.push({ ax: ring[i][0], ay: ring[i][1], bx: ring[i + 1][0], by: ring[i + 1][1], owner });
      }
      if (line >= packed.n_lines) areas[owner].push(ring);
    });
    return new Barriers(pieces, areas);
  }

  /**
   * The pieces within a radius of each of some places, by the place; few places have any.
   * @param {Float64Array} px
   * @param {Float64Array} py
   * @param {number} radius
   */
  near(px, py, radius) {
    /** @type {Map<number, Piece[]>} */
    const found = new Map();
    if (!this.pieces.length) return found;
    const squares = squaresOf(px, py, radius);
    for (const piece of this.pieces) {
      const { ax, ay, bx, by } = piece;
      squares.around(Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by), radius, (place) => {
        if (project(px[place], py[place], ax, ay, bx, by).d > radius) return;
        const before = found.get(place);
        if (before) before.push(piece);
        else found.set(place, [piece]);
      });
    }
    return found;
  }

  /**
   * Whether a straight line from a place crosses one of the pieces near it.
   * @param {Piece[]} near
   * @param {number} ax
   * @param {number} ay
   * @param {number} footX
   * @param {number} footY
   */
  crossed(near, ax, ay, footX, footY) {
    const length = Math.hypot(footX - ax, footY - ay);
    const keep = length > 0 ? Math.max(length - STOP_SHORT, 0) / length : 0;
    const [bx, by] = [ax + keep * (footX - ax), ay + keep * (footY - ay)];
    /** @type {Map<number, number>} */
    const hits = new Map();
    for (const { ax: cx, ay: cy, bx: dx, by: dy, owner } of near) {
      const [c, d] = [side(ax, ay, bx, by, cx, cy), side(ax, ay, bx, by, dx, dy)];
      if (c >= 0 === d >= 0) continue;
      const [a, b] = [side(cx, cy, dx, dy, ax, ay), side(cx, cy, dx, dy, bx, by)];
      if (!((a > 0 && b < 0) || (a < 0 && b > 0))) continue;
      if (hits.has(owner) || !this.areas[owner].length) return true;
      const share = Math.abs(c) / Math.max(Math.abs(c) + Math.abs(d), 1e-300);
      hits.set(owner, Math.hypot(cx + share * (dx - cx) - ax, cy + share * (dy - cy) - ay));
    }
    for (const [owner, metres] of hits) {
      // Out of the area that the place is in, too far from its own side.
      if (holds(this.areas[owner], ax, ay) && metres > OWN_SIDE * rimOf(near, owner, ax, ay) + RIM) return true;
    }
    return false;
  }
}

/**
 * @param {Piece[]} near
 * @param {number} owner
 * @param {number} px
 * @param {number} py
 */
function rimOf(near, owner, px, py) {
  let least = Infinity;
  for (const one of near) {
    if (one.owner === owner) least = Math.min(least, project(px, py, one.ax, one.ay, one.bx, one.by).d);
  }
  return least;
}

/**
 * @param {number[][][]} rings
 * @param {number} px
 * @param {number} py
 */
function holds(rings, px, py) {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0; i + 1 < ring.length; i++) {
      const [[ax, ay], [bx, by]] = [ring[i], ring[i + 1]];
      if (ay > py !== by > py && px < ax + ((bx - ax) * (py - ay)) / (by - ay)) inside = !inside;
    }
  }
  return inside;
}

/**
 * Places in squares, so that those near something are found at once.
 * @param {Float64Array} px
 * @param {Float64Array} py
 * @param {number} radius
 */
export function squaresOf(px, py, radius) {
  let [west, east, south, north] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < px.length; i++) {
    if (px[i] < west) west = px[i];
    if (px[i] > east) east = px[i];
    if (py[i] < south) south = py[i];
    if (py[i] > north) north = py[i];
  }
  // A few places over a city need no more than a thousand squares a side.
  const size = Math.max(radius / 2, (east - west) / 1000, (north - south) / 1000, 1);
  const columns = px.length ? Math.floor((east - west) / size) + 1 : 0;
  const rows = px.length ? Math.floor((north - south) / size) + 1 : 0;
  const counts = new Int32Array(columns * rows);
  const square = new Int32Array(px.length);
  for (let i = 0; i < px.length; i++) {
    square[i] = Math.floor((py[i] - south) / size) * columns + Math.floor((px[i] - west) / size);
    counts[square[i]]++;
  }
  const begins = beginsOf(counts);
  const next = begins.slice();
  const order = new Int32Array(px.length);
  for (let i = 0; i < px.length; i++) order[next[square[i]]++] = i;
  return {
    /**
     * West, south, east and north of what may be within a distance of any place.
     * @param {number} distance
     */
    reached(distance) {
      const by = distance + SLACK;
      return [west - by, south - by, east + by, north + by];
    },
    /**
     * Calls with each place that may be within a distance of a rectangle.
     * @param {number} left
     * @param {number} bottom
     * @param {number} right
     * @param {number} top
     * @param {number} distance
     * @param {(place: number) => void} call
     */
    around(left, bottom, right, top, distance, call) {
      if (left - distance > east || right + distance < west || bottom - distance > north || top + distance < south) return;
      const c0 = Math.max(Math.floor((left - distance - west) / size), 0);
      const c1 = Math.min(Math.floor((right + distance - west) / size), columns - 1);
      const r0 = Math.max(Math.floor((bottom - distance - south) / size), 0);
      const r1 = Math.min(Math.floor((top + distance - south) / size), rows - 1);
      for (let row = r0; row <= r1; row++) {
        const end = begins[row * columns + c1 + 1];
        for (let i = begins[row * columns + c0]; i < end; i++) call(order[i]);
      }
    },
  };
}
