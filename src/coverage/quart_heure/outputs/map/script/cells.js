/* The cells in the page: unpacked, found by place, and asked for minutes and nearest service. */

/** @import { PackedCells } from "./types.js" */

/**
 * What is told of a cell: at most so many minutes, Infinity where no service can be reached, null
 * where it is further than the page knows; `place` is the position of the service among those of
 * the page, -1 for one that is not shown, null where there is none.
 * @typedef {{ minutes: number | null, place: number | null }} Told
 */

const FAR_MINUTES = 1e6; // drawn as beyond every threshold
const FILL_PASSES = 3;
const NEAR = 5e-5; // minutes over a limit that are within it, whatever the rounding,
const FAR = 2e-4; // and beyond it

/**
 * Text in base64 -> bytes, inflated.
 * @param {string} text
 */
export async function inflate(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(inflated).arrayBuffer());
}

/**
 * The same for a grid, which is packed as steps from one byte to the next.
 * @param {string} text
 */
export async function unpack(text) {
  const bytes = await inflate(text);
  for (let i = 1; i < bytes.length; i++) bytes[i] += bytes[i - 1];
  return bytes;
}

/**
 * The same for numbers, which are packed as a grid for each of their bytes, the lowest first.
 * @param {string[]} layers
 */
export async function unpackNumbers(layers) {
  const bytes = await Promise.all(layers.map(unpack));
  // Loops, here and below: `from` with a function takes ten times as long on a million cells.
  const numbers = new Uint32Array(bytes[0].length);
  for (let n = bytes.length - 1; n >= 0; n--) {
    const layer = bytes[n];
    for (let i = 0; i < numbers.length; i++) numbers[i] = numbers[i] * 256 + layer[i];
  }
  return numbers;
}

/**
 * The same for a table of them, by their keys.
 * @template In, Out
 * @param {Record<string, In>} packed
 * @param {(one: In) => Promise<Out>} open
 * @returns {Promise<Record<string, Out>>}
 */
export async function unpackEach(packed, open) {
  const entries = Object.entries(packed).map(async ([key, one]) => /** @type {const} */ ([key, await open(one)]));
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * The cells that are on the network, in order.
 * @param {Uint8Array} codes of the minutes of any category
 * @param {number} off the code of those off it
 */
export function onNetwork(codes, off) {
  const cells = new Int32Array(codes.length);
  let n = 0;
  for (let i = 0; i < codes.length; i++) if (codes[i] !== 0 && codes[i] !== off) cells[n++] = i;
  return cells.slice(0, n);
}

export class Cells {
  /**
   * @param {PackedCells} packed
   * @param {Record<string, Uint8Array>} minutes
   * @param {Record<string, Uint32Array>} nearest
   * @param {Record<string, Uint8Array>} perhaps
   * @param {Uint8Array | null} water
   */
  constructor(packed, minutes, nearest, perhaps, water) {
    this.packed = packed;
    this.width = packed.width;
    this.height = packed.height;
    this.minutes = minutes;
    this.nearest = nearest;
    /** The minutes as they are, whatever is supposed. */
    this.original = { ...minutes };
    /** Of each category that is supposed otherwise, the cells whose codes differ. @type {Map<string, Int32Array>} */
    this.changed = new Map();
    /** What gives the nearest services of them. @type {Map<string, () => Uint32Array>} */
    this.nearestNow = new Map();
    /** What is drawn of them, and the cells where that is not as it is. @type {Map<string, { field: Float32Array, cells: Int32Array }>} */
    this.supposed = new Map();
    /** The same of any field. @type {WeakMap<Float32Array, { base: Float32Array, cells: Int32Array }>} */
    this.others = new WeakMap();
    /** @type {Map<string, { field: Float32Array, classes: Uint8Array }>} */
    this.insides = new Map();
    this.perhaps = perhaps;
    this.water = water;
    /** Any one of the grids: all have the same cells, and the same of them off the network. */
    this.codes = Object.values(minutes)[0];
    /** @type {Map<string, Float32Array>} */
    this.fields = new Map();
    /** Which cells there are. */
    this.known = new Uint8Array(this.codes.length);
    for (let i = 0; i < this.known.length; i++) this.known[i] = this.codes[i] === 0 ? 0 : 1;
    this.standIns = this.findStandIns();
    this.off = this.filled((i) => (this.isOff(i) ? 1 : 0), (i) => this.codes[i] === 0);
    /** 1 where any of the four cells of which it is the south-western is off the network: few are. */
    this.offAround = new Uint8Array(this.off.length);
    for (let i = 0; i < this.off.length - this.width - 1; i++) {
      if (this.off[i] + this.off[i + 1] + this.off[i + this.width] + this.off[i + this.width + 1] > 0) this.offAround[i] = 1;
    }
    for (let n = 0; n < this.standIns.length; n += 2) this.known[this.standIns[n]] = 1;
  }

  /** @param {PackedCells} packed */
  static async open(packed) {
    const [minutes, nearest, perhaps, water] = await Promise.all([
      unpackEach(packed.minutes, unpack),
      unpackEach(packed.nearest, ({ layers }) => unpackNumbers(layers)),
      unpackEach(packed.perhaps, unpack),
      packed.water ? unpack(packed.water) : null,
    ]);
    return new Cells(packed, minutes, nearest, perhaps, water);
  }

  /* Pairs of a cell that is not there or off the network, and the one beside it whose values stand in. */
  findStandIns() {
    const { width } = this;
    const has = new Uint8Array(this.codes.length);
    for (let i = 0; i < has.length; i++) has[i] = this.codes[i] === 0 || this.isOff(i) ? 0 : 1;
    const beside = [-1, 1, -width, width, -width - 1, -width + 1, width - 1, width + 1];
    /** @type {number[]} */
    const standIns = [];
    for (let pass = 0; pass < FILL_PASSES; pass++) {
      const found = [];
      for (let i = width + 1; i < has.length - width - 1; i++) {
        if (has[i]) continue;
        for (const step of beside) {
          if (!has[i + step]) continue;
          found.push(i, i + step);
          break;
        }
      }
      for (let n = 0; n < found.length; n += 2) has[found[n]] = 1;
      for (const cell of found) standIns.push(cell); // spread, a large city's would overflow the stack
    }
    return standIns;
  }

  /**
   * One number per cell; where `missing`, that of a neighbour, so that drawing has no edge there.
   * @param {(cell: number) => number} value
   * @param {(cell: number) => boolean} missing
   */
  filled(value, missing) {
    const field = new Float32Array(this.width * this.height);
    for (let i = 0; i < field.length; i++) field[i] = value(i);
    const { standIns } = this;
    for (let n = 0; n < standIns.length; n += 2) {
      if (missing(standIns[n])) field[standIns[n]] = field[standIns[n + 1]];
    }
    return field;
  }

  /**
   * @param {string} key
   * @param {(cell: number) => number} value
   * @param {(cell: number) => boolean} missing
   */
  kept(key, value, missing) {
    const field = this.fields.get(key) || this.filled(value, missing);
    this.fields.set(key, field);
    return field;
  }

  /**
   * Suppose other codes of a category, or none.
   * @param {string} category
   * @param {{ cells: Int32Array, after: Uint8Array } | null} changes the cells whose codes differ, and all codes
   * @param {() => Uint32Array} [nearest] gives the nearest service of each cell, when somebody asks
   */
  suppose(category, changes, nearest) {
    this.supposed.delete(category);
    if (nearest) this.nearestNow.set(category, nearest);
    else this.nearestNow.delete(category);
    this.minutes[category] = changes ? changes.after : this.original[category];
    if (changes) this.changed.set(category, changes.cells);
    else this.changed.delete(category);
  }

  /**
   * The nearest service of every cell: its position among the places of the category, and 1; 0 for none.
   * @param {string} category
   */
  nearestOf(category) {
    const now = this.nearestNow.get(category);
    return now ? now() : this.nearest[category];
  }

  /**
   * Minutes of every cell for drawing.
   * @param {string} category
   */
  field(category) {
    const before = this.supposed.get(category);
    if (before) return before.field;
    const changed = this.changed.get(category);
    const codes = this.minutes[category];
    const original = changed ? this.original[category] : codes;
    const upper = this.packed.upper_min;
    /** @param {number} code */
    const minutes = (code) => (code > 0 && code <= upper.length ? upper[code - 1] : FAR_MINUTES);
    const base = this.kept(category, (i) => minutes(original[i]), (i) => original[i] === 0 || this.isOff(i));
    if (!changed) return base;
    const { standIns } = this;
    const field = base.slice();
    const apart = new Int32Array(changed.length + standIns.length / 2);
    let size = changed.length;
    apart.set(changed);
    for (const cell of changed) field[cell] = minutes(codes[cell]);
    for (let n = 0; n < standIns.length; n += 2) {
      const [cell, value] = [standIns[n], field[standIns[n + 1]]];
      if (field[cell] === value) continue;
      field[cell] = value;
      apart[size++] = cell;
    }
    const cells = apart.slice(0, size);
    this.supposed.set(category, { field, cells });
    this.others.set(field, { base, cells });
    return field;
  }

  /**
   * The cells where one field may not be as another, some of them twice; null where nothing is known.
   * @param {Float32Array} one
   * @param {Float32Array} two
   */
  apart(one, two) {
    if (one === two) return [];
    const [a, b] = [this.others.get(one), this.others.get(two)];
    if ((a ? a.base : one) !== (b ? b.base : two)) return null;
    return [...(a ? [a.cells] : []), ...(b ? [b.cells] : [])];
  }

  /**
   * Whether all that is drawn between four cells, of which one is the south-western, is within some
   * minutes: 1 where it is for sure, 0 where nothing is, 2 where it is to be looked at.
   * @param {string} category
   * @param {number} minutes
   */
  inside(category, minutes) {
    const field = this.field(category);
    const key = category + " " + minutes;
    const [low, high] = [minutes + NEAR, minutes + FAR];
    const { width } = this;
    /** @type {(classes: Uint8Array, k: number, values: Float32Array) => void} */
    const put = (classes, k, values) => {
      const [a, b, c, d] = [values[k], values[k + 1], values[k + width], values[k + width + 1]];
      classes[k] = a <= low && b <= low && c <= low && d <= low ? 1 : a > high && b > high && c > high && d > high ? 0 : 2;
    };
    const supposed = this.supposed.get(category);
    const base = supposed ? this.fields.get(category) : field;
    let known = this.insides.get(key);
    if (!known || known.field !== base) {
      const classes = new Uint8Array(field.length);
      if (base) for (let k = 0; k < field.length - width - 1; k++) put(classes, k, base);
      known = { field: base || field, classes };
      this.insides.set(key, known);
    }
    if (!supposed) return known.classes;
    const classes = known.classes.slice();
    /** @param {number} value */
    const side = (value) => (value <= low ? 1 : value > high ? 0 : 2);
    for (const cell of supposed.cells) {
      if (base && side(base[cell]) === side(field[cell])) continue;
      for (const k of [cell, cell - 1, cell - width, cell - width - 1]) put(classes, k, field);
    }
    return classes;
  }

  /**
   * 1 where a cell is perhaps covered at the threshold of the study, for drawing.
   * @param {string} category
   */
  perhapsField(category) {
    const perhaps = this.perhaps[category];
    return this.kept("perhaps " + category, (i) => perhaps[i], (i) => perhaps[i] === 0 && this.isOff(i));
  }

  /**
   * @param {string} category
   * @param {number} cell
   */
  isPerhaps(category, cell) {
    return category in this.perhaps && this.perhaps[category][cell] === 1;
  }

  /**
   * Where a place lies in the grid, in cells from its south-western corner; `x` and `y` are shares
   * of the Web Mercator square.
   * @param {number} x
   * @param {number} y
   */
  at(x, y) {
    const { degree, centre, half, col, row } = this.packed.fit;
    const u = (x - centre.x) / half.x;
    const v = (y - centre.y) / half.y;
    let [atCol, atRow, n] = [0, 0, 0];
    for (let i = 0, ui = 1; i <= degree; i++, ui *= u) {
      for (let j = 0, vj = 1; j <= degree - i; j++, vj *= v) {
        atCol += col[n] * ui * vj;
        atRow += row[n] * ui * vj;
        n++;
      }
    }
    return [atCol, atRow];
  }

  /**
   * The number of the square of the grid that holds a place, of the area or not; -1 off the grid.
   * @param {L.LatLng} place
   */
  square({ lat, lng }) {
    const x = (lng + 180) / 360;
    const y = 0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI);
    const [col, row] = this.at(x, y).map(Math.floor);
    if (col < 0 || row < 0 || col >= this.width || row >= this.height) return -1;
    return row * this.width + col;
  }

  /**
   * The number of the cell that holds a place; -1 outside the area and in water.
   * @param {L.LatLng} place
   */
  holding(place) {
    const cell = this.square(place);
    return cell < 0 || this.codes[cell] === 0 ? -1 : cell;
  }

  /** @param {L.LatLng} place */
  isWater(place) {
    const cell = this.square(place);
    return cell >= 0 && this.water !== null && this.water[cell] === 1;
  }

  /** @param {number} cell */
  isOff(cell) {
    return this.codes[cell] === this.packed.off_network;
  }

  /**
   * @param {string} category
   * @param {number} cell
   * @returns {Told}
   */
  tell(category, cell) {
    const code = this.minutes[category][cell];
    const { upper_min: upper, unreachable, far } = this.packed;
    const minutes = code === unreachable ? Infinity : code === far ? null : upper[code - 1];
    const number = this.nearestOf(category)[cell];
    const place = number === 0 ? null : this.packed.nearest[category].places[number - 1];
    return { minutes, place };
  }

  get furthest() {
    return this.packed.upper_min[this.packed.upper_min.length - 1];
  }
}
