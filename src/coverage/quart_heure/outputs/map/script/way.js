/* The way: the walk from a place to the nearest service, drawn on the streets. */

/** @import { Service } from "./types.js" */
/** @import { Words } from "./words.js" */

/** @typedef {{ line: L.LatLng[], minutes: number, metres: number, service: Service, crow: { at: L.LatLng, metres: number } }} FoundWay */

import { el, palette } from "./page.js";

const DETOUR = 1.6; // times the straight line: a walk that is longer goes around something

/**
 * Draw a way, and beside it the straight line where that is much shorter; returns what is said of it.
 * @param {L.LayerGroup} group
 * @param {Words} words
 * @param {FoundWay | null} way
 * @param {L.LatLng} at
 * @param {number} threshold
 */
export function drawWay(group, words, way, at, threshold) {
  group.clearLayers();
  if (!way) return words.say("way_none");
  const { line, minutes, metres, crow, service } = way;
  const around = metres > DETOUR * crow.metres;
  L.polyline(line, { color: palette.blank, weight: 8, opacity: 0.9, interactive: false, pane: "marks" }).addTo(group);
  const told = { minutes: words.number(Math.ceil(minutes - 1e-6)), name: service.name || words.say("unnamed"), metres: words.number(round(metres)) };
  const label = el("span", {}, words.say("minutes", { n: told.minutes }));
  L.polyline(line, { color: palette.outline, weight: 4, interactive: false, pane: "marks" })
    .bindTooltip(label, { permanent: true, direction: "center", className: "way" })
    .addTo(group);
  if (around) {
    L.polyline([at, crow.at], { color: palette.gap_line, weight: 3, dashArray: "2 7", interactive: false, pane: "marks" }).addTo(group);
  }
  const sentence = words.say("way_told", told);
  if (!around) return sentence;
  const key = minutes > threshold ? "way_around" : "way_crow";
  return sentence + " " + words.say(key, { metres: words.number(round(crow.metres)) });
}

/** @param {number} metres */
const round = (metres) => Math.round(metres / 10) * 10;
