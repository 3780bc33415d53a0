/* Zones: cells that touch along a side, and their outlines, as analysis/zones.py has them. */

/** @typedef {{ cells: Int32Array, first: number, sum: number }} Zone cells of the grid, and what tells the zone from others */

const HALF_X = [0.5, 0, -0.5, 0];
const HALF_Y = [0, 0.5, 0, -0.5];
const TURNS = [3, 0, 1]; // right, on, left

/**
 * The zones of at least so many cells.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} least
 */
export function zonesOf(mask, width, least) {
  const label = new Int32Array(mask.length);
  /** @type {Zone[]} */
  const zones = [];
  const waiting = new Int32Array(mask.length);
  for (let start = 0; start < mask.length; start++) {
    if (!mask[start] || label[start]) continue;
    const number = zones.length + 1;
    label[start] = number;
    waiting[0] = start;
    let [begin, end, sum] = [0, 1, 0];
    while (begin < end) {
      const i = waiting[begin++];
      sum += i;
      // The grid has an empty margin: no cell is at its edge.
      if (mask[i - 1] && !label[i - 1]) label[(waiting[end++] = i - 1)] = number;
      if (mask[i + 1] && !label[i + 1]) label[(waiting[end++] = i + 1)] = number;
      if (mask[i - width] && !label[i - width]) label[(waiting[end++] = i - width)] = number;
      if (mask[i + width] && !label[i + width]) label[(waiting[end++] = i + width)] = number;
    }
    zones.push({ cells: waiting.slice(0, end), first: start, sum });
  }
  return { label, zones: zones.map((zone, n) => ({ ...zone, label: n + 1 })).filter((zone) => zone.cells.length >= least) };
}

/**
 * How many cells each one of a mask is away from its rim; the innermost cell of a zone has the most.
 * @param {Uint8Array} mask
 * @param {number} width
 */
export function depths(mask, width) {
  const depth = new Int32Array(mask.length);
  for (let i = width; i < mask.length; i++) {
    if (mask[i]) depth[i] = 1 + Math.min(depth[i - 1], depth[i - width]);
  }
  for (let i = mask.length - width - 1; i >= 0; i--) {
    if (mask[i]) depth[i] = Math.min(depth[i], 1 + Math.min(depth[i + 1], depth[i + width]));
  }
  return depth;
}

/**
 * The rings around a zone through the middles of the sides of its cells, in cells; the one around it
 * comes first.
 * @param {Int32Array} cells
 * @param {Int32Array} label
 * @param {number} width
 */
export function outline(cells, label, width) {
  const number = label[cells[0]];
  // A side runs with the zone on its left, from a corner in a direction: east, north, west, south.
  const corners = width + 1;
  const steps = [1, corners, -1, -corners];
  const sides = new Uint8Array(4 * corners * (label.length / width + 1));
  /** @type {number[]} */
  const starts = [];
  /** @param {number} side */
  const put = (side) => {
    sides[side] = 1;
    starts.push(side);
  };
  for (const i of cells) {
    const corner = Math.floor(i / width) * corners + (i % width);
    if (label[i - width] !== number) put(corner * 4);
    if (label[i + 1] !== number) put((corner + 1) * 4 + 1);
    if (label[i + width] !== number) put((corner + corners + 1) * 4 + 2);
    if (label[i - 1] !== number) put((corner + corners) * 4 + 3);
  }
  const rings = [];
  for (const start of starts) {
    if (!sides[start]) continue;
    /** @type {number[][]} */
    const ring = [];
    let side = start;
    do {
      sides[side] = 0;
      const [corner, way] = [side >> 2, side & 3];
      const [x, y] = [corner % corners, Math.floor(corner / corners)];
      ring.push([x + HALF_X[way], y + HALF_Y[way]]);
      const end = (corner + steps[way]) * 4;
      // Where two cells touch at a corner only, the way turns right: no ring passes a corner twice.
      let next = start;
      for (const turn of TURNS) {
        const one = end + ((way + turn) & 3);
        if (one !== start && !sides[one]) continue;
        next = one;
        break;
      }
      side = next;
    } while (side !== start);
    rings.push(ring.filter((point, i) => turns(ring[(i + ring.length - 1) % ring.length], point, ring[(i + 1) % ring.length])));
  }
  const outer = rings.findIndex((ring) => signedArea(ring) > 0);
  return [rings[outer], ...rings.filter((_, i) => i !== outer)];
}

/**
 * @param {number[]} a
 * @param {number[]} b
 * @param {number[]} c
 */
const turns = (a, b, c) => (b[0] - a[0]) * (c[1] - b[1]) !== (b[1] - a[1]) * (c[0] - b[0]);

/** @param {number[][]} ring */
const signedArea = (ring) =>
  ring.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = ring[(i + 1) % ring.length];
    return sum + x * nextY - nextX * y;
  }, 0);
