/* Marks of services: a shape and a colour for each category, so that one alone is enough. */

/** @import { PageData, Service } from "./types.js" */
/** @import { Hours } from "./hours.js" */

/** @typedef {[number, number][] | null} Corners of a shape of about the same area as the circle of radius 1, which is null */
/** @typedef {"in" | "out" | "left" | "open" | "perhaps" | "closed"} Kind */

import { sample } from "./draw.js";
import { constants, palette } from "./page.js";

const FULL = 2 * Math.PI;

/**
 * A regular polygon of n corners, the first one upwards.
 * @param {number} n
 * @param {number} size
 * @param {number} [turn]
 * @param {number} [inner] draws in every second corner
 * @returns {[number, number][]}
 */
function corners(n, size, turn, inner) {
  return Array.from({ length: n }, (_, i) => {
    const angle = (FULL * i) / n - Math.PI / 2 + (turn || 0);
    const radius = size * (inner && i % 2 ? inner : 1);
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

const SHAPES = [
  null,
  corners(4, 1.28, Math.PI / 4),
  corners(3, 1.5),
  corners(4, 1.36),
  corners(10, 1.55, 0, 0.52),
  corners(3, 1.5, Math.PI),
  corners(5, 1.25),
  corners(8, 1.5, 0, 0.5),
];

/**
 * The shape of a category by its place among the categories of the map.
 * @param {PageData} data
 * @param {string} category
 * @returns {Corners}
 */
export function shapeOf(data, category) {
  const categories = data.views.filter((view) => view.kind === "category");
  return SHAPES[categories.findIndex((view) => view.id === category) % SHAPES.length];
}

/**
 * What lies to the right of the middle of a polygon.
 * @param {[number, number][]} shape
 * @returns {[number, number][]}
 */
function rightHalf(shape) {
  return shape.flatMap(([x, y], i) => {
    const [nextX, nextY] = shape[(i + 1) % shape.length];
    /** @type {[number, number][]} */
    const kept = x >= 0 ? [[x, y]] : [];
    if (x >= 0 !== nextX >= 0) kept.push([0, y + ((nextY - y) * x) / (x - nextX)]);
    return kept;
  });
}

/**
 * The path of a shape; with `half`, filling by the even-odd rule leaves its right half empty.
 * @param {Corners} shape
 * @param {{ x: number, y: number }} at
 * @param {number} radius
 * @param {boolean} half
 */
function shapePath(shape, { x, y }, radius, half) {
  if (!shape) {
    const arc = "a" + radius + "," + radius + " 0 1,";
    const right = "M" + x + "," + (y - radius) + arc + "1 0," + radius * 2 + "Z";
    return "M" + (x - radius) + "," + y + arc + "0 " + radius * 2 + ",0 " + arc + "0 " + -radius * 2 + ",0 " + (half ? right : "");
  }
  /** @param {[number, number]} corner */
  const at = ([dx, dy]) => (x + dx * radius).toFixed(1) + "," + (y + dy * radius).toFixed(1);
  /** @param {[number, number][]} some */
  const path = (some) => "M" + some.map(at).join("L") + "Z";
  return path(shape) + (half ? path(rightHalf(shape)) : "");
}

/* A circle marker of another shape; drawn by Leaflet's SVG renderer. */
export class Mark extends L.CircleMarker {
  _updatePath() {
    const { shape, half } = this.options;
    this._renderer._setPath(this, shapePath(shape || null, this._point, this._radius, half || false));
  }
}

/** @type {Kind[]} */
const SMALL = ["left", "closed"];

/**
 * The mark of a service: "in" the area, "out" of it, or "left" out of the count; at an hour "open",
 * "perhaps" open or "closed". Those that serve nobody are small, what is not sure is half filled.
 * @param {string} colour
 * @param {Kind} kind
 */
export function markStyle(colour, kind) {
  const filled = kind === "in" || kind === "open";
  return {
    small: SMALL.includes(kind),
    half: kind === "perhaps",
    color: filled ? palette.blank : colour,
    fillColor: filled || kind === "perhaps" ? colour : palette.blank,
    weight: kind === "closed" ? 1.5 : 2,
    fillOpacity: 1,
    dashArray: kind === "left" ? "2 3" : undefined,
  };
}

/**
 * The same in a list or the legend.
 * @param {string} colour
 * @param {Corners} shape
 * @param {Kind} kind
 */
export function mark(colour, shape, kind) {
  const { canvas, pen } = sample(36, 28, "dot");
  const style = markStyle(colour, kind);
  const path = new Path2D(shapePath(shape, { x: 9, y: 7 }, style.small ? 3.6 : 4.4, style.half));
  pen.scale(2, 2);
  pen.fillStyle = style.fillColor;
  pen.fill(path, "evenodd");
  pen.strokeStyle = colour;
  pen.lineWidth = style.weight;
  if (style.dashArray) pen.setLineDash([2, 2]);
  if (style.color === colour) pen.stroke(path);
  return canvas;
}

/**
 * @param {Service} service
 * @param {Hours} hours
 * @param {number | null} hour null where hours play no part
 * @returns {Kind}
 */
export function kindOf(service, hours, hour) {
  if (service.left_out) return "left";
  if (hour === null) return service.outside ? "out" : "in";
  const state = hours.tellService(service, hour);
  return state === constants.sure ? "open" : state === constants.perhaps ? "perhaps" : "closed";
}
