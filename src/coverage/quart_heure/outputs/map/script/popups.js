/* What the map says of a gap, of a service and of any other place. */

/** @import { District, Gap, PageData, Service } from "./types.js" */
/** @import { Cells, Told } from "./cells.js" */
/** @import { Part } from "./gaps.js" */
/** @import { Hours } from "./hours.js" */
/** @import { Child } from "./page.js" */
/** @import { Words } from "./words.js" */

import { polygon } from "./draw.js";
import { gapName, partName, walkTold } from "./gap_words.js";
import { hourName } from "./hours.js";
import { constants, el } from "./page.js";
import { categoryViews } from "./scene.js";

/** @param {[string, string | undefined][]} pairs */
function details(pairs) {
  const list = el("dl");
  for (const [term, value] of pairs) {
    if (value) list.append(el("dt", {}, term), el("dd", { dir: "auto" }, value));
  }
  return list;
}

/**
 * @param {Words} words
 * @param {PageData} data
 * @param {{ gap: Gap, part: Part | null }} told a gap, and what of it is in the district that was asked about
 * @param {Child} here what is known of the place that was clicked
 * @param {() => void} onList leads back to the list
 */
export function gapPopup(words, data, { gap, part }, here, onList) {
  const one = part || gap;
  const size = sizeTold(words, data, one);
  const minutes = walkTold(words, one.minutes) || words.say(asked(data) ? "unreachable_sure" : "unreachable");
  // Of a gap of several districts, the nearest place is that of its closest corner: it says nothing.
  const nearest = part || gap.districts.length < 2 ? (one.discreet ? words.say("gap_nearest_unshown") : one.nearest) : "";
  const name = part ? partName(words, data, part) : gapName(words, data, gap, []);
  const cut = gap.barrier && gap.barrier[words.said.lang];
  const cause = gap.cause && [cut, words.said.cause_words[gap.cause] || gap.cause].filter(Boolean).join(" – ");
  return el(
    "div",
    { class: "popup", tabindex: "-1" },
    el("h2", { dir: "auto" }, words.say("gap_title", { rank: gap.rank, place: name })),
    details([
      [words.say("gap_where"), one.street && words.say("gap_near", { street: one.street })],
      [words.say("gap_size"), size],
      [words.say("gap_all"), part && gap.districts.length > 1 ? gapName(words, data, gap, []) + " – " + sizeTold(words, data, gap) : ""],
      [words.say("gap_minutes"), minutes],
      [words.say("gap_nearest"), nearest],
      [words.say("gap_cause"), cause],
      [words.say("gap_opens"), gap.opens && momentTold(words, gap.opens)],
    ]),
    el("button", { type: "button", class: "link", onclick: onList }, words.say("gap_in_list")),
    here
  );
}

/**
 * How many people, and how much ground.
 * @param {Words} words
 * @param {PageData} data
 * @param {{ residents: number | null, area_ha: number | null }} one
 */
function sizeTold(words, data, { residents, area_ha: area }) {
  const ground = words.say("area_ha", { n: words.number(area, area !== null && area < 10 ? 1 : 0) });
  return data.residents ? words.count("residents_count", residents) + " · " + ground : ground;
}

/**
 * The district that holds a place, by the ray that leaves it westwards; null outside all.
 * @param {District[]} districts
 * @param {L.LatLng} place
 */
export function districtHolding(districts, { lat, lng }) {
  /** @type {(a: L.LatLng, b: L.LatLng) => boolean} */
  const crosses = (a, b) => a.lat > lat !== b.lat > lat && lng > a.lng + ((b.lng - a.lng) * (lat - a.lat)) / (b.lat - a.lat);
  /** @param {L.LatLng[][]} rings */
  const inside = (rings) =>
    rings.reduce((found, ring) => {
      const hits = ring.filter((at, i) => crosses(at, ring[(i + 1) % ring.length])).length;
      return found !== (hits % 2 === 1);
    }, false);
  return districts.find((district) => polygon(district.shape).some(inside)) || null;
}

/**
 * Whether the study asked for an hour or a person: minutes are then to what is sure.
 * @param {PageData} data
 */
const asked = (data) => Boolean(data.views[0].ends);

/**
 * A moment of the local clock, in words.
 * @param {Words} words
 * @param {string} iso
 */
function momentTold(words, iso) {
  /** @type {Intl.DateTimeFormatOptions} */
  const form = { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", timeZone: "UTC" };
  return new Intl.DateTimeFormat(words.locale, form).format(new Date(iso + "Z"));
}

/**
 * Minutes as they are told: rounded up, so that 15 never stands for more than 15.
 * @param {Words} words
 * @param {Cells} cells
 * @param {Told} told
 */
function minutesTold(words, cells, { minutes }) {
  if (minutes === Infinity) return words.say("here_unreachable");
  if (minutes === null) return words.say("here_over", { n: words.number(cells.furthest) });
  const told = words.number(Math.ceil(minutes - 1e-6));
  return words.say("minutes", { n: told });
}

/**
 * Whether something is open, in words.
 * @param {Words} words
 * @param {number} state
 */
function stateTold(words, state) {
  const { sure, perhaps } = constants;
  return words.say(state === sure ? "here_state_sure" : state === perhaps ? "here_state_perhaps" : "here_state_not");
}

/**
 * A place in water, from where nobody walks.
 * @param {Words} words
 * @param {string} title
 */
export function waterPopup(words, title) {
  return el("section", {}, el("h2", { dir: "auto" }, title), el("p", {}, words.say("here_water")));
}

/**
 * Minutes from a place to the nearest service of each category, and which one it is.
 * @param {Words} words
 * @param {{ data: PageData, cells: Cells, hours: Hours }} page
 * @param {{ title: string, cell: number, hour: number | null }} place
 * @param {(service: Service) => void} visit is called with the one that is chosen
 */
export function placePopup(words, { data, cells, hours }, place, visit) {
  const title = el("h2", { dir: "auto" }, place.title);
  if (cells.isOff(place.cell)) return el("section", {}, title, el("p", {}, words.say("here_off_network")));
  const { cell, hour } = place;
  /** @param {string} text */
  const heading = (text) => el("th", { scope: "col" }, text);
  const lines = categoryViews(data).map((view) => {
    const told = cells.tell(view.id, cell);
    const near = told.minutes !== null && told.minutes <= data.threshold_min;
    const perhaps = hour === null && cells.isPerhaps(view.id, cell);
    const minutes = perhaps ? words.say("here_perhaps", { n: words.short(data.threshold_min) }) : minutesTold(words, cells, told);
    const open = hour !== null && hours.has(view.id) ? stateTold(words, hours.tell(view.id, hour, cell)) : words.say("unknown");
    const which = el("span", { class: "which" }, nearestTold(words, data, told, visit));
    return el(
      "tr",
      { class: near ? "near" : "" },
      el("th", { scope: "row", dir: "auto" }, view.label, which),
      el("td", {}, minutes),
      hour === null ? "" : el("td", {}, open)
    );
  });
  const open = hour === null ? "" : heading(words.say("here_open", { hour: hourName(words, hour) }));
  return el(
    "section",
    {},
    title,
    el(
      "table",
      { class: "here" },
      el("caption", {}, words.say(asked(data) && hour === null ? "here_caption_sure" : "here_caption")),
      el("thead", {}, el("tr", {}, heading(words.say("here_nearest")), heading(words.say("here_minutes")), open)),
      el("tbody", {}, ...lines)
    )
  );
}

/**
 * The service that is told to be nearest, to be chosen; a discreet one has no name.
 * @param {Words} words
 * @param {PageData} data
 * @param {Told} told
 * @param {(service: Service) => void} visit
 */
function nearestTold(words, data, { place }, visit) {
  if (place === null) return "";
  if (place === -1) return words.say("here_unshown");
  const service = data.services[place];
  const options = { type: "button", class: "link", dir: "auto", onclick: () => visit(service) };
  return el("button", options, service.name || words.say("unnamed"));
}

/**
 * @param {Words} words
 * @param {Service} service
 * @param {string} category
 * @param {{ hour: number, state: number } | null} at the hour that is shown, null where hours play no part
 */
export function servicePopup(words, service, category, at) {
  const source = [service.source, service.source_date].filter(Boolean).join(" – ");
  const notes = [];
  if (service.left_out) notes.push(words.say("not_counted", { reason: service.left_out }));
  else if (service.outside) notes.push(words.say("outside"));
  return el(
    "div",
    { class: "popup", tabindex: "-1" },
    el("h2", { dir: "auto" }, service.name || words.say("unnamed")),
    el("p", { class: "kind" }, category),
    ...notes.map((note) => el("p", { class: "note" }, note)),
    details([
      [words.say("address"), service.address],
      [words.say("hours"), service.hours || words.say("hours_unknown")],
      [at ? words.say("open_at", { hour: hourName(words, at.hour) }) : "", at ? stateTold(words, at.state) : ""],
      [words.say("access"), service.access],
      [words.say("audience"), service.audience],
      [words.say("capacity"), service.capacity],
      [words.say("operator"), service.operator],
      [words.say("status"), service.status],
    ]),
    source ? el("p", { class: "source", dir: "auto" }, words.say("source_line", { source })) : ""
  );
}
