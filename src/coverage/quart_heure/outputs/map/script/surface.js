/* The painter of cells: every pixel of the view is classified from the cells around it. */

/** @import { Paint } from "./types.js" */
/** @import { Cells } from "./cells.js" */

/**
 * What a scene paints a place with: the number of its paint, `fx` and `fy` cells east and north of
 * the centre of cell `k`.
 * @typedef {(k: number, fx: number, fy: number) => number} Brush
 */

/** @typedef {{ fill: number, line: number, paint: Paint }} Mixed colours as numbers; 0 is none */

import { channels, onLine, penOf } from "./draw.js";
import { el, palette } from "./page.js";

const BLOCK = 32; // pixels between which places in the grid are interpolated
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
    /** @type {{ paints: Paint[], brush: Brush } | null} */
    this.scene = null;
    /** @type {ImageData | null} */
    this.image = null;
  }

  /** @param {{ paints: Paint[], brush: Brush }} scene */
  setScene(scene) {
    this.scene = scene;
    if (this._map) this.paint();
    return this;
  }

  _initContainer() {
    this._container = el("canvas", { class: "surface" });
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
    if (!this.scene || !this._bounds) return;
    const canvas = this._container;
    const size = this._bounds.getSize();
    const wanted = Math.min(window.devicePixelRatio || 1, 2);
    const scale = Math.min(wanted, Math.max(0.5, Math.sqrt(MOST_PIXELS / (size.x * size.y))));
    canvas.width = Math.ceil(size.x * scale);
    canvas.height = Math.ceil(size.y * scale);
    canvas.style.width = canvas.width / scale + "px";
    canvas.style.height = canvas.height / scale + "px";
    L.DomUtil.setPosition(canvas, this._bounds.min);
    if (!canvas.width || !canvas.height) return; // the panel covers the whole map
    const pen = penOf(canvas);
    // Megabytes that are the same each time but for their colours.
    const { width, height } = canvas;
    if (this.image?.width !== width || this.image.height !== height) this.image = pen.createImageData(width, height);
    const pixels = new Uint32Array(this.image.data.buffer);
    pixels.fill(0);
    this.fill(this.scene, pixels, width, height, scale);
    pen.putImageData(this.image, 0, 0);
    this.cut(pen, scale);
  }

  /**
   * @param {{ paints: Paint[], brush: Brush }} scene
   * @param {Uint32Array} pixels
   * @param {number} width
   * @param {number} height
   * @param {number} scale
   */
  fill({ paints, brush }, pixels, width, height, scale) {
    const world = this._map.getPixelWorldBounds().getSize().x;
    const origin = this._map.getPixelOrigin().add(this._bounds.min);
    const corner = this._bounds.min.multiplyBy(scale).round();
    const [firstX, firstY] = [corner.x, corner.y];
    const { cells } = this;
    const columns = cells.width;
    const { known, off, offAround } = cells;
    const ready = paints.map((paint) => mixed(paint, this.alpha));
    const offPaint = mixed({ fill: palette.off_network }, this.alpha);
    for (let y = 0, p = 0; y < height; y++) {
      const shareY = (origin.y + (y + 0.5) / scale) / world;
      let next = cells.at((origin.x + 0.5 / scale) / world, shareY);
      let [col, row, stepCol, stepRow] = [0, 0, 0, 0];
      for (let x = 0; x < width; x++, p++) {
        if (x % BLOCK === 0) {
          [col, row] = next;
          next = cells.at((origin.x + (x + BLOCK + 0.5) / scale) / world, shareY);
          stepCol = (next[0] - col) / BLOCK;
          stepRow = (next[1] - row) / BLOCK;
        } else {
          col += stepCol;
          row += stepRow;
        }
        const west = Math.floor(col - 0.5);
        const south = Math.floor(row - 0.5);
        if (west < 0 || south < 0 || west >= columns - 1 || south >= cells.height - 1) continue;
        const fx = col - 0.5 - west;
        const fy = row - 0.5 - south;
        const k = south * columns + west;
        if (!known[k + (fx > 0.5 ? 1 : 0) + (fy > 0.5 ? columns : 0)]) continue;
        const isOff = offAround[k] === 1 && mix(off, k, columns, fx, fy) > 0.5;
        const paint = isOff ? offPaint : ready[brush(k, fx, fy)];
        pixels[p] = colourAt(paint, x + firstX, y + firstY, scale);
      }
    }
  }

  /**
   * Cells reach over the edge of the area: what is beyond it is wiped off.
   * @param {CanvasRenderingContext2D} pen
   * @param {number} scale
   */
  cut(pen, scale) {
    pen.globalCompositeOperation = "destination-in";
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
    pen.globalCompositeOperation = "source-over";
  }
}
