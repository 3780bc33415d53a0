/* What is chosen, in the address of the page: whoever opens the address sees the same. */

/** @import { PageData } from "./types.js" */
/** @import { Kind } from "./layers.js" */
/** @import { Chosen, Mode } from "./scene.js" */

/**
 * What an address says beside what is chosen.
 * @typedef {{ zoom: number, lat: number, lng: number }} Look where the map looks
 * @typedef {{ hidden: Kind[], place: Look | null, gap: number | null, proposal: string | null, supposed: string }} Beside
 */

import { HOURS } from "./hours.js";

/** @type {Mode[]} */
const MODES = ["minutes", "covered"];

/**
 * @param {string | null | undefined} text
 * @param {number} low
 * @param {number} high
 */
function number(text, low, high) {
  const value = text ? Number(text) : NaN;
  return value >= low && value <= high ? value : null;
}

/**
 * @param {string} text zoom, latitude and longitude
 * @returns {Look | null}
 */
function lookOf(text) {
  const parts = text.split("/");
  const [zoom, lat, lng] = [number(parts[0], 0, 20), number(parts[1], -85, 85), number(parts[2], -180, 180)];
  return parts.length === 3 && zoom !== null && lat !== null && lng !== null ? { zoom, lat, lng } : null;
}

/**
 * @param {string | null} id of a district
 * @param {PageData} data
 */
function rowOf(id, { ground }) {
  const row = ground.districts.findIndex((district) => district.id === id);
  return row < 0 ? null : row;
}

/**
 * What is written is checked word by word: anything else is as if it were not there. Returns null
 * where nothing of ours is.
 * @param {string} hash
 * @param {PageData} data
 * @param {Kind[]} layers
 * @returns {(Chosen & Beside) | null}
 */
export function readState(hash, data, layers) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const view = said.get("view");
  if (view === null || !data.views.some((one) => one.id === view)) return null;
  const minutes = number(said.get("min"), 0, Infinity);
  const hour = number(said.get("hour"), 0, HOURS - 1);
  const hidden = (said.get("hide") || "").split(".");
  return {
    view,
    minutes: minutes !== null && data.thresholds_min.includes(minutes) ? minutes : data.threshold_min,
    mode: MODES.find((mode) => mode === said.get("show")) || MODES[0],
    hour: data.hours && Number.isInteger(hour) ? hour : null,
    district: rowOf(said.get("in"), data),
    hidden: layers.filter((name) => hidden.includes(name)),
    place: lookOf(said.get("at") || ""),
    gap: number(said.get("gap"), 1, 1e6),
    supposed: said.get("si") || "",
    proposal: said.get("next"),
  };
}

/**
 * The shortest address that says it: what is as at the start is left out.
 * @param {Chosen & Beside & { lang: string | null }} state
 * @param {PageData} data
 */
export function writeState(state, data) {
  const said = new URLSearchParams();
  said.set("view", state.view);
  if (state.minutes !== data.threshold_min) said.set("min", String(state.minutes));
  if (state.mode !== MODES[0]) said.set("show", state.mode);
  if (state.hour !== null) said.set("hour", String(state.hour));
  if (state.district !== null) said.set("in", data.ground.districts[state.district].id);
  if (state.hidden.length) said.set("hide", state.hidden.join("."));
  if (state.place) {
    const { zoom, lat, lng } = state.place;
    said.set("at", [Number(zoom.toFixed(2)), lat.toFixed(5), lng.toFixed(5)].join("/"));
  }
  if (state.proposal) said.set("next", state.proposal);
  if (state.gap) said.set("gap", String(state.gap));
  if (state.supposed) said.set("si", state.supposed);
  if (state.lang) said.set("lang", state.lang);
  return "#" + said.toString().replace(/%2F/g, "/");
}

/* A page within another, as a notebook shows it, has no address of its own. */
export const hasAddress = () => window.location.protocol !== "about:";

/** @param {string} text */
export function keepState(text) {
  if (!hasAddress() || text === window.location.hash) return;
  // Not one step of "back" per movement of the map.
  window.history.replaceState(null, "", text);
}
