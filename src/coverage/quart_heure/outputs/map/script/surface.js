/* The painter of cells: every pixel of the view is classified from the cells around it. */

/** @import { Paint } from "./types.js" */
/** @import { Cells } from "./cells.js" */

/**
 * What a scene paints a place with: the number of its paint, `fx` and `fy` cells east and north of
 * the centre of cell `k`.
 * @typedef {(k: number, fx: number, fy: number) => number} Brush
 */

/**
 * What is painted. Scenes of one `rule` paint a place alike where their grids hold the same around it;
 * one without a rule is like no other.
 * @typedef {{ paints: Paint[], brush: Brush, rule?: string, grids?: Float32Array[] }} Painting
 */

/** @typedef {{ fill: number, line: number, paint: Paint }} Mixed colours as numbers; 0 is none */

/** @typedef {{ left: number, top: number, right: number, bottom: number }} Window of pixels */

import { channels, onLine, penOf } from "./draw.js";
import { el, palette } from "./page.js";

const BLOCK = 32; // pixels between which places in the grid are interpolated
const SQUARE = 8; // cells of a side of the squares that are looked at at once for what is new
const MARGIN = 2; // cells around a block of pixels that these may be painted from
const MOST_PIXELS = 2.4e6;

const TOLERANCE = 1e-4; // single precision

/**
 * The value of a field between the centres of four cells, of which k is the south-western.
 * @param {Float32Array} field
 * @param {number} k
 * @param {number} width
 * @param {number} fx
 * @param {number} fy
 */
export function mix(field, k, width, fx, fy) {
  const low = field[k] + (field[k + 1] - field[k]) * fx;
  const high = field[k + width] + (field[k + width + 1] - field[k + width]) * fx;
  return low + (high - low) * fy;
}

/**
 * @param {number} value
 * @param {number} limit
 */
export const within = (value, limit) => value <= limit + TOLERANCE;

/**
 * @param {string} colour
 * @param {number} alpha
 */
function pixelOf(colour, alpha) {
  const [red, green, blue] = channels(colour);
  return ((Math.round(alpha * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/**
 * A paint for pixels; without a fill nothing is painted between its lines.
 * @param {Paint} paint
 * @param {number} alpha
 * @returns {Mixed}
 */
function mixed(paint, alpha) {
  const fill = paint.fill ? pixelOf(paint.fill, alpha) : 0;
  return { fill, line: paint.line ? pixelOf(paint.line, 1) : 0, paint };
}

/**
 * The colour of a pixel: its pattern is fixed to the map, so that it does not swim.
 * @param {Mixed} colours
 * @param {number} x
 * @param {number} y
 * @param {number} scale
 */
const colourAt = ({ fill, line, paint }, x, y, scale) => (line !== 0 && onLine(paint, x, y, scale) ? line : fill);

/* A renderer follows the map as Leaflet's own do: it moves and zooms with it, then paints anew. */
export class Surface extends L.Renderer {
  /**
   * @param {Cells} cells
   * @param {L.LatLng[][][]} outline
   * @param {L.RendererOptions} options
   * @param {number} alpha
   */
  constructor(cells, outline, options, alpha) {
    super(options);
    this.cells = cells;
    this.outline = outline;
    this.alpha = alpha;
    /** @type {Painting | null} */
    this.scene = null;
    /** @type {ImageData | null} */
    this.image = null;
    /** What the image shows, uncut. @type {{ scene: Painting, key: string } | null} */
    this.painted = null;
    /** What is cut out. @type {{ key: string, canvas: HTMLCanvasElement } | null} */
    this.area = null;
  }

  /** @param {Painting} scene */
  setScene(scene) {
    this.scene = scene;
    if (this._map) this.paint();
    return this;
  }

  _initContainer() {
    this._container = el("canvas", { class: "surface" });
    this.painted = null;
  }

  _destroyContainer() {
    this._container.remove();
  }

  _updatePaths() {}

  _update() {
    super._update();
    this.paint();
  }

  paint() {
    const { scene } = this;
    if (!scene || !this._bounds) return;
    const canvas = this._container;
    const size = this._bounds.getSize();
    const wanted = Math.min(window.devicePixelRatio || 1, 2);
    const scale = Math.min(wanted, Math.max(0.5, Math.sqrt(MOST_PIXELS / (size.x * size.y))));
    const [width, height] = [size.x, size.y].map((side) => Math.ceil(side * scale));
    const corner = this._map.getPixelOrigin().add(this._bounds.min);
    const key = [width, height, scale, this._map.getZoom(), corner.x, corner.y, this._bounds.min.x, this._bounds.min.y].join(" ");
    const before = this.painted && this.painted.key === key ? this.painted.scene : null;
    const squares = before && newSquares(before, scene, this.cells);
    this.painted = { scene, key };
    if (!squares) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.width = width / scale + "px";
      canvas.style.height = height / scale + "px";
    }
    L.DomUtil.setPosition(canvas, this._bounds.min);
    if (!width || !height) return; // the panel covers the whole map
    const pen = penOf(canvas);
    // Megabytes that are the same each time but for their colours.
    if (this.image?.width !== width || this.image.height !== height) this.image = pen.createImageData(width, height);
    const pixels = new Uint32Array(this.image.data.buffer);
    const { left, top, right, bottom } = this.fill(scene, pixels, width, height, scale, squares);
    if (right <= left) return; // nothing is new
    pen.save();
    pen.beginPath();
    pen.rect(left, top, right - left, bottom - top);
    pen.clip();
    pen.putImageData(this.image, 0, 0, left, top, right - left, bottom - top);
    pen.globalCompositeOperation = "destination-in";
    pen.drawImage(this.cut(key, scale), 0, 0);
    pen.restore();
  }

  /**
   * Paint blocks of pixels, all of them or those over squares that are new. Returns the window that
   * holds what was painted.
   * @param {Painting} scene
   * @param {Uint32Array} pixels
   * @param {number} width
   * @param {number} height
   * @param {number} scale
   * @param {Squares | null} squares
   * @returns {Window}
   */
  fill({ paints, brush }, pixels, width, height, scale, squares) {
    const world = this._map.getPixelWorldBounds().getSize().x;
    const origin = this._map.getPixelOrigin().add(this._bounds.min);
    const corner = this._bounds.min.multiplyBy(scale).round();
    const [firstX, firstY] = [corner.x, corner.y];
    const { cells } = this;
    const columns = cells.width;
    const { known, off, offAround } = cells;
    const ready = paints.map((paint) => mixed(paint, this.alpha));
    const offPaint = mixed({ fill: palette.off_network }, this.alpha);
    /** @type {(x: number, y: number) => number[]} */
    const placed = (x, y) => cells.at((origin.x + (x + 0.5) / scale) / world, (origin.y + (y + 0.5) / scale) / world);
    const blocks = Math.ceil(width / BLOCK);
    const isNew = new Uint8Array(blocks).fill(1);
    const fresh = squares && squares.fresh;
    if (!fresh) pixels.fill(0);
    const painted = { left: width, top: height, right: 0, bottom: 0 };
    for (let top = 0; top < height; top += BLOCK) {
      const bottom = Math.min(top + BLOCK, height);
      if (squares) for (let n = 0; n < blocks; n++) isNew[n] = squares.within(...around(placed, n * BLOCK, top)) ? 1 : 0;
      const [first, last] = [isNew.indexOf(1), isNew.lastIndexOf(1)];
      if (first < 0) continue;
      painted.left = Math.min(painted.left, first * BLOCK);
      painted.right = Math.max(painted.right, Math.min((last + 1) * BLOCK, width));
      painted.top = Math.min(painted.top, top);
      painted.bottom = bottom;
      for (let y = top; y < bottom; y++) {
        /** @type {number[] | null} */
        let next = null;
        for (let n = first; n <= last; n++) {
          if (!isNew[n]) {
            next = null;
            continue;
          }
          const x0 = n * BLOCK;
          let [col, row] = next || placed(x0, y);
          next = placed(x0 + BLOCK, y);
          const stepCol = (next[0] - col) / BLOCK;
          const stepRow = (next[1] - row) / BLOCK;
          const end = Math.min(x0 + BLOCK, width);
          for (let x = x0, p = y * width + x0; x < end; x++, p++, col += stepCol, row += stepRow) {
            const west = Math.floor(col - 0.5);
            const south = Math.floor(row - 0.5);
            if (west < 0 || south < 0 || west >= columns - 1 || south >= cells.height - 1) continue;
            const fx = col - 0.5 - west;
            const fy = row - 0.5 - south;
            const k = south * columns + west;
            if (fresh && !fresh[k]) continue;
            if (!known[k + (fx > 0.5 ? 1 : 0) + (fy > 0.5 ? columns : 0)]) continue;
            const isOff = offAround[k] === 1 && mix(off, k, columns, fx, fy) > 0.5;
            const paint = isOff ? offPaint : ready[brush(k, fx, fy)];
            pixels[p] = colourAt(paint, x + firstX, y + firstY, scale);
          }
        }
      }
    }
    return painted;
  }

  /**
   * The area, filled: cells reach over its edge, and what is beyond it is wiped off. Drawn once for a
   * view of the map, so that a pixel at the edge is the same however little of the map is painted.
   * @param {string} key of the view
   * @param {number} scale
   */
  cut(key, scale) {
    const { width, height } = this._container;
    if (this.area && this.area.key === key) return this.area.canvas;
    const canvas = this.area ? this.area.canvas : el("canvas");
    this.area = { key, canvas };
    canvas.width = width;
    canvas.height = height;
    const pen = penOf(canvas);
    pen.beginPath();
    for (const ring of this.outline.flat()) {
      ring.forEach((at, i) => {
        const { x, y } = this._map.latLngToLayerPoint(at).subtract(this._bounds.min).multiplyBy(scale);
        if (i) pen.lineTo(x, y);
        else pen.moveTo(x, y);
      });
      pen.closePath();
    }
    pen.fill("evenodd");
    return canvas;
  }
}

/** Where in the grid a scene is not as another. */
class Squares {
  /**
   * @param {number} width
   * @param {number} height
   */
  constructor(width, height) {
    this.width = Math.ceil(width / SQUARE);
    this.height = Math.ceil(height / SQUARE);
    this.marked = new Uint8Array(this.width * this.height);
    this.columns = width;
    /** 1 where any of the four cells of which one is the south-western is another. */
    this.fresh = new Uint8Array(width * height);
  }

  /**
   * Mark what some cells that are others touch. None of them is at the edge of the grid.
   * @param {Uint8Array} others 1 where a cell is another
   */
  mark(others) {
    const { fresh, marked, columns } = this;
    for (let cell = 0, row = 0; cell < others.length; row++) {
      const first = Math.floor(row / SQUARE) * this.width;
      for (let col = 0; col < columns; col++, cell++) {
        if (!others[cell]) continue;
        fresh[cell] = fresh[cell - 1] = fresh[cell - columns] = fresh[cell - columns - 1] = 1;
        marked[first + Math.floor(col / SQUARE)] = 1;
      }
    }
  }

  /**
   * Whether any square that reaches into a rectangle of cells is marked.
   * @param {number} west
   * @param {number} south
   * @param {number} east
   * @param {number} north
   */
  within(west, south, east, north) {
    const [c0, c1] = [Math.max(Math.floor(west / SQUARE), 0), Math.min(Math.floor(east / SQUARE), this.width - 1)];
    const [r0, r1] = [Math.max(Math.floor(south / SQUARE), 0), Math.min(Math.floor(north / SQUARE), this.height - 1)];
    for (let row = r0; row <= r1; row++) {
      for (let i = row * this.width + c0; i <= row * this.width + c1; i++) if (this.marked[i]) return true;
    }
    return false;
  }
}

/**
 * The squares of the grid in which a scene is not as the one before; null where all may be new.
 * @param {Painting} before
 * @param {Painting} now
 * @param {Cells} cells
 */
function newSquares(before, now, cells) {
  if (!now.rule || before.rule !== now.rule) return null;
  const [old, grids] = [before.grids || [], now.grids || []];
  if (old.length !== grids.length) return null;
  const others = new Uint8Array(cells.known.length);
  for (const [n, grid] of grids.entries()) {
    const lists = cells.apart(old[n], grid);
    if (!lists) return null;
    const then = old[n];
    for (const list of lists) for (const cell of list) if (then[cell] !== grid[cell]) others[cell] = 1;
  }
  const squares = new Squares(cells.width, cells.height);
  squares.mark(others);
  return squares;
}

/**
 * The rectangle of cells that a block of pixels is painted from, with some to spare: between its
 * corners the grid is all but straight.
 * @param {(x: number, y: number) => number[]} placed
 * @param {number} x
 * @param {number} y
 * @returns {[west: number, south: number, east: number, north: number]}
 */
function around(placed, x, y) {
  const corners = [placed(x, y), placed(x + BLOCK, y), placed(x, y + BLOCK), placed(x + BLOCK, y + BLOCK)];
  const [cols, rows] = [corners.map(([col]) => col), corners.map(([, row]) => row)];
  const [west, east, south, north] = [Math.min(...cols), Math.max(...cols), Math.min(...rows), Math.max(...rows)];
  const spare = MARGIN + (east - west + north - south) / BLOCK;
  return [west - spare, south - spare, east + spare, north + spare];
}
