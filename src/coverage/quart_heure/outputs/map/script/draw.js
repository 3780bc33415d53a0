/* How the map is drawn: shapes from steps, colours, patterns and samples of them. */

/** @import { Paint } from "./types.js" */

import { constants, el, palette } from "./page.js";

/** The colour of the page's text. */
export const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();

/** @param {number} units */
export const degrees = (units) => units / constants.units_per_degree;

/**
 * [x, y, dx, dy, …] in units -> places
 * @param {number[]} steps
 */
export function points(steps) {
  const found = [];
  let x = 0;
  let y = 0;
  for (let i = 0; i + 1 < steps.length; i += 2) {
    x += steps[i];
    y += steps[i + 1];
    found.push(L.latLng(degrees(y), degrees(x)));
  }
  return found;
}

/**
 * How far a ring reaches, in units: small holes are filled but not outlined.
 * @param {number[]} steps
 */
export function reach(steps) {
  let [x, y] = steps;
  let [west, east, south, north] = [x, x, y, y];
  for (let i = 2; i + 1 < steps.length; i += 2) {
    x += steps[i];
    y += steps[i + 1];
    west = Math.min(west, x);
    east = Math.max(east, x);
    south = Math.min(south, y);
    north = Math.max(north, y);
  }
  return Math.max(east - west, north - south);
}

/**
 * The step from the last point of a ring back to its first.
 * @param {number[]} ring
 */
export function closing(ring) {
  let [x, y] = [0, 0];
  for (let i = 2; i + 1 < ring.length; i += 2) {
    x -= ring[i];
    y -= ring[i + 1];
  }
  return [x, y];
}

/** @param {number[][][]} parts */
export const polygon = (parts) => parts.map((rings) => rings.map(points));

/**
 * Red, green and blue of a colour such as "#3b9184".
 * @param {string} colour
 */
export const channels = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));

/**
 * n colours from the first to the last of a list, mixed between neighbours.
 * @param {string[]} list
 * @param {number} n
 */
export function shadesOf(list, n) {
  const known = list.map(channels);
  return Array.from({ length: n }, (_, i) => {
    const at = n === 1 ? 0 : (i * (list.length - 1)) / (n - 1);
    const low = Math.floor(at);
    const high = Math.min(low + 1, list.length - 1);
    const mixed = known[low].map((value, c) => Math.round(value + (known[high][c] - value) * (at - low)));
    return "#" + mixed.map((value) => value.toString(16).padStart(2, "0")).join("");
  });
}

/** @param {HTMLCanvasElement} canvas */
export function penOf(canvas) {
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("This browser draws no canvas.");
  return pen;
}

/**
 * A hatch whose tile is `size` CSS pixels wide; drawn at the density of the screen.
 * @param {string} background
 * @param {string} line
 * @param {number} size
 * @param {number} width
 */
function hatch(background, line, size, width) {
  const density = window.devicePixelRatio || 1;
  const tile = el("canvas");
  tile.width = tile.height = Math.round(size * density);
  const pen = penOf(tile);
  pen.scale(tile.width / size, tile.height / size);
  if (background) {
    pen.fillStyle = background;
    pen.fillRect(0, 0, size, size);
  }
  pen.strokeStyle = line;
  pen.lineWidth = width;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift - 2, size + 2);
    pen.lineTo(shift + size + 2, -2);
  }
  pen.stroke();
  const pattern = pen.createPattern(tile, "repeat");
  if (!pattern) throw new Error("This browser draws no pattern.");
  // Leaflet's canvas is scaled for dense screens (by two): the tile is shrunk by as much.
  pattern.setTransform(new DOMMatrix().scale(size / tile.width));
  return pattern;
}

/** One for all gaps. @type {Map<string, CanvasPattern>} */
const gapFills = new Map();

/**
 * The fill of gaps: lines, so that it stands out without colour; minutes are painted under them, and
 * where there are none the lines have a ground of their own.
 * @param {boolean} ground
 */
export function gapFill(ground) {
  const key = ground + " " + (window.devicePixelRatio || 1);
  const fill = gapFills.get(key) || hatch(ground ? palette.gap : "", palette.gap_hatch, 8, 1.2);
  gapFills.set(key, fill);
  return fill;
}

/**
 * @param {number} width
 * @param {number} height
 * @param {string} [kind]
 */
export function sample(width, height, kind) {
  const name = kind ? "swatch " + kind : "swatch";
  const canvas = el("canvas", { class: name, width: String(width), height: String(height), "aria-hidden": "true" });
  return { canvas, pen: penOf(canvas) };
}

/**
 * The sample of a paint in the legend.
 * @param {Paint} paint
 */
export function swatch(paint) {
  const { canvas, pen } = sample(36, 24);
  pen.fillStyle = paint.fill || palette.paper;
  pen.fillRect(0, 0, 36, 24);
  if (!paint.line) return canvas;
  pen.fillStyle = paint.line;
  for (let y = 0; y < 24; y++) {
    for (let x = 0; x < 36; x++) if (onLine(paint, x, y, 2)) pen.fillRect(x, y, 1, 1);
  }
  return canvas;
}

/**
 * The sample of gaps: filled where they are painted, else their outline alone.
 * @param {boolean} filled
 */
export function gapSwatch(filled) {
  const { canvas, pen } = sample(36, 24);
  pen.scale(2, 2);
  pen.fillStyle = filled ? gapFill(true) : palette.blank;
  pen.fillRect(0, 0, 18, 12);
  pen.lineWidth = 1.6;
  pen.strokeStyle = palette.gap_line;
  pen.strokeRect(0.8, 0.8, 16.4, 10.4);
  return canvas;
}

/**
 * Whether a pixel is on a line or a dot of a paint that has some.
 * @param {Paint} paint
 * @param {number} x
 * @param {number} y
 * @param {number} scale pixels that make one of CSS
 */
export function onLine({ gap_px, dots }, x, y, scale) {
  const size = (gap_px || 1) * scale;
  const across = (((x + y) % size) + size) % size;
  if (!dots) return across < 1.3 * scale;
  const along = (((x - y) % size) + size) % size;
  return across < 2.2 * scale && along < 2.2 * scale;
}
