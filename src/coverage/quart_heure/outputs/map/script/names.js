/* Names and numbers written over the map. */

/** @import { District, Gap, PageData, PlaceName, Service } from "./types.js" */
/** @import { Switches } from "./layers.js" */

/**
 * What is to be written, or a place to keep clear.
 * @typedef {{ at: L.LatLngLiteral, space: number }} Space
 * @typedef {{ at: L.LatLngLiteral, text: string, size: number, font: string, colour: string, angle?: number, room?: number, mark?: boolean, needed?: boolean }} Label
 * @typedef {(map: L.Map) => (Space | Label)[]} Source the most important first
 */

import { degrees, ink, penOf } from "./draw.js";
import { el, palette } from "./page.js";
import { streetMap } from "./street_map.js";

const NAMES_FROM = [13.5, 14.25, 14.75, 15.5]; // zoom, by class of street
const REPEAT_PX = 260;
const { inks } = palette;

/* Names and numbers, on one canvas over the map, placed anew after each move. */
export class Names extends L.Layer {
  /** @param {string} pane */
  constructor(pane) {
    super();
    L.setOptions(this, { pane });
    this.canvas = el("canvas", { class: "leaflet-zoom-hide", "aria-hidden": "true" });
    /** @type {Source[]} */
    this.sources = [];
  }

  /** @param {Source[]} sources */
  setSources(sources) {
    this.sources = sources;
    if (this._map) this.place();
    return this;
  }

  getEvents() {
    const place = () => this.place();
    return { moveend: place, zoomend: place, resize: place, viewreset: place, zoomstart: () => this.hide() };
  }

  onAdd() {
    const pane = this.getPane();
    if (pane) pane.append(this.canvas);
    this.place();
    return this;
  }

  onRemove() {
    this.canvas.remove();
    return this;
  }

  hide() {
    this.canvas.style.visibility = "hidden";
  }

  place() {
    const map = this._map;
    const size = map.getSize();
    // A margin, so that names are there while the map is dragged.
    const margin = size.multiplyBy(0.2).round();
    const origin = map.containerPointToLayerPoint(margin.multiplyBy(-1));
    const full = size.add(margin.multiplyBy(2));
    const density = window.devicePixelRatio || 1;
    const { canvas } = this;
    L.DomUtil.setPosition(canvas, origin);
    canvas.width = full.x * density;
    canvas.height = full.y * density;
    canvas.style.width = full.x + "px";
    canvas.style.height = full.y + "px";
    canvas.style.visibility = "";
    const pen = penOf(canvas);
    pen.scale(density, density);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    /** @type {L.Bounds[]} */
    const taken = [];
    /** @type {L.Bounds[]} */
    const written = [];
    for (const label of this.sources.flatMap((source) => source(map))) {
      const point = map.latLngToLayerPoint(label.at).subtract(origin);
      if (point.x < 0 || point.y < 0 || point.x > full.x || point.y > full.y) continue;
      const box = "space" in label ? boxAround(point, label.space, label.space) : settled(pen, label, point, taken, written);
      if (!box) continue;
      taken.push(box);
      if (!("space" in label)) written.push(box);
    }
  }
}

/**
 * @param {L.Point} point
 * @param {number} x
 * @param {number} y
 */
const boxAround = (point, x, y) => L.bounds(point.subtract([x, y]), point.add([x, y]));

/** Steps aside, in heights of a line: what is needed stands there rather than nowhere. */
const ASIDE = [0, 1, 2].flatMap((far) => (far ? [[0, -far], [0, far], [-far * 1.3, 0], [far * 1.3, 0], [-far, -far], [far, -far], [-far, far], [far, far]] : [[0, 0]]));

/**
 * Write a label where it has room, a needed one beside its place or, where all is full, over marks.
 * @param {CanvasRenderingContext2D} pen
 * @param {Label} label
 * @param {L.Point} point
 * @param {L.Bounds[]} taken
 * @param {L.Bounds[]} written
 */
function settled(pen, label, point, taken, written) {
  if (!label.needed) return write(pen, label, point, taken);
  for (const others of [taken, written]) {
    for (const [x, y] of ASIDE) {
      const box = write(pen, label, point.add(L.point(x, y).multiplyBy(label.size * 1.1)), others);
      if (box) return box;
    }
  }
  return write(pen, label, point, []);
}

/**
 * Write a label, unless it has no room. Returns the box that it takes.
 * @param {CanvasRenderingContext2D} pen
 * @param {Label} label
 * @param {L.Point} point
 * @param {L.Bounds[]} taken
 */
function write(pen, label, point, taken) {
  pen.font = label.font + " " + label.size + "px system-ui, sans-serif";
  const width = pen.measureText(label.text).width;
  if (label.room && width > label.room) return null;
  const height = label.size;
  const turn = ((label.angle || 0) * Math.PI) / 180;
  const half = label.mark ? Math.max(width, height) / 2 + 4 : width / 2 + 3;
  const box = boxAround(
    point,
    Math.abs(Math.cos(turn)) * half + Math.abs(Math.sin(turn)) * height * 0.6,
    Math.abs(Math.sin(turn)) * half + Math.abs(Math.cos(turn)) * height * 0.6
  );
  if (taken.some((other) => other.overlaps(box))) return null;
  pen.save();
  pen.translate(point.x, point.y);
  pen.rotate(turn);
  if (label.mark) {
    pen.beginPath();
    pen.arc(0, 0, half - 1, 0, 2 * Math.PI);
    pen.fillStyle = palette.blank;
    pen.fill();
    pen.lineWidth = 1.5;
    pen.strokeStyle = label.colour;
    pen.stroke();
  } else {
    pen.lineWidth = 3;
    pen.strokeStyle = inks.halo;
    pen.strokeText(label.text, 0, 0);
  }
  pen.fillStyle = label.colour;
  pen.fillText(label.text, 0, label.mark ? 0.5 : 0);
  pen.restore();
  return box;
}

/**
 * What is to be written, the most important first.
 * @param {PageData} data
 * @param {Gap[]} gaps
 * @param {Service[]} services
 * @param {Switches} switches
 */
export function nameSources(data, gaps, services, switches) {
  /** @type {Source[]} */
  const sources = [];
  if (switches.services) sources.push(() => services.map(({ at }) => ({ at, space: 7 })));
  if (switches.gaps) sources.push((map) => gapNumbers(map, gaps));
  sources.push((map) => districtNames(map, data.ground.districts));
  if (switches.streets && !data.online) {
    sources.push((map) => placeNames(map, data.ground.place_names));
    sources.push((map) => streetNames(map));
  }
  return sources;
}

/**
 * @param {L.Map} map
 * @param {Gap[]} gaps
 * @returns {Label[]}
 */
function gapNumbers(map, gaps) {
  const metre = pixelsPerMetre(map);
  return gaps
    .filter((gap) => Math.sqrt((gap.area_ha || 0) * 10000) * metre > 16)
    .map(({ at, rank }) => ({ at, text: String(rank), font: "700", size: 12, colour: palette.gap_line, mark: true }));
}

/**
 * @param {L.Map} map
 * @param {PlaceName[]} places
 * @returns {Label[]}
 */
function placeNames(map, places) {
  const metre = pixelsPerMetre(map);
  return places
    .filter((place) => Math.sqrt(place.area_ha * 10000) * metre > 60)
    .map(({ at, name, kind }) => ({ at, text: name, font: "italic 500", size: 12, colour: inks.places[kind] || ink }));
}

/**
 * @param {L.Map} map
 * @returns {Label[]}
 */
function streetNames(map) {
  const { labels, names } = streetMap;
  const zoom = map.getZoom();
  const metre = pixelsPerMetre(map);
  const view = map.getBounds().pad(0.2);
  /** @type {Map<number, L.Point[]>} */
  const placed = new Map();
  /** @type {Label[]} */
  const found = [];
  labels.name.forEach((name, i) => {
    if (zoom < NAMES_FROM[labels.level[i]]) return;
    const at = L.latLng(degrees(labels.y[i]), degrees(labels.x[i]));
    if (!view.contains(at)) return;
    const point = map.latLngToLayerPoint(at);
    const before = placed.get(name) || [];
    // The two carriageways of a street, or its next stretch, need not repeat the name.
    if (before.some((other) => other.distanceTo(point) < REPEAT_PX)) return;
    placed.set(name, [...before, point]);
    const room = labels.room_m[i] * metre;
    found.push({ at, text: names[name], font: "500", size: 11, colour: inks.street, angle: labels.angle_deg[i], room });
  });
  return found;
}

/**
 * @param {L.Map} map
 * @param {District[]} districts
 * @returns {Label[]}
 */
function districtNames(map, districts) {
  const zoom = map.getZoom();
  const size = zoom >= 13 ? 15 : zoom >= 11.5 ? 13 : 11;
  return districts.map(({ at, label }) => ({ at, text: label, font: "600", size, colour: ink, needed: true }));
}

/** @param {L.Map} map */
function pixelsPerMetre(map) {
  const centre = map.getCenter();
  const aside = L.latLng(centre.lat, centre.lng + 0.01);
  return (map.project(aside).x - map.project(centre).x) / map.distance(centre, aside);
}
