/* The search box: districts, streets and services by name, with suggestions for mouse and keyboard. */

/** @import { District, PageData, Service } from "./types.js" */
/** @import { Words } from "./words.js" */

/**
 * What can be found: `detail` is what kind of thing it is, in words.
 * @typedef {{ text: string, detail: string, folded: string }} Found
 * @typedef {Found & { kind: "district", district: District }} FoundDistrict
 * @typedef {Found & { kind: "service", service: Service }} FoundService
 * @typedef {Found & { kind: "street", at: L.LatLng }} FoundStreet
 * @typedef {FoundDistrict | FoundService | FoundStreet} Entry
 */

import { degrees } from "./draw.js";
import { byId, control, el } from "./page.js";
import { categoryViews } from "./scene.js";
import { streetMap } from "./street_map.js";

const MOST = 8;
const SHORTEST = 2;
const KINDS = ["district", "service", "street"];

/**
 * Without accents, capitals and signs, as people type.
 * @param {string} text
 */
const folded = (text) =>
  text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

/**
 * Everything that can be found.
 * @param {PageData} data
 * @param {Words} words
 * @returns {Entry[]}
 */
function searchIndex(data, words) {
  const { ground, services } = data;
  const labels = new Map(categoryViews(data).map((view) => [view.id, view.label]));
  /** @type {Entry[]} */
  const found = ground.districts.map((district) => ({
    kind: "district",
    text: district.label,
    detail: words.say("search_district"),
    folded: folded(district.label),
    district,
  }));
  for (const service of services) {
    const text = service.name || words.say("unnamed");
    const detail = labels.get(service.category) || "";
    found.push({ kind: "service", text, detail, folded: folded(text + " " + detail), service });
  }
  const seen = new Set();
  const { name: names, x, y } = streetMap.labels;
  names.forEach((name, i) => {
    // The first place of a name is on its longest stretch.
    if (seen.has(name)) return;
    seen.add(name);
    const text = streetMap.names[name];
    const at = L.latLng(degrees(y[i]), degrees(x[i]));
    found.push({ kind: "street", text, detail: words.say("search_street"), folded: folded(text), at });
  });
  return found;
}

/**
 * The entries that hold every word of the query as the beginning of one of theirs, best first.
 * @param {Entry[]} index
 * @param {string} query
 */
function searched(index, query) {
  const wanted = folded(query);
  const words = wanted.split(" ");
  if (wanted.length < SHORTEST && !/\d/.test(wanted)) return [];
  /** @param {Entry} entry */
  const holds = (entry) => words.every((word) => (" " + entry.folded).includes(" " + word));
  /** @param {Entry} entry */
  const rank = (entry) => [
    entry.folded === wanted ? 0 : entry.folded.startsWith(wanted) ? 1 : 2,
    KINDS.indexOf(entry.kind),
    entry.folded.length,
  ];
  return index
    .filter(holds)
    .map((entry) => ({ entry, rank: rank(entry) }))
    .sort((a, b) => a.rank.map((value, i) => value - b.rank[i]).find((step) => step !== 0) || 0)
    .slice(0, MOST)
    .map(({ entry }) => entry);
}

export class Search {
  /**
   * @param {PageData} data
   * @param {Words} words
   * @param {(entry: Entry, from: HTMLElement) => void} go is called with what is chosen
   */
  constructor(data, words, go) {
    this.data = data;
    this.words = words;
    this.go = go;
    this.input = control("search", HTMLInputElement);
    this.list = byId("search-list");
    this.status = byId("search-status");
    /** @type {Entry[] | null} */
    this.index = null;
    /** @type {Entry[]} */
    this.entries = [];
    this.chosen = -1;
    this.input.addEventListener("input", () => this.suggest());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    // Before the box loses the keyboard, or the list would be gone before the click.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
  }

  suggest() {
    this.index = this.index || searchIndex(this.data, this.words);
    const query = this.input.value.trim();
    this.entries = query ? searched(this.index, query) : [];
    this.chosen = -1;
    this.list.replaceChildren(...this.entries.map((entry, n) => this.option(entry, n)));
    this.show(this.entries.length > 0);
    this.status.textContent = query ? this.words.count("search_count", this.entries.length) : "";
  }

  /**
   * @param {Entry} entry
   * @param {number} n
   */
  option(entry, n) {
    return el(
      "li",
      { id: "search-" + n, role: "option", "aria-selected": "false", onclick: () => this.choose(n) },
      el("span", { class: "found", dir: "auto" }, entry.text),
      el("span", { class: "kind", dir: "auto" }, entry.detail)
    );
  }

  /** @param {boolean} open */
  show(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    this.show(false);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { key } = event;
    if (key === "Escape") {
      this.close();
    } else if (key === "Enter") {
      event.preventDefault();
      if (this.entries.length) this.choose(Math.max(this.chosen, 0));
    } else if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      this.move(key === "ArrowDown" ? 1 : -1);
    }
  }

  /** @param {number} step */
  move(step) {
    const count = this.entries.length;
    if (!count) return;
    if (this.list.hidden) this.show(true);
    this.chosen = this.chosen < 0 && step < 0 ? count - 1 : (this.chosen + step + count) % count;
    [...this.list.children].forEach((option, n) => option.setAttribute("aria-selected", String(n === this.chosen)));
    this.input.setAttribute("aria-activedescendant", "search-" + this.chosen);
    this.list.children[this.chosen].scrollIntoView({ block: "nearest" });
  }

  /** @param {number} n */
  choose(n) {
    const entry = this.entries[n];
    this.input.value = entry.text;
    this.close();
    this.status.textContent = "";
    this.go(entry, this.input);
  }

  clear() {
    this.input.value = "";
    this.status.textContent = "";
    this.close();
  }
}
