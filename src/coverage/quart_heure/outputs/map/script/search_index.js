/* What can be found by name: districts, places, services and streets, and the best of them first. */

/** @import { District, PageData, Service } from "./types.js" */
/** @import { Words } from "./words.js" */

/**
 * What can be found: `detail` says what kind of thing it is, and where. `key` is its name as it is
 * compared, `also` what else it is called.
 * @typedef {{ text: string, detail: string, key: string, also: string }} Found
 * @typedef {Found & { kind: "district", district: District }} FoundDistrict
 * @typedef {Found & { kind: "service", service: Service }} FoundService
 * @typedef {Found & { kind: "place", at: L.LatLng }} FoundPoint
 * @typedef {{ detail: string, at: L.LatLng }} Stretch
 * @typedef {Found & { kind: "street", stretches: Stretch[] }} FoundStreet as a whole
 * @typedef {FoundDistrict | FoundService | FoundPoint | FoundStreet} Entry
 */

import { degrees } from "./draw.js";
import { categoryViews } from "./scene.js";
import { folded, keyOf, matcher, numberOf, withoutNumber } from "./search_words.js";
import { streetMap } from "./street_map.js";

const MOST = 8;
const MOST_STRETCHES = 6;
const SHORTEST = 2;
const KINDS = ["district", "service", "place", "street"];
const LAST = "bicycle_rental"; // of places: there are many, called after what is near

/**
 * Everything that can be found.
 * @param {PageData} data
 * @param {Words} words
 * @returns {Entry[]}
 */
export function searchIndex(data, words) {
  const labels = new Map(categoryViews(data).map((view) => [view.id, view.label]));
  return [
    ...data.ground.districts.map((district) => districtEntry(district, words)),
    ...data.services.map((service) => serviceEntry(service, labels.get(service.category) || "", words)),
    ...places(data, words),
    ...streets(data, words),
  ];
}

/**
 * By its name, its number, its postcode and its own code.
 * @param {District} district
 * @param {Words} words
 * @returns {Entry}
 */
function districtEntry(district, words) {
  const { label, id, postcode } = district;
  const number = numberOf(label);
  const called = number ? [number + "e", number] : [];
  return {
    kind: "district",
    text: label,
    detail: [words.say("search_district"), postcode].filter(Boolean).join(" "),
    key: keyOf(label),
    also: [...called, "arrondissement", postcode || "", id.toLowerCase(), keyOf(words.say("whole_area"))].join(" "),
    district,
  };
}

/**
 * @param {Service} service
 * @param {string} category
 * @param {Words} words
 * @returns {Entry}
 */
function serviceEntry(service, category, words) {
  const text = service.name || words.say("unnamed");
  return { kind: "service", text, detail: category, key: keyOf(text), also: keyOf(category), service };
}

/**
 * @param {PageData} data
 * @param {Words} words
 * @returns {Entry[]}
 */
function places({ ground }, words) {
  const ordered = [...streetMap.places].sort((a, b) => Number(a.kind === LAST) - Number(b.kind === LAST));
  return ordered.map(({ text, kind, x, y, part }) => {
    // A background of one's own may have other kinds.
    const what = "place_" + kind in words.said.words ? words.say("place_" + kind) : kind;
    const detail = [what, ground.parts[part - 1]].filter(Boolean).join(" · ");
    return { kind: "place", text, detail, key: keyOf(text), also: keyOf(what), at: L.latLng(degrees(y), degrees(x)) };
  });
}

/**
 * A street once, with its stretches in the parts that it runs through, the longest first.
 * @param {PageData} data
 * @param {Words} words
 * @returns {Entry[]}
 */
function streets({ ground }, words) {
  const { name: names, part, x, y } = streetMap.stretches;
  /** @type {Map<number, Stretch[]>} */
  const found = new Map();
  names.forEach((name, i) => {
    const stretch = { detail: ground.parts[part[i] - 1], at: L.latLng(degrees(y[i]), degrees(x[i])) };
    found.set(name, [...(found.get(name) || []), stretch]);
  });
  return [...found].map(([name, stretches]) => {
    const text = streetMap.names[name];
    const where = stretches.length > 1 ? words.say("search_stretches", { n: stretches.length }) : stretches[0].detail;
    const detail = [words.say("search_street"), where].join(" · ");
    return { kind: "street", text, detail, key: keyOf(text), also: "", stretches };
  });
}

/**
 * The entries that hold every word of a query, best first; the number of a house is left out where
 * nothing is found with it.
 * @param {Entry[]} index
 * @param {string} query
 * @returns {{ entries: Entry[], numberless: boolean }}
 */
export function searched(index, query) {
  const entries = ranked(index, query);
  const rest = entries.length ? null : withoutNumber(query);
  if (rest === null) return { entries: withStretches(entries), numberless: false };
  const without = ranked(index, rest).filter((entry) => entry.kind !== "district");
  return { entries: withStretches(without), numberless: without.length > 0 };
}

/**
 * @param {Entry[]} index
 * @param {string} query
 */
function ranked(index, query) {
  const wanted = keyOf(query);
  if (wanted.length < SHORTEST && !/\d/.test(wanted)) return [];
  const matches = matcher(wanted);
  const typed = folded(query);
  /** @param {Entry} entry */
  const rank = ({ text, key, also, kind }) => [
    key === wanted || also.split(" ").includes(wanted) ? 0 : folded(text).startsWith(typed) ? 1 : key.startsWith(wanted) ? 2 : 3,
    KINDS.indexOf(kind),
    key.length,
  ];
  return index
    .filter(({ key, also }) => matches(" " + key + " " + also + " "))
    .map((entry) => ({ entry, rank: rank(entry) }))
    .sort((a, b) => a.rank.map((value, i) => value - b.rank[i]).find((step) => step !== 0) || 0)
    .slice(0, MOST)
    .map(({ entry }) => entry);
}

/**
 * The first long street is followed by its stretches.
 * @param {Entry[]} entries
 * @returns {Entry[]}
 */
function withStretches(entries) {
  const at = entries.findIndex((entry) => entry.kind === "street");
  const street = entries[at];
  if (!street || street.kind !== "street" || street.stretches.length === 1) return entries;
  /** @type {Entry[]} */
  const stretches = street.stretches.slice(0, MOST_STRETCHES).map((stretch) => ({ ...street, detail: stretch.detail, stretches: [stretch] }));
  return [...entries.slice(0, at + 1), ...stretches, ...entries.slice(at + 1)].slice(0, MOST + MOST_STRETCHES);
}
