/* A picture of what is shown: the sentence, the map, its legend, its date and its sources. */

/** @import { Words } from "./words.js" */

import { ink, penOf } from "./draw.js";
import { byId, el, palette } from "./page.js";

const SCALE = 2; // pixels of the picture that make one of CSS
const EDGE = 24;
const SIGN = 28;
const LEGEND = 250;
const NARROW = 620; // a map below this has its legend under it
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif";

/** @typedef {{ text: string, size: number, weight?: number, colour?: string, sign?: HTMLCanvasElement | null, after?: number }} Line */

/** @param {Line} line */
const fontOf = ({ size, weight }) => (weight || 400) + " " + size + "px " + FONT;

/**
 * A text cut into lines that have room; a word that has none is cut, too.
 * @param {CanvasRenderingContext2D} pen
 * @param {string} text
 * @param {number} room
 */
function wrapped(pen, text, room) {
  /** @type {string[]} */
  const lines = [];
  let line = "";
  for (let word of text.split(/[ \n\t]+/).filter(Boolean)) {
    const longer = line ? line + " " + word : word;
    if (pen.measureText(longer).width <= room) {
      line = longer;
      continue;
    }
    if (line) lines.push(line);
    while (pen.measureText(word).width > room && word.length > 1) {
      let end = word.length - 1;
      while (end > 1 && pen.measureText(word.slice(0, end)).width > room) end--;
      lines.push(word.slice(0, end));
      word = word.slice(end);
    }
    line = word;
  }
  if (line) lines.push(line);
  return lines;
}

/**
 * Write lines one below the other; returns how far they reach. Without `draw` they are only measured.
 * @param {CanvasRenderingContext2D} pen
 * @param {Line[]} lines
 * @param {{ x: number, y: number, room: number, draw: boolean }} where
 */
function written(pen, lines, { x, y, room, draw }) {
  let at = y;
  for (const line of lines) {
    pen.font = fontOf(line);
    const begin = line.sign === undefined ? x : x + SIGN;
    const step = Math.round(line.size * 1.35);
    if (draw && line.sign) pen.drawImage(line.sign, x, at + 1, line.sign.width / 2, line.sign.height / 2);
    for (const text of wrapped(pen, line.text, room - (begin - x))) {
      pen.fillStyle = line.colour || ink;
      if (draw) pen.fillText(text, begin, at);
      at += step;
    }
    at += line.after ?? 4;
  }
  return at;
}

/** @param {string} selector */
const textsOf = (selector) =>
  [...document.querySelectorAll(selector)]
    .map((node) => (node.textContent || "").replace(/[ \n\t]+/g, " ").trim())
    .filter(Boolean);

/** @returns {Line[]} */
function head() {
  const [place] = textsOf(".top h1");
  const asked = textsOf(".top .asked");
  const sentence = textsOf("#sentence").length ? textsOf("#sentence, #doubt") : textsOf("#summary");
  const [first, ...others] = sentence;
  return [
    { text: place, size: 14, colour: palette.outline },
    ...asked.map((text) => ({ text, size: 14, weight: 600 })),
    { text: first || "", size: 22, weight: 600, after: 6 },
    ...others.map((text) => ({ text, size: 14 })),
  ];
}

/** @returns {Line[]} */
function legendLines() {
  const rows = [...document.querySelectorAll("#legend-ramp:not([hidden]) li, #legend-list li")];
  return [
    { text: byId("legend-title").textContent || "", size: 14, weight: 600, after: 8 },
    ...rows.map((row) => ({ text: (row.textContent || "").trim(), size: 13, sign: row.querySelector("canvas") })),
  ];
}

/**
 * @param {Words} words
 * @returns {Line[]}
 */
function foot(words) {
  const lines = [words.say("attribution"), ...textsOf("#about-data li")];
  return lines.map((text) => ({ text, size: 11, after: 1, colour: palette.inks.street }));
}

/**
 * The map as the screen has it: its canvases, its marks, and what is written over it.
 * @param {CanvasRenderingContext2D} pen
 * @param {L.Map} map
 */
function drawMap(pen, map) {
  const frame = map.getContainer().getBoundingClientRect();
  pen.fillStyle = palette.outside;
  pen.fillRect(0, 0, frame.width, frame.height);
  const panes = Object.values(map.getPanes()).filter((pane) => pane.parentElement === map.getPanes().mapPane);
  panes.sort((a, b) => Number(getComputedStyle(a).zIndex) - Number(getComputedStyle(b).zIndex));
  for (const pane of panes) {
    for (const node of pane.querySelectorAll("canvas")) {
      if (!node.width || !node.height || node.style.visibility === "hidden") continue;
      const { left, top, width, height } = node.getBoundingClientRect();
      pen.drawImage(node, left - frame.left, top - frame.top, width, height);
    }
    for (const node of pane.querySelectorAll("svg")) drawShapes(pen, node, map);
    for (const node of pane.querySelectorAll(".proposed-mark")) drawProposed(pen, node, frame);
  }
  drawScale(pen, frame);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {SVGSVGElement} svg
 * @param {L.Map} map
 */
function drawShapes(pen, svg, map) {
  const { x, y } = map.layerPointToContainerPoint([0, 0]);
  pen.save();
  pen.translate(x, y);
  for (const path of svg.querySelectorAll("path")) {
    const shape = new Path2D(path.getAttribute("d") || "");
    /** @param {string} name */
    const told = (name) => path.getAttribute(name) || "";
    pen.setLineDash((told("stroke-dasharray").match(/[\d.]+/g) || []).map(Number));
    pen.lineJoin = "round";
    pen.lineCap = "round";
    if (told("fill") !== "none") {
      pen.globalAlpha = Number(told("fill-opacity") || 1);
      pen.fillStyle = told("fill");
      pen.fill(shape, told("fill-rule") === "nonzero" ? "nonzero" : "evenodd");
    }
    if (told("stroke") !== "none") {
      pen.globalAlpha = Number(told("stroke-opacity") || 1);
      pen.strokeStyle = told("stroke");
      pen.lineWidth = Number(told("stroke-width") || 1);
      pen.stroke(shape);
    }
  }
  pen.restore();
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Element} node
 * @param {DOMRect} frame
 */
function drawProposed(pen, node, frame) {
  const { left, top, width, height } = node.getBoundingClientRect();
  const [x, y] = [left - frame.left + width / 2, top - frame.top + height / 2];
  pen.save();
  pen.beginPath();
  pen.arc(x, y, width / 2, 0, 2 * Math.PI);
  pen.fillStyle = palette.proposed;
  pen.fill();
  pen.lineWidth = 2;
  pen.strokeStyle = palette.blank;
  pen.stroke();
  pen.fillStyle = palette.blank;
  pen.font = "700 13px " + FONT;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText((node.textContent || "").trim(), x, y);
  pen.restore();
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {DOMRect} frame
 */
function drawScale(pen, frame) {
  const line = document.querySelector(".leaflet-control-scale-line");
  if (!(line instanceof HTMLElement)) return;
  const [x, y] = [frame.width - line.offsetWidth - 10, frame.height - 14];
  pen.fillStyle = palette.blank;
  pen.fillRect(x - 4, y - 16, line.offsetWidth + 8, 22);
  pen.strokeStyle = pen.fillStyle = ink;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.moveTo(x, y - 5);
  pen.lineTo(x, y);
  pen.lineTo(x + line.offsetWidth, y);
  pen.lineTo(x + line.offsetWidth, y - 5);
  pen.stroke();
  pen.font = "12px " + FONT;
  pen.textBaseline = "top";
  pen.fillText(line.textContent || "", x + 5, y - 14);
}

/**
 * @param {L.Map} map
 * @param {Words} words
 */
export function drawPicture(map, words) {
  const canvas = el("canvas");
  const pen = penOf(canvas);
  const { x: mapWidth, y: mapHeight } = map.getSize();
  const below = mapWidth < NARROW;
  const inner = Math.max(mapWidth + (below ? 0 : LEGEND + EDGE), 320);
  const [top, legend, bottom] = [head(), legendLines(), foot(words)];
  /** @type {(lines: Line[], room: number) => number} */
  const measured = (lines, room) => written(pen, lines, { x: 0, y: 0, room, draw: false });
  const headHeight = measured(top, inner);
  const legendHeight = measured(legend, below ? inner : LEGEND);
  const footHeight = measured(bottom, inner);
  const middle = below ? mapHeight + EDGE + legendHeight : Math.max(mapHeight, legendHeight);
  const width = inner + 2 * EDGE;
  const height = EDGE + headHeight + 12 + middle + 16 + footHeight + EDGE;
  canvas.width = Math.ceil(width * SCALE);
  canvas.height = Math.ceil(height * SCALE);
  pen.scale(SCALE, SCALE);
  pen.textBaseline = "top";
  pen.fillStyle = palette.blank;
  pen.fillRect(0, 0, width, height);
  written(pen, top, { x: EDGE, y: EDGE, room: inner, draw: true });
  const mapTop = EDGE + headHeight + 12;
  pen.save();
  pen.translate(EDGE, mapTop);
  pen.beginPath();
  pen.rect(0, 0, mapWidth, mapHeight);
  pen.clip();
  drawMap(pen, map);
  pen.restore();
  pen.textBaseline = "top";
  const [x, y] = below ? [EDGE, mapTop + mapHeight + EDGE] : [EDGE + mapWidth + EDGE, mapTop];
  written(pen, legend, { x, y, room: below ? inner : LEGEND, draw: true });
  written(pen, bottom, { x: EDGE, y: mapTop + middle + 16, room: inner, draw: true });
  return canvas;
}
