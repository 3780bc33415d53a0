/* The streets of the ground, unpacked: what is drawn of them, their names, and where these stand. */

/** @import { FoundPlaces, Ground, PackedLines, PackedPoints } from "./types.js" */

/**
 * @typedef {{ x: ArrayLike<number>, y: ArrayLike<number> }} Places in units of degrees
 * @typedef {Places & { angle_deg: Int32Array, room_m: Int32Array, level: Int32Array, name: Int32Array }} Labels
 * @typedef {Places & { name: Int32Array, part: Int32Array }} Stretches
 * @typedef {{ text: string, kind: string, x: number, y: number, part: number }} FoundPlace
 */

import { inflate } from "./cells.js";
import { unpackSigned, unpackSteps } from "./streets.js";

/** Filled once, before anything is drawn. */
export const streetMap = {
  /** @type {number[][][]} steps of the lines of each class, the main ones first */
  classes: [],
  /** @type {string[]} */
  names: [],
  /** @type {Labels} */
  labels: {
    x: [],
    y: [],
    angle_deg: new Int32Array(),
    room_m: new Int32Array(),
    level: new Int32Array(),
    name: new Int32Array(),
  },
  /** @type {Stretches} */
  stretches: { x: [], y: [], name: new Int32Array(), part: new Int32Array() },
  /** @type {FoundPlace[]} */
  places: [],
};

/** @param {Int32Array} steps */
function summed(steps) {
  for (let i = 1; i < steps.length; i++) steps[i] += steps[i - 1];
  return steps;
}

/**
 * @param {PackedPoints} packed
 * @returns {Promise<Places>}
 */
async function unpackPlaces(packed) {
  const { dx, dy } = await unpackSteps(packed);
  return { x: summed(dx), y: summed(dy) };
}

/** @param {string} packed */
const unpackNames = async (packed) => new TextDecoder().decode(await inflate(packed)).split("\n");

/** @param {PackedLines} packed */
async function unpackLines(packed) {
  const [sizes, { dx, dy }] = await Promise.all([unpackSigned(packed.sizes), unpackSteps(packed.steps)]);
  let [at, x, y] = [0, 0, 0];
  return Array.from(sizes, (size) => {
    /** @type {number[]} */
    const line = [];
    for (const end = at + size; at < end; at++) line.push(dx[at], dy[at]);
    // A line begins where it does as seen from where the one before began.
    if (size) [x, y] = [x + line[0], y + line[1]];
    if (size) [line[0], line[1]] = [x, y];
    return line;
  });
}

/**
 * @param {FoundPlaces} packed
 * @returns {Promise<FoundPlace[]>}
 */
async function unpackFound(packed) {
  const [names, kind, { x, y }, part] = await Promise.all([
    unpackNames(packed.names),
    unpackSigned(packed.kind),
    unpackPlaces(packed.at),
    unpackSigned(packed.part),
  ]);
  return names.map((text, i) => ({ text, kind: packed.kinds[kind[i]], x: x[i], y: y[i], part: part[i] }));
}

/** @param {Ground} ground */
export async function openStreetMap({ streets, found }) {
  const { labels, stretches } = streets;
  const [classes, names, at, [angle_deg, room_m, level, name], along, [of, part], places] = await Promise.all([
    Promise.all(streets.classes.map(unpackLines)),
    unpackNames(streets.names),
    unpackPlaces(labels.at),
    Promise.all([labels.angle_deg, labels.room_m, labels.level, labels.name].map(unpackSigned)),
    unpackPlaces(stretches.at),
    Promise.all([stretches.name, stretches.part].map(unpackSigned)),
    found ? unpackFound(found) : [],
  ]);
  const columns = { ...at, angle_deg, level, room_m: summed(room_m), name: summed(name) };
  const found_in = { ...along, name: summed(of), part };
  Object.assign(streetMap, { classes, names, places, labels: columns, stretches: found_in });
}
