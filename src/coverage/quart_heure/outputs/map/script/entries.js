/* Entries: where places enter the streets. The rule is that of network/snapping.py: at every street
   within some metres, or within half as much again as the nearest; never across a barrier. */

/** @import { PackedEntries, PackedWalks } from "./types.js" */
/** @import { Barriers } from "./barriers.js" */
/** @import { Streets } from "./streets.js" */

/**
 * Entries of places one after the other: `begins` where those of each begin, then the edge, the
 * share of its length, and the metres to it, at first straight, then as they count.
 * @typedef {object} Entries
 * @property {Int32Array} begins
 * @property {Int32Array} edge
 * @property {Float64Array} share
 * @property {Float64Array} metres
 */

/** @typedef {{ edge: number, share: number | null }} ListedEntry on a street, null at its nearest point */
/** @typedef {Map<number, ListedEntry[]>} Listed by place */

import { squaresOf } from "./barriers.js";
import { inflate } from "./cells.js";
import { beginsOf, ENTERED, unpackSigned } from "./streets.js";

const SHARES = 254; // steps of a share of a street, as in walks.py

/** A list that grows: entries in the order in which they are found, linked by place. */
class Found {
  /** @param {number} places */
  constructor(places) {
    this.head = new Int32Array(places).fill(-1);
    this.size = 0;
    this.make(1 << 12);
  }

  /** @param {number} room */
  make(room) {
    /** @type {(old: Int32Array | undefined) => Int32Array} */
    const whole = (old) => {
      const wider = new Int32Array(room);
      if (old) wider.set(old);
      return wider;
    };
    /** @type {(old: Float64Array | undefined) => Float64Array} */
    const real = (old) => {
      const wider = new Float64Array(room);
      if (old) wider.set(old);
      return wider;
    };
    this.next = whole(this.next);
    this.edge = whole(this.edge);
    this.share = real(this.share);
    this.metres = real(this.metres);
  }

  /**
   * @param {number} place
   * @param {number} edge
   * @param {number} share
   * @param {number} metres
   */
  put(place, edge, share, metres) {
    const before = this.head[place];
    // Pieces of an edge come one after the other: of each edge the nearest piece is kept.
    if (before >= 0 && this.edge[before] === edge) {
      if (metres >= this.metres[before]) return;
      this.share[before] = share;
      this.metres[before] = metres;
      return;
    }
    if (this.size === this.next.length) this.make(this.size * 2);
    const i = this.size++;
    this.next[i] = before;
    this.edge[i] = edge;
    this.share[i] = share;
    this.metres[i] = metres;
    this.head[place] = i;
  }
}

export class Doorways {
  /**
   * @param {PackedWalks} walks
   * @param {Streets} streets
   * @param {Barriers} barriers
   */
  constructor(walks, streets, barriers) {
    this.walks = walks;
    this.streets = streets;
    this.barriers = barriers;
  }

  /**
   * Where places enter the streets, each metre that an entry lies further than the nearest counting
   * as more than one.
   * @param {Float64Array} px
   * @param {Float64Array} py
   * @param {number} always metres within which every street is an entry
   * @param {Listed} listed the streets of those that the rule would get wrong
   */
  at(px, py, always, listed) {
    const { snap_m: most, nearest_factor: factor } = this.walks;
    const near = Math.min(always, most);
    const found = this.within(px, py, near);
    const nearest = nearestOf(found);
    const further = [];
    if (near < most) {
      for (let i = 0; i < px.length; i++) if (!(nearest[i] * factor <= near)) further.push(i);
    }
    const ways = further.length ? this.within(pick(px, further), pick(py, further), most) : found;
    const nearestAgain = further.length ? nearestOf(ways) : nearest;
    /** @type {Map<number, number>} */
    const again = new Map(further.map((place, n) => [place, n]));
    const counts = new Int32Array(px.length);
    /** @type {(place: number, call: (edge: number, share: number, metres: number) => void) => void} */
    const each = (place, call) => {
      const streets = listed.get(place);
      if (streets) {
        for (const { edge, share: told } of streets) {
          const { share, distance } = this.streets.nearestOn(edge, px[place], py[place]);
          call(edge, told === null ? share : told, distance);
        }
        return;
      }
      const n = again.get(place);
      const from = n === undefined ? found : ways;
      const reach = n === undefined ? Infinity : Math.max(always, factor * nearestAgain[n]);
      for (let i = from.head[n === undefined ? place : n]; i >= 0; i = from.next[i]) {
        if (from.metres[i] <= reach) call(from.edge[i], from.share[i], from.metres[i]);
      }
    };
    for (let place = 0; place < px.length; place++) each(place, () => counts[place]++);
    const begins = beginsOf(counts);
    const total = begins[px.length];
    const [edges, shares, metres] = [new Int32Array(total), new Float64Array(total), new Float64Array(total)];
    for (let place = 0, i = 0; place < px.length; place++) {
      each(place, (edge, share, distance) => {
        edges[i] = edge;
        shares[i] = share;
        metres[i++] = distance;
      });
      count(metres, begins[place], i, this.walks.further_factor);
    }
    return { begins, edge: edges, share: shares, metres };
  }

  /**
   * An entry for every street within a radius of each place.
   * @param {Float64Array} px
   * @param {Float64Array} py
   * @param {number} radius
   */
  within(px, py, radius) {
    const { x, y, along, begins, flags, u, boxes } = this.streets;
    const found = new Found(px.length);
    const squares = squaresOf(px, py, radius);
    const reach = radius * radius;
    // Written out, for most edges are nowhere near: west, south, east and north of all that is.
    const box = squares.reached(radius);
    const [west, south, east, north] = box;
    const some = this.streets.around(box);
    const size = some ? some.length : u.length;
    for (let n = 0; n < size; n++) {
      const edge = some ? some[n] : n;
      const at = 4 * edge;
      if (boxes[at] > east || boxes[at + 2] < west || boxes[at + 1] > north || boxes[at + 3] < south) continue;
      if (!(flags[edge] & ENTERED)) continue;
      for (let i = begins[edge]; i < begins[edge + 1] - 1; i++) {
        const [ax, ay, bx, by] = [x[i], y[i], x[i + 1], y[i + 1]];
        const [dx, dy] = [bx - ax, by - ay];
        const squared = dx * dx + dy * dy;
        squares.around(Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by), radius, (place) => {
          const [toX, toY] = [px[place] - ax, py[place] - ay];
          let t = squared > 0 ? (toX * dx + toY * dy) / squared : 0;
          t = t < 0 ? 0 : t > 1 ? 1 : t;
          const [restX, restY] = [toX - t * dx, toY - t * dy];
          const square = restX * restX + restY * restY;
          if (square > reach) return;
          const share = this.streets.shareOf(edge, along[i] + t * (along[i + 1] - along[i]));
          found.put(place, edge, share, Math.sqrt(square));
        });
      }
    }
    this.dropCrossing(found, px, py, radius);
    return found;
  }

  /**
   * @param {Found} found
   * @param {Float64Array} px
   * @param {Float64Array} py
   * @param {number} radius
   */
  dropCrossing(found, px, py, radius) {
    for (const [place, pieces] of this.barriers.near(px, py, radius)) {
      let before = -1;
      for (let i = found.head[place]; i >= 0; i = found.next[i]) {
        const [[footX, footY]] = this.streets.part(found.edge[i], found.share[i], found.share[i]);
        if (!this.barriers.crossed(pieces, px[place], py[place], footX, footY)) before = i;
        else if (before < 0) found.head[place] = found.next[i];
        else found.next[before] = found.next[i];
      }
    }
  }
}

/**
 * @param {Float64Array} metres
 * @param {number} begin
 * @param {number} end
 * @param {number} factor
 */
function count(metres, begin, end, factor) {
  let nearest = Infinity;
  for (let i = begin; i < end; i++) nearest = Math.min(nearest, metres[i]);
  for (let i = begin; i < end; i++) metres[i] = nearest + factor * (metres[i] - nearest);
}

/** @param {Found} found */
function nearestOf(found) {
  const nearest = new Float64Array(found.head.length).fill(Infinity);
  found.head.forEach((first, place) => {
    for (let i = first; i >= 0; i = found.next[i]) nearest[place] = Math.min(nearest[place], found.metres[i]);
  });
  return nearest;
}

/**
 * @param {Float64Array} values
 * @param {number[]} which
 */
const pick = (values, which) => Float64Array.from(which, (i) => values[i]);

/**
 * The streets of places that the rule would get wrong, by the name of the place.
 * @param {PackedEntries} packed
 */
export async function listedEntries(packed) {
  const [places, counts, steps] = await Promise.all([packed.places, packed.counts, packed.steps].map(unpackSigned));
  const shares = await inflate(packed.shares);
  /** @type {Listed} */
  const listed = new Map();
  let [place, first, at] = [0, 0, 0];
  places.forEach((step, n) => {
    place += step;
    /** @type {ListedEntry[]} */
    const streets = [];
    for (let i = 0, edge = first; i < counts[n]; i++, at++) {
      edge += steps[at];
      if (i === 0) first = edge;
      streets.push({ edge, share: shares[at] ? (shares[at] - 1) / SHARES : null });
    }
    listed.set(place, streets);
  });
  return listed;
}

/**
 * The same places without the entries that another one makes needless: whoever enters at the corner
 * walks past the next one sooner than a straight line gets there. No minute changes.
 * @param {Streets} streets
 * @param {Entries} entries
 */
export function neededEntries(streets, { begins, edge, share, metres }) {
  const places = begins.length - 1;
  const keep = new Uint8Array(edge.length);
  const counts = new Int32Array(places);
  const linkCounts = new Int32Array(places);
  /** @type {number[]} */
  const linkNode = [];
  /** @type {number[]} */
  const linkMetres = [];
  /** @type {number[]} */
  let nodes = [];
  /** @type {number[]} */
  let level = [];
  /** @type {(node: number) => number} */
  const indexOf = (node) => {
    const before = nodes.indexOf(node);
    if (before >= 0) return before;
    level.push(Infinity);
    return nodes.push(node) - 1;
  };
  const { u, v, there, back } = streets;
  for (let place = 0; place < places; place++) {
    const [begin, end] = [begins[place], begins[place + 1]];
    nodes = [];
    level = [];
    /** @type {number[]} */
    const atU = [];
    /** @type {number[]} */
    const atV = [];
    for (let i = begin; i < end; i++) {
      const [a, b] = [indexOf(u[edge[i]]), indexOf(v[edge[i]])];
      atU.push(a);
      atV.push(b);
      if (streets.backward(edge[i]) || share[i] === 0) level[a] = Math.min(level[a], metres[i] + share[i] * back[edge[i]]);
      if (streets.forward(edge[i]) || share[i] === 1) level[b] = Math.min(level[b], metres[i] + (1 - share[i]) * there[edge[i]]);
    }
    walkOn(streets, edge, begin, end, atU, atV, level);
    const direct = level.map(() => Infinity);
    /** @type {Set<number>} */
    const corners = new Set();
    for (let i = begin, n = 0; i < end; i++, n++) {
      const [a, b] = [atU[n], atV[n]];
      const byU = streets.forward(edge[i]) || share[i] === 0 ? level[a] + share[i] * there[edge[i]] : Infinity;
      const byV = streets.backward(edge[i]) || share[i] === 1 ? level[b] + (1 - share[i]) * back[edge[i]] : Infinity;
      if (Math.min(byU, byV) < metres[i] - 1e-9) continue;
      // Of entries at one junction, which are one point, the first stays.
      if (share[i] === 0 || share[i] === 1) {
        const corner = share[i] === 0 ? a : b;
        if (corners.has(corner)) continue;
        corners.add(corner);
      }
      keep[i] = 1;
      counts[place]++;
      if (streets.backward(edge[i]) || share[i] === 0) direct[a] = Math.min(direct[a], metres[i] + share[i] * back[edge[i]]);
      if (streets.forward(edge[i]) || share[i] === 1) direct[b] = Math.min(direct[b], metres[i] + (1 - share[i]) * there[edge[i]]);
    }
    direct.forEach((way, n) => {
      // A node that one gets to sooner by way of another need not be looked at.
      if (way === Infinity || way > level[n] + 1e-9) return;
      linkNode.push(nodes[n]);
      linkMetres.push(way);
      linkCounts[place]++;
    });
  }
  /** @type {<T extends Int32Array | Float64Array>(values: T) => T} */
  const kept = (values) => /** @type {any} */ (values.filter((_, i) => keep[i] === 1));
  return {
    entries: { begins: beginsOf(counts), edge: kept(edge), share: kept(share), metres: kept(metres) },
    links: { begins: beginsOf(linkCounts), node: Int32Array.from(linkNode), metres: Float64Array.from(linkMetres) },
  };
}

/**
 * Walk on from the junctions around a place, along its streets, while that is shorter.
 * @param {Streets} streets
 * @param {Int32Array} edge
 * @param {number} begin
 * @param {number} end
 * @param {number[]} atU
 * @param {number[]} atV
 * @param {number[]} level
 */
function walkOn(streets, edge, begin, end, atU, atV, level) {
  for (let round = 0; round < 8; round++) {
    let shorter = false;
    for (let i = begin, n = 0; i < end; i++, n++) {
      const [a, b] = [atU[n], atV[n]];
      if (streets.forward(edge[i]) && level[a] + streets.there[edge[i]] < level[b]) {
        level[b] = level[a] + streets.there[edge[i]];
        shorter = true;
      }
      if (streets.backward(edge[i]) && level[b] + streets.back[edge[i]] < level[a]) {
        level[a] = level[b] + streets.back[edge[i]];
        shorter = true;
      }
    }
    if (!shorter) return;
  }
}
