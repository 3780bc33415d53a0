/* Proposals: where to open next, whom to call, which link is missing, and what changes with them. */

/** @import { PageData, Proposal, ProposedPlace, View } from "./types.js" */
/** @import { Cells } from "./cells.js" */
/** @import { Entry } from "./legend.js" */
/** @import { Effective, Legend, Scene, Scenes } from "./scene.js" */
/** @import { Brush } from "./surface.js" */
/** @import { Words } from "./words.js" */

/** @typedef {"today" | "after" | "difference" | "gains"} Shown layer of a proposal */
/** @typedef {{ proposal: number, layer: Shown }} Picked */
/** @typedef {Scene & { title: string }} TitledScene */

import { Card } from "./card.js";
import { unpack } from "./cells.js";
import { points, sample } from "./draw.js";
import { byId, control, el, inputs, palette } from "./page.js";
import { mix, within } from "./surface.js";

const HALF = 0.5;
const PANES = { "proposed-lines": 440, proposed: 460 }; // above the marks of services, and their names
/** @type {Shown[]} */
const LAYERS = ["today", "after", "difference", "gains"];
const NAMES = /** @type {const} */ ({ sites: "next_site", calls: "next_call", links: "next_link" });

/* The minutes with a proposal stand among those of the categories, under a name that none has. */
/** @param {number} proposal */
const fieldName = (proposal) => "proposal " + proposal;

export class Proposals {
  /**
   * @param {L.Map} map
   * @param {PageData} data
   * @param {Words} words
   * @param {Cells} cells
   * @param {(Uint8Array | null)[]} gains class of each cell, by proposal
   */
  constructor(map, data, words, cells, gains) {
    this.map = map;
    this.data = data;
    this.words = words;
    this.cells = cells;
    this.gains = gains;
    /** @type {Picked | null} */
    this.picked = null;
    /** @type {Map<number, L.LayerGroup>} */
    this.drawn = new Map();
    /** @type {Map<ProposedPlace, L.Marker>} */
    this.markers = new Map();
    this.change = () => {};
    /** What a proposed site offers. @type {(at: L.LatLng, category: string) => string | HTMLElement} */
    this.actions = () => "";
    /** @type {(at: L.LatLng, open: () => void) => void} */
    this.visit = () => {};
  }

  /**
   * @param {L.Map} map
   * @param {PageData} data
   * @param {Words} words
   * @param {Cells} cells
   */
  static async open(map, data, words, cells) {
    const gains = data.proposals.map(async ({ gains: one }) => (one ? unpack(one.classes) : null));
    await Promise.all(
      data.proposals.map(async ({ minutes }, n) => {
        if (minutes) cells.minutes[fieldName(n)] = await unpack(minutes);
      })
    );
    return new Proposals(map, data, words, cells, await Promise.all(gains));
  }

  /**
   * @param {(category: string) => void} change called when another one is picked, with its view
   * @param {(at: L.LatLng, open: () => void) => void} visit
   */
  listen(change, visit) {
    if (!this.data.proposals.length) return;
    for (const [name, z] of Object.entries(PANES)) this.map.createPane(name).style.zIndex = String(z);
    const select = control("proposal", HTMLSelectElement);
    this.visit = visit;
    this.change = () => {
      const one = this.one();
      change(one ? one.category : "");
    };
    select.addEventListener("change", () => {
      this.pick(select.value === "" ? null : Number(select.value));
      this.change();
    });
    for (const input of inputs("input[name=proposal-layer]")) {
      input.addEventListener("change", () => {
        if (this.picked) this.picked.layer = /** @type {Shown} */ (input.value);
        this.change();
      });
    }
  }

  /** @returns {Proposal | null} */
  one() {
    return this.picked ? this.data.proposals[this.picked.proposal] : null;
  }

  /**
   * Pick a proposal, at the layer that tells most, or none.
   * @param {number | null} proposal
   * @param {string | null} [layer]
   */
  pick(proposal, layer) {
    const one = proposal === null ? undefined : this.data.proposals[proposal];
    if (proposal === null || !one) this.picked = null;
    else {
      const offered = this.offered(one);
      const asked = offered.find((name) => name === layer);
      this.picked = { proposal, layer: asked || (offered.includes("difference") ? "difference" : offered[0]) };
    }
  }

  /**
   * @param {Proposal} one
   * @returns {Shown[]}
   */
  offered(one) {
    return LAYERS.filter((name) => name === "today" || (name === "gains" ? one.gains : one.minutes));
  }

  /**
   * A proposal is about one category: at another view it is put away. Lists of calls are of all.
   * @param {View} view
   */
  leave(view) {
    const one = this.one();
    if (one && one.category && one.category !== view.id) this.picked = null;
  }

  /**
   * What is written to the address: `2.gains`.
   * @returns {string | null}
   */
  state() {
    return this.picked && this.picked.proposal + "." + this.picked.layer;
  }

  /** @param {string | null} state */
  restore(state) {
    const [number, layer] = (state || "").split(".");
    this.pick(/^\d{1,3}$/.test(number) ? Number(number) : null, layer);
  }

  /**
   * How what is picked is painted, null where nothing of it changes the surface.
   * @param {View} view
   * @param {Effective} effective
   * @param {Scenes} scenes
   * @returns {TitledScene | null}
   */
  scene(view, effective, scenes) {
    const values = { category: view.kind === "category" ? view.label : "" };
    const one = this.one();
    if (!this.picked || !one || view.kind !== "category" || one.category !== view.id) return null;
    const { proposal, layer } = this.picked;
    if (layer === "after") {
      const scene = scenes.of({ ...view, id: fieldName(proposal) }, { ...effective, hour: null, ranged: false });
      return { ...scene, title: this.words.say("next_legend_after", values) };
    }
    if (layer === "difference") {
      const scene = this.difference(view, proposal, effective.minutes);
      return { ...scene, title: this.words.say("next_legend_difference", values) };
    }
    const classes = this.gains[proposal];
    if (layer !== "gains" || !classes || !one.gains) return null;
    const said = this.words.say("next_legend_gains_" + one.unit, values);
    return { ...this.gainScene(classes, one.gains.limits), title: said };
  }

  /**
   * @param {View} view
   * @param {number} proposal
   * @param {number} minutes
   * @returns {Scene}
   */
  difference(view, proposal, minutes) {
    const before = this.cells.field(view.id);
    const after = this.cells.field(fieldName(proposal));
    const { width } = this.cells;
    /** @type {Brush} */
    const brush = (k, fx, fy) => {
      if (within(mix(before, k, width, fx, fy), minutes)) return 0;
      return within(mix(after, k, width, fx, fy), minutes) ? 1 : 2;
    };
    const paints = [{ fill: palette.already }, palette.newly, palette.paints.uncovered];
    const said = ["next_already", "next_newly", "next_still"];
    const values = { minutes: this.words.short(minutes) };
    /** @type {Legend} */
    const list = paints.map((paint, i) => [paint, this.words.say(said[i], values)]);
    return { paints, brush, ramp: [], list: [list[1], list[0], list[2]] };
  }

  /**
   * @param {Uint8Array} classes
   * @param {number[]} limits
   * @returns {Scene}
   */
  gainScene(classes, limits) {
    const { words, cells } = this;
    const { width } = cells;
    /** @type {Brush} */
    const brush = (k, fx, fy) => classes[k + (fx > HALF ? 1 : 0) + (fy > HALF ? width : 0)];
    const shades = limits.map((_, i) => ({ fill: palette.gains[i] }));
    const last = { fill: palette.gains[limits.length] };
    const numbers = limits.map((limit) => words.short(limit));
    /** @type {Legend} */
    const ramp = [...shades, last].map((paint, i) => {
      if (i === limits.length) return [paint, words.say("next_from", { n: numbers[i - 1] || "0" })];
      if (i === 0) return [paint, words.say("next_below", { n: numbers[0] })];
      return [paint, words.say("next_between", { from: numbers[i - 1], to: numbers[i] })];
    });
    /** @type {Legend} */
    const list = [[{}, words.say("next_no_candidate")]];
    return { paints: [{}, ...shades, last], brush, ramp, list };
  }

  /* Write what is picked: its marks on the map, and its words in the panel. */
  show() {
    if (!this.data.proposals.length) return;
    const one = this.one();
    for (const [n, group] of this.drawn) {
      if (!this.picked || n !== this.picked.proposal) group.remove();
    }
    if (this.picked && one) this.groupOf(this.picked.proposal, one).addTo(this.map);
    control("proposal", HTMLSelectElement).value = this.picked ? String(this.picked.proposal) : "";
    const offered = one ? this.offered(one) : [];
    byId("proposal-layers").hidden = offered.length < 2;
    for (const input of inputs("input[name=proposal-layer]")) {
      input.checked = Boolean(this.picked) && this.picked?.layer === input.value;
      input.disabled = !offered.includes(/** @type {Shown} */ (input.value));
    }
    const { lang } = this.words.said;
    const lines = one ? one.said[lang].lines : [];
    byId("proposal-said").replaceChildren(...lines.map((line) => el("p", { class: "hint", dir: "auto" }, line)));
    byId("proposal-places").replaceChildren(...(one ? one.places.map((place) => el("li", {}, this.button(place))) : []));
  }

  /** @param {ProposedPlace} place */
  button(place) {
    const button = el(
      "button",
      { type: "button" },
      el("span", { class: "rank proposed" }, String(place.rank)),
      el("span", {}, el("strong", { dir: "auto" }, place.name), this.facts(place))
    );
    button.addEventListener("click", () => {
      const marker = this.markers.get(place);
      this.visit(L.latLng(place.at), () => marker && marker.openPopup());
    });
    return button;
  }

  /** @param {ProposedPlace} place */
  facts(place) {
    return el("span", { class: "facts", dir: "auto" }, place.facts[this.words.said.lang].join(" · "));
  }

  /**
   * @param {number} n
   * @param {Proposal} one
   */
  groupOf(n, one) {
    const before = this.drawn.get(n);
    if (before) return before;
    const group = L.layerGroup();
    for (const { line } of one.places) {
      if (!line) continue;
      for (const [color, weight] of /** @type {const} */ ([[palette.blank, 9], [palette.proposed, 5]])) {
        L.polyline(points(line), { color, weight, pane: "proposed-lines", interactive: false }).addTo(group);
      }
    }
    // The first ones lie above the others.
    for (const place of [...one.places].reverse()) this.markerOf(one, place).addTo(group);
    this.drawn.set(n, group);
    return group;
  }

  /**
   * @param {Proposal} one
   * @param {ProposedPlace} place
   */
  markerOf(one, place) {
    const title = this.words.say(NAMES[/** @type {keyof typeof NAMES} */ (one.kind)], { rank: place.rank });
    const marker = L.marker(L.latLng(place.at), {
      icon: L.divIcon({ className: "proposed-mark", html: el("span", {}, String(place.rank)), iconSize: [26, 26] }),
      pane: "proposed",
      title: title + " – " + place.name,
      alt: title + " – " + place.name,
      zIndexOffset: -place.rank,
    });
    const said = place.facts[this.words.said.lang].map((fact) => el("p", { dir: "auto" }, fact));
    const content = () => {
      const heading = el("h2", { dir: "auto" }, title + " – " + place.name);
      const actions = one.kind === "sites" ? this.actions(L.latLng(place.at), one.category) : "";
      return el("div", { class: "popup", tabindex: "-1" }, heading, ...said, actions);
    };
    marker.bindPopup(new Card().setContent(content));
    this.markers.set(place, marker);
    return marker;
  }

  /**
   * What stands for its marks in the legend.
   * @returns {Entry[]}
   */
  entries() {
    const one = this.one();
    if (!one || !one.places.length) return [];
    const sign = () => {
      const { canvas, pen } = sample(36, 28, "dot");
      pen.scale(2, 2);
      pen.fillStyle = palette.proposed;
      pen.beginPath();
      pen.arc(9, 7, 6, 0, 2 * Math.PI);
      pen.fill();
      return canvas;
    };
    return [{ sign, key: "proposed", text: this.words.say("next_mark_" + one.kind) }];
  }
}
