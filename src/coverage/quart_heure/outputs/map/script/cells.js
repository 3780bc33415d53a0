/* The cells in the page: unpacked, found by place, and asked for minutes and nearest service. */
"use strict";

(function (qh) {
  const FAR = 253;
  const UNREACHABLE = 254;
  const OFF_NETWORK = 255;
  const FAR_MINUTES = 1e6; // drawn as beyond every threshold
  const FIT_DEGREE = 3;
  const FILL_PASSES = 3;

  /* Text in base64 -> bytes, inflated. */
  qh.inflate = async function (text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(inflated).arrayBuffer());
  };

  /* The same for a grid, which is packed as steps from one byte to the next. */
  qh.unpack = async function (text) {
    const bytes = await qh.inflate(text);
    for (let i = 1; i < bytes.length; i++) bytes[i] += bytes[i - 1];
    return bytes;
  };

  qh.Cells = class {
    constructor(packed) {
      this.packed = packed;
      this.width = packed.width;
      this.height = packed.height;
      this.minutes = {};
      this.nearest = {};
      this.perhaps = {};
      this.fields = new Map();
    }

    async open() {
      const { minutes, nearest, perhaps } = this.packed;
      const unpackMinutes = Object.entries(minutes).map(async ([category, text]) => {
        this.minutes[category] = await qh.unpack(text);
      });
      const unpackNearest = Object.entries(nearest).map(async ([category, { layers }]) => {
        this.nearest[category] = await Promise.all(layers.map(qh.unpack));
      });
      const unpackPerhaps = Object.entries(perhaps).map(async ([category, text]) => {
        this.perhaps[category] = await qh.unpack(text);
      });
      await Promise.all([...unpackMinutes, ...unpackNearest, ...unpackPerhaps]);
      this.mask();
      return this;
    }

    /* Which cells there are, which of them are off the network, and whose values stand in beside them. */
    mask() {
      const codes = Object.values(this.minutes)[0];
      const { width } = this;
      this.known = Uint8Array.from(codes, (code) => (code === 0 ? 0 : 1));
      const has = Uint8Array.from(codes, (code) => (code === 0 || code === OFF_NETWORK ? 0 : 1));
      const beside = [-1, 1, -width, width, -width - 1, -width + 1, width - 1, width + 1];
      this.standIns = [];
      for (let pass = 0; pass < FILL_PASSES; pass++) {
        const found = [];
        for (let i = width + 1; i < has.length - width - 1; i++) {
          if (has[i]) continue;
          const step = beside.find((way) => has[i + way]);
          if (step !== undefined) found.push(i, i + step);
        }
        for (let n = 0; n < found.length; n += 2) has[found[n]] = 1;
        this.standIns.push(...found);
      }
      this.off = this.filled((i) => (codes[i] === OFF_NETWORK ? 1 : 0), (i) => codes[i] === 0);
      for (let n = 0; n < this.standIns.length; n += 2) this.known[this.standIns[n]] = 1;
    }

    /* One number per cell; where `missing`, that of a neighbour, so that drawing has no edge there. */
    filled(value, missing) {
      const field = new Float32Array(this.width * this.height);
      for (let i = 0; i < field.length; i++) field[i] = value(i);
      const { standIns } = this;
      for (let n = 0; n < standIns.length; n += 2) {
        if (missing(standIns[n])) field[standIns[n]] = field[standIns[n + 1]];
      }
      return field;
    }

    /* Minutes of every cell for drawing. */
    field(category) {
      if (!this.fields.has(category)) {
        const codes = this.minutes[category];
        const { upper } = this.packed;
        const minutes = (i) => (codes[i] > 0 && codes[i] <= upper.length ? upper[codes[i] - 1] : FAR_MINUTES);
        this.fields.set(category, this.filled(minutes, (i) => codes[i] === 0 || codes[i] === OFF_NETWORK));
      }
      return this.fields.get(category);
    }

    /* 1 where a cell is perhaps covered at the threshold of the study, for drawing. */
    perhapsField(category) {
      const key = "perhaps " + category;
      if (!this.fields.has(key)) {
        const perhaps = this.perhaps[category];
        this.fields.set(key, this.filled((i) => perhaps[i], (i) => perhaps[i] === 0 && this.isOff(i)));
      }
      return this.fields.get(key);
    }

    isPerhaps(category, cell) {
      return category in this.perhaps && this.perhaps[category][cell] === 1;
    }

    /* Where a place lies in the grid, in cells from its south-western corner; `x` and `y` are shares
       of the Web Mercator square. */
    at(x, y) {
      const { centre, half, col, row } = this.packed.fit;
      const u = (x - centre[0]) / half[0];
      const v = (y - centre[1]) / half[1];
      let [atCol, atRow, n] = [0, 0, 0];
      for (let i = 0, ui = 1; i <= FIT_DEGREE; i++, ui *= u) {
        for (let j = 0, vj = 1; j <= FIT_DEGREE - i; j++, vj *= v) {
          atCol += col[n] * ui * vj;
          atRow += row[n] * ui * vj;
          n++;
        }
      }
      return [atCol, atRow];
    }

    /* The number of the cell that holds a place; -1 outside the area. */
    holding({ lat, lng }) {
      const x = (lng + 180) / 360;
      const y = 0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI);
      const [col, row] = this.at(x, y).map(Math.floor);
      if (col < 0 || row < 0 || col >= this.width || row >= this.height) return -1;
      const cell = row * this.width + col;
      return Object.values(this.minutes)[0][cell] === 0 ? -1 : cell;
    }

    isOff(cell) {
      return Object.values(this.minutes)[0][cell] === OFF_NETWORK;
    }

    /* {minutes, place}: at most so many minutes, Infinity where none can be reached, null where it
       is further than the page knows; place is the position of the service, -1 for one that is not shown. */
    tell(category, cell) {
      const code = this.minutes[category][cell];
      const { upper } = this.packed;
      const minutes = code === UNREACHABLE ? Infinity : code === FAR ? null : upper[code - 1];
      const [low, high] = this.nearest[category];
      const number = low[cell] + (high ? high[cell] << 8 : 0);
      const place = number === 0 ? null : this.packed.nearest[category].places[number - 1];
      return { minutes, place };
    }

    get furthest() {
      return this.packed.upper[this.packed.upper.length - 1];
    }
  };
})(window.quartHeure);
