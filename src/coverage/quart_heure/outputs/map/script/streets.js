/* The streets of the page: unpacked, in metres from the corner of its grid, and linked for searches. */

/** @import { PackedPoints, PackedWalks } from "./types.js" */

import { inflate } from "./cells.js";

export const ENTERED = 1;
const NOT_FORWARD = 2;
const NOT_BACKWARD = 4;
const SQUARE = 250; // metres of the squares that edges are found by
const MOST_SQUARES = 1000; // a side
const FEW_SQUARES = 100;

/**
 * Numbers of any sign, of which each byte is packed apart.
 * @param {string[]} layers
 */
export async function unpackSigned(layers) {
  const bytes = await Promise.all(layers.map(inflate));
  const found = new Int32Array(bytes[0].length);
  for (let i = 0; i < found.length; i++) {
    let value = 0;
    for (let n = bytes.length - 1; n >= 0; n--) value = value * 256 + bytes[n][i];
    found[i] = value % 2 ? -(value + 1) / 2 : value / 2;
  }
  return found;
}

/** @param {PackedPoints} packed */
export async function unpackSteps({ x, y }) {
  const [dx, dy] = await Promise.all([unpackSigned(x), unpackSigned(y)]);
  return { dx, dy };
}

/**
 * Where the parts of a list begin that are as long as told, and where the last one ends.
 * @param {Int32Array} counts
 */
export function beginsOf(counts) {
  const begins = new Int32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) begins[i + 1] = begins[i] + counts[i];
  return begins;
}

export class Streets {
  /**
   * @param {PackedWalks} walks
   * @param {{ u: Int32Array, v: Int32Array, flags: Uint8Array, there: Float64Array, back: Float64Array }} edges
   * @param {{ x: Float32Array, y: Float32Array, begins: Int32Array }} drawing
   */
  constructor(walks, { u, v, flags, there, back }, { x, y, begins }) {
    this.n = walks.edges.n_nodes;
    this.u = u;
    this.v = v;
    this.flags = flags;
    /** Metres of level street from the first node to the second, and back. */
    this.there = there;
    this.back = back;
    this.x = x;
    this.y = y;
    this.begins = begins;
    /** Metres of drawing up to each vertex. */
    this.along = new Float64Array(x.length);
    /** West, south, east and north of each edge. */
    this.boxes = new Float32Array(4 * u.length);
    for (let edge = 0; edge < u.length; edge++) {
      const [xs, ys] = [x, y].map((side) => side.subarray(begins[edge], begins[edge + 1]));
      this.boxes.set([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], 4 * edge);
      for (let i = begins[edge] + 1; i < begins[edge + 1]; i++) {
        this.along[i] = this.along[i - 1] + Math.hypot(x[i] - x[i - 1], y[i] - y[i - 1]);
      }
    }
    this.linked = this.link();
    this.squares = this.bySquare();
  }

  /* The edges that reach into each square of the ground. */
  bySquare() {
    const { boxes } = this;
    const edges = this.u.length;
    let [west, south, east, north] = edges ? [Infinity, Infinity, -Infinity, -Infinity] : [0, 0, 0, 0];
    for (let at = 0; at < boxes.length; at += 4) {
      west = Math.min(west, boxes[at]);
      south = Math.min(south, boxes[at + 1]);
      east = Math.max(east, boxes[at + 2]);
      north = Math.max(north, boxes[at + 3]);
    }
    const size = Math.max(SQUARE, (east - west) / MOST_SQUARES, (north - south) / MOST_SQUARES);
    const columns = Math.floor((east - west) / size) + 1;
    const rows = Math.floor((north - south) / size) + 1;
    /** @type {(call: (square: number, edge: number) => void) => void} */
    const each = (call) => {
      for (let edge = 0, at = 0; edge < edges; edge++, at += 4) {
        const last = Math.floor((boxes[at + 2] - west) / size);
        const top = Math.floor((boxes[at + 3] - south) / size);
        for (let row = Math.floor((boxes[at + 1] - south) / size); row <= top; row++) {
          for (let col = Math.floor((boxes[at] - west) / size); col <= last; col++) call(row * columns + col, edge);
        }
      }
    };
    const counts = new Int32Array(columns * rows);
    each((square) => counts[square]++);
    const begins = beginsOf(counts);
    const next = begins.slice();
    const edge = new Int32Array(begins[counts.length]);
    each((square, one) => (edge[next[square]++] = one));
    return { west, south, size, columns, rows, begins, edge };
  }

  /**
   * The edges that may reach into a rectangle, in order; null where they are too many to be picked.
   * @param {number[]} box west, south, east and north
   */
  around([left, bottom, right, top]) {
    const { west, south, size, columns, rows, begins, edge } = this.squares;
    const [c0, c1] = [Math.max(Math.floor((left - west) / size), 0), Math.min(Math.floor((right - west) / size), columns - 1)];
    const [r0, r1] = [Math.max(Math.floor((bottom - south) / size), 0), Math.min(Math.floor((top - south) / size), rows - 1)];
    if ((c1 - c0 + 1) * (r1 - r0 + 1) > FEW_SQUARES) return null;
    /** @type {Set<number>} */
    const found = new Set();
    for (let row = r0; row <= r1; row++) {
      for (let col = c0; col <= c1; col++) {
        const square = row * columns + col;
        for (let i = begins[square]; i < begins[square + 1]; i++) found.add(edge[i]);
      }
    }
    return Int32Array.from(found).sort();
  }

  /** @param {PackedWalks} walks */
  static async open(walks) {
    const { unit_m: unit, length_m: lengthUnit } = walks;
    const packed = walks.edges;
    const [nodes, begun, spans, bends, steps, more, moreBack, flags] = await Promise.all([
      unpackSteps(packed.nodes),
      unpackSigned(packed.begun),
      unpackSigned(packed.span),
      unpackSigned(packed.bends),
      unpackSteps(packed.bend_steps),
      unpackSigned(packed.there),
      packed.back.length ? unpackSigned(packed.back) : null,
      inflate(packed.flags),
    ]);
    const nodeX = summed(nodes.dx);
    const nodeY = summed(nodes.dy);
    const count = packed.n_edges;
    const [u, v] = [new Int32Array(count), new Int32Array(count)];
    for (let node = 0, edge = 0; node < begun.length; node++) {
      for (let n = 0; n < begun[node]; n++, edge++) {
        u[edge] = node;
        v[edge] = node + spans[edge];
      }
    }
    const begins = beginsOf(bends.map((n) => n + 2));
    const [x, y] = [new Float32Array(begins[count]), new Float32Array(begins[count])];
    const [there, back] = [new Float64Array(count), new Float64Array(count)];
    for (let edge = 0, i = 0, bend = 0; edge < count; edge++) {
      let [atX, atY] = [nodeX[u[edge]], nodeY[u[edge]]];
      const [endX, endY] = [nodeX[v[edge]], nodeY[v[edge]]];
      let drawn = 0;
      for (let left = bends[edge] + 1; left >= 0; left--) {
        x[i] = atX * unit;
        y[i++] = atY * unit;
        if (left === 0) break;
        const last = left === 1;
        const nextX = last ? endX : atX + Math.floor((endX - atX) / left) + steps.dx[bend];
        const nextY = last ? endY : atY + Math.floor((endY - atY) / left) + steps.dy[bend];
        if (!last) bend++;
        drawn += Math.sqrt((nextX - atX) ** 2 + (nextY - atY) ** 2);
        [atX, atY] = [nextX, nextY];
      }
      const units = Math.floor(drawn * (unit / lengthUnit) + 0.5) + more[edge];
      there[edge] = units * lengthUnit;
      back[edge] = (units + (moreBack ? moreBack[edge] : 0)) * lengthUnit;
    }
    return new Streets(walks, { u, v, flags, there, back }, { x, y, begins });
  }

  /** @param {number} edge */
  forward(edge) {
    return (this.flags[edge] & NOT_FORWARD) === 0;
  }

  /** @param {number} edge */
  backward(edge) {
    return (this.flags[edge] & NOT_BACKWARD) === 0;
  }

  /* From each node, the nodes that one walks to it from, by which edge, and the metres. */
  link() {
    const { u, v, there, back, n } = this;
    const counts = new Int32Array(n);
    for (let edge = 0; edge < u.length; edge++) {
      if (this.forward(edge)) counts[v[edge]]++;
      if (this.backward(edge)) counts[u[edge]]++;
    }
    const begins = beginsOf(counts);
    const next = begins.slice();
    const total = begins[n];
    const [node, by, metres] = [new Int32Array(total), new Int32Array(total), new Float64Array(total)];
    /** @type {(tail: number, head: number, edge: number, length: number) => void} */
    const put = (tail, head, edge, length) => {
      const i = next[tail]++;
      node[i] = head;
      by[i] = edge;
      metres[i] = length;
    };
    for (let edge = 0; edge < u.length; edge++) {
      if (this.forward(edge)) put(v[edge], u[edge], edge, there[edge]);
      if (this.backward(edge)) put(u[edge], v[edge], edge, back[edge]);
    }
    return { begins, node, by, metres };
  }

  /**
   * The nearest point of an edge, as a share of its length, and the metres to it.
   * @param {number} edge
   * @param {number} px
   * @param {number} py
   */
  nearestOn(edge, px, py) {
    const { x, y, along, begins } = this;
    let [share, distance] = [0, Infinity];
    for (let i = begins[edge]; i < begins[edge + 1] - 1; i++) {
      const { t, d } = project(px, py, x[i], y[i], x[i + 1], y[i + 1]);
      if (d >= distance) continue;
      distance = d;
      share = this.shareOf(edge, along[i] + t * (along[i + 1] - along[i]));
    }
    return { share, distance };
  }

  /**
   * @param {number} edge
   * @param {number} metres of the drawing
   */
  shareOf(edge, metres) {
    const total = this.along[this.begins[edge + 1] - 1];
    return total > 0 ? Math.min(metres / total, 1) : 0;
  }

  /**
   * The drawing of a part of an edge, from one share of it to another, as points in metres.
   * @param {number} edge
   * @param {number} from
   * @param {number} to
   */
  part(edge, from, to) {
    const { x, y, along, begins } = this;
    const [low, high] = [Math.min(from, to), Math.max(from, to)];
    const [begin, last] = [begins[edge], begins[edge + 1] - 1];
    const total = along[last];
    /** @param {number} share */
    const at = (share) => {
      let i = begin;
      while (i < last - 1 && along[i + 1] < share * total) i++;
      const length = along[i + 1] - along[i];
      const t = length > 0 ? Math.min((share * total - along[i]) / length, 1) : 0;
      return [x[i] + t * (x[i + 1] - x[i]), y[i] + t * (y[i + 1] - y[i])];
    };
    const points = [at(low)];
    for (let i = begin + 1; i < last; i++) {
      if (along[i] > low * total && along[i] < high * total) points.push([x[i], y[i]]);
    }
    points.push(at(high));
    return from > to ? points.reverse() : points;
  }
}

/** @param {Int32Array} steps */
export function summed(steps) {
  const found = steps.slice();
  for (let i = 1; i < found.length; i++) found[i] += found[i - 1];
  return found;
}

/**
 * How far along a straight piece a point projects, from 0 to 1, and its distance.
 * @param {number} px
 * @param {number} py
 * @param {number} ax
 * @param {number} ay
 * @param {number} bx
 * @param {number} by
 */
export function project(px, py, ax, ay, bx, by) {
  const [dx, dy] = [bx - ax, by - ay];
  const squared = dx * dx + dy * dy;
  const t = squared > 0 ? Math.min(Math.max(((px - ax) * dx + (py - ay) * dy) / squared, 0), 1) : 0;
  return { t, d: Math.hypot(px - ax - t * dx, py - ay - t * dy) };
}
