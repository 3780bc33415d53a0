/* Zones: cells that touch along a side, and their outlines, as analysis/zones.py has them. */

/** @typedef {{ cells: Int32Array, first: number, sum: number, label: number }} Zone cells of the grid, and what tells the zone from others */

/** @typedef {{ label: Int32Array, zones: Zone[], all: Zone[] }} Labelled the number of the zone of each cell, the zones that are large enough, and all */

const HALF_X = [0.5, 0, -0.5, 0];
const HALF_Y = [0, 0.5, 0, -0.5];
const TURNS = [3, 0, 1]; // right, on, left

/** What is needed for a moment is made once. */
const scratch = { waiting: new Int32Array(), sides: new Uint8Array() };

/**
 * Find zones among some cells of a mask that have no label yet, from the first cell to the last.
 * @param {Uint8Array} mask
 * @param {Int32Array} label is written to
 * @param {number} width
 * @param {{ from: number, to: number, next: number }} range of cells where they begin, and the first label
 */
function grow(mask, label, width, { from, to, next }) {
  if (scratch.waiting.length < mask.length) scratch.waiting = new Int32Array(mask.length);
  const { waiting } = scratch;
  /** @type {Zone[]} */
  const found = [];
  for (let start = from; start < to; start++) {
    if (!mask[start] || label[start]) continue;
    const number = next++;
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
    found.push({ cells: waiting.slice(0, end), first: start, sum, label: number });
  }
  return found;
}

/**
 * The zones of at least so many cells.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} least
 * @returns {Labelled}
 */
export function zonesOf(mask, width, least) {
  const label = new Int32Array(mask.length);
  const all = grow(mask, label, width, { from: 0, to: mask.length, next: 1 });
  return { label, all, zones: all.filter((zone) => zone.cells.length >= least) };
}

/**
 * How many zones of at least so many cells there are: by runs of cells in a row, of which those that
 * touch are joined.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} least
 */
export function countZones(mask, width, least) {
  /** Where each run begins and ends, one it is joined to, and the cells of all that are joined to it. */
  const [begins, ends, joined, size] = Array.from({ length: 4 }, () => /** @type {number[]} */ ([]));
  /** @param {number} run */
  const root = (run) => {
    while (joined[run] !== run) run = joined[run] = joined[joined[run]];
    return run;
  };
  let above = 0; // the first run of the row before that reaches as far
  for (let start = 0; start < mask.length; start += width) {
    const row = begins.length; // the first run of this one
    for (let i = start; i < start + width; i++) {
      if (!mask[i]) continue;
      const begin = i;
      while (i < start + width && mask[i]) i++;
      const run = begins.length;
      begins.push(begin);
      ends.push(i);
      joined.push(run);
      size.push(i - begin);
      while (above < row && ends[above] + width <= begin) above++;
      for (let other = above; other < row && begins[other] + width < i; other++) {
        const [one, two] = [root(other), root(run)];
        if (one === two) continue;
        joined[two] = one;
        size[one] += size[two];
      }
    }
    above = row;
  }
  let count = 0;
  for (let run = 0; run < begins.length; run++) if (joined[run] === run && size[run] >= least) count++;
  return count;
}

/**
 * The zones of a mask from those of another, of which some cells are others: what no such cell touches stays.
 * @param {Labelled} before
 * @param {Uint8Array} mask
 * @param {Int32Array} flipped the cells that are others
 * @param {number} width
 * @param {number} least
 * @returns {Labelled}
 */
export function zonesAgain(before, mask, flipped, width, least) {
  const label = before.label.slice();
  let next = 1;
  for (const zone of before.all) next = Math.max(next, zone.label + 1);
  const touched = new Uint8Array(next);
  let [from, to] = [mask.length, 0];
  for (const cell of flipped) {
    for (const i of [cell, cell - 1, cell + 1, cell - width, cell + width]) touched[before.label[i]] = 1;
    from = Math.min(from, cell);
    to = Math.max(to, cell + 1);
  }
  touched[0] = 0;
  for (const zone of before.all) {
    if (!touched[zone.label]) continue;
    for (const cell of zone.cells) {
      label[cell] = 0;
      if (cell >= to) to = cell + 1;
    }
    from = Math.min(from, zone.first);
  }
  const all = before.all.filter((zone) => !touched[zone.label]);
  all.push(...grow(mask, label, width, { from, to, next }));
  all.sort((a, b) => a.first - b.first);
  return { label, all, zones: all.filter((zone) => zone.cells.length >= least) };
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
  // All sides are gone again once the rings are walked.
  const most = 4 * corners * (label.length / width + 1);
  if (scratch.sides.length < most) scratch.sides = new Uint8Array(most);
  const { sides } = scratch;
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
