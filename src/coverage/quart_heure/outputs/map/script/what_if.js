/* "What if …?": services opened, closed and moved on the map, and what came of it in the panel. */

/** @import { PackedWalks, PageData, Service, View } from "./types.js" */
/** @import { Cells } from "./cells.js" */
/** @import { Gaps } from "./gaps.js" */
/** @import { Layers } from "./layers.js" */
/** @import { Brush } from "./surface.js" */
/** @import { Effective, Legend, Scene } from "./scene.js" */
/** @import { Change, Outcome } from "./supposed.js" */
/** @import { Words } from "./words.js" */

/**
 * What the rest of the page does: `show` writes all of it anew, `keep` writes the address, `look` has the
 * map in view, `go` looks at a place.
 * @typedef {object} WhatIfHandlers
 * @property {(touched: Set<string>) => void} show
 * @property {() => void} keep
 * @property {() => void} look
 * @property {(at: L.LatLngExpression) => void} go
 */

/** @typedef {{ kind: "add", category: string } | { kind: "move", place: number }} Picking what is about to be put somewhere */

import { fromAddress, fromFile, toAddress, toFile, understood, written } from "./changes.js";
import { byId, control, el, inputs, palette } from "./page.js";
import { categoryViews, countedCategories } from "./scene.js";
import { searchable, Supposed } from "./supposed.js";
import { drawWay } from "./way.js";

const STILL = 6; // pixels that a pointer may move while it clicks
const { gained, lost } = palette.paints;

export class WhatIf {
  /**
   * @param {L.Map} map
   * @param {PageData} data
   * @param {Words} words
   * @param {Cells} cells
   * @param {Layers} layers
   * @param {Gaps} gaps
   * @param {WhatIfHandlers} on
   */
  constructor(map, data, words, cells, layers, gaps, on) {
    this.map = map;
    this.data = data;
    this.words = words;
    this.cells = cells;
    this.layers = layers;
    this.gaps = gaps;
    this.on = on;
    /** @type {View} */
    this.view = data.views[0];
    this.minutes = data.threshold_min;
    /** @type {Promise<Supposed> | null} */
    this.opening = null;
    /** @type {Supposed | null} */
    this.supposed = null;
    /** @type {Change[]} */
    this.changes = [];
    /** What was undone comes back. @type {Change[][]} */
    this.past = [];
    /** The street that each change is at. @type {WeakMap<Change, string>} */
    this.streets = new WeakMap();
    this.searchable = searchable(data, cells);
    this.after = true;
    /** @type {Picking | null} */
    this.picking = null;
    this.wayDrawn = L.layerGroup().addTo(map);
    /** @type {HTMLElement | null} */
    this.walks = document.getElementById("walks");
    if (!this.walks) return;
    this.select = control("what-if-category", HTMLSelectElement);
    this.listen();
  }

  /** Whether the page holds what it takes. */
  get there() {
    return this.walks !== null;
  }

  listen() {
    const { select } = this;
    if (!select) return;
    for (const view of categoryViews(this.data)) {
      const option = el("option", { value: view.id }, view.label);
      option.disabled = !this.canChange(view.id);
      select.append(option);
    }
    byId("what-if-click").addEventListener("click", () => {
      if (this.picking) this.stopPicking();
      else this.pickFor({ kind: "add", category: select.value });
    });
    byId("what-if-here").addEventListener("click", () => this.openAt(this.map.getCenter(), select.value));
    byId("what-if-undo").addEventListener("click", () => this.undo());
    byId("what-if-clear").addEventListener("click", () => this.change([]));
    byId("what-if-save").addEventListener("click", () => this.save());
    const file = control("what-if-file", HTMLInputElement);
    file.addEventListener("change", () => this.load(file));
    byId("what-if-load").addEventListener("click", () => file.click());
    for (const input of inputs("input[name=what-if]")) {
      input.addEventListener("change", () => this.toggle(input.value === "after"));
    }
    const container = this.map.getContainer();
    /** @type {L.Point | null} */
    let pressed = null;
    container.addEventListener("pointerdown", (event) => (pressed = L.point(event.clientX, event.clientY)), true);
    container.addEventListener(
      "click",
      (event) => {
        if (!this.picking || !(event.target instanceof Element) || event.target.closest(".leaflet-control")) return;
        if (pressed && pressed.distanceTo(L.point(event.clientX, event.clientY)) > STILL) return;
        event.stopImmediatePropagation();
        this.put(this.map.mouseEventToLatLng(event));
      },
      true
    );
    container.addEventListener("pointerdown", (event) => this.grab(event), true);
  }

  /**
   * A category whose places are not all told cannot be searched from here.
   * @param {string} category
   */
  canChange(category) {
    return this.searchable.has(category);
  }

  /* The streets are unpacked when they are first asked for. */
  open() {
    this.opening = this.opening || this.prepare();
    return this.opening;
  }

  async prepare() {
    this.say("what_if_opening");
    // After the next frame, so that what is said is seen before the page is busy.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
    /** @type {PackedWalks} */
    const walks = JSON.parse(this.walks?.textContent || "");
    const supposed = await Supposed.open(this.data, this.cells, this.words, walks, this.gaps, this.searchable);
    if (this.select) supposed.rehearse(this.select.value, this.map.getCenter());
    this.supposed = supposed;
    this.tell("");
    document.body.classList.add("supposing");
    // The others in their turn, while nobody waits.
    const rest = [...this.searchable];
    const later = window.requestIdleCallback || ((/** @type {() => void} */ work) => setTimeout(work, 100));
    const next = () => {
      const category = rest.shift();
      if (!category) return;
      supposed.prepare(category);
      later(next);
    };
    later(next);
    return supposed;
  }

  /* ---- changes ---- */

  /**
   * @param {Change[]} changes
   * @param {boolean} [remember]
   */
  async change(changes, remember = true) {
    const supposed = await this.open();
    if (remember) this.past.push(this.changes);
    this.changes = changes;
    this.after = true;
    this.wayDrawn.clearLayers();
    this.on.show(supposed.apply(changes));
    this.write();
    this.on.keep();
  }

  undo() {
    const before = this.past.pop();
    if (before) this.change(before, false);
  }

  /**
   * @param {L.LatLng} at
   * @param {string} category
   */
  async openAt(at, category) {
    const supposed = await this.open();
    this.stopPicking();
    if (!this.canChange(category)) return this.say("what_if_discreet");
    if (!supposed.walking.another(...pair(supposed.projection.metres(at)), 0).entries.edge.length) {
      return this.say("what_if_no_street");
    }
    return this.change([...this.changes, { kind: "add", category, at, name: this.named(this.changes.length + 1, category) }]);
  }

  /**
   * @param {number} n
   * @param {string} category
   */
  named(n, category) {
    return this.words.say("what_if_new", { n, category: this.labelOf(category) });
  }

  /** @param {string} category */
  labelOf(category) {
    const view = categoryViews(this.data).find((one) => one.id === category);
    return view ? view.label : category;
  }

  /** @param {number} place */
  close(place) {
    const added = this.addedAt(place);
    if (added) return this.change(this.changes.filter((change) => change !== added));
    const others = this.changes.filter((change) => change.kind === "add" || change.place !== place);
    return this.change([...others, { kind: "close", place }]);
  }

  /**
   * @param {number} place
   * @param {L.LatLng} at
   */
  async move(place, at) {
    const supposed = await this.open();
    if (!supposed.walking.another(...pair(supposed.projection.metres(at)), 0).entries.edge.length) {
      const service = this.data.services[place];
      // It may have been dragged there.
      this.layers.marks.get(service)?.setLatLng(service.at);
      this.on.show(new Set());
      return this.say("what_if_no_street");
    }
    const added = this.addedAt(place);
    if (added) return this.change(this.changes.map((change) => (change === added ? { ...added, at } : change)));
    const others = this.changes.filter((change) => change.kind === "add" || change.place !== place);
    return this.change([...others, { kind: "move", place, at }]);
  }

  /**
   * The change that put a service there, if one did: opened ones come after those of the page.
   * @param {number} place
   */
  addedAt(place) {
    const first = this.supposed ? this.supposed.original.services.length : this.data.services.length;
    return place < first ? undefined : this.changes.filter((change) => change.kind === "add")[place - first];
  }

  /** @param {boolean} after */
  toggle(after) {
    if (!this.supposed) return;
    this.after = after;
    this.wayDrawn.clearLayers();
    this.on.show(this.supposed.apply(after ? this.changes : []));
    this.write();
  }

  /* ---- choosing a place ---- */

  /** @param {Picking} picking */
  pickFor(picking) {
    this.open();
    this.map.closePopup();
    this.picking = picking;
    byId("what-if-on-map").textContent = byId("what-if-hint").textContent;
    this.on.look();
    document.body.classList.add("picking");
    byId("what-if-click").setAttribute("aria-pressed", "true");
    byId("what-if-hint").hidden = false;
  }

  stopPicking() {
    if (!this.picking) return;
    this.picking = null;
    document.body.classList.remove("picking");
    byId("what-if-click").setAttribute("aria-pressed", "false");
    byId("what-if-hint").hidden = true;
  }

  /**
   * Put what is picked for at a place. False where nothing is.
   * @param {L.LatLng} at
   */
  put(at) {
    const { picking } = this;
    if (!picking) return false;
    this.stopPicking();
    if (picking.kind === "add") this.openAt(at, picking.category);
    else this.move(picking.place, at);
    return true;
  }

  /**
   * A service is dragged where it is to stand.
   * @param {PointerEvent} event
   */
  grab(event) {
    if (!this.supposed || !this.after || this.picking || event.button !== 0) return;
    const held = [...this.layers.marks].find(([, mark]) => mark._path === event.target);
    if (!held) return;
    const [service, mark] = held;
    const place = this.data.services.indexOf(service);
    if (place < 0 || service.left_out || !this.canChange(service.category)) return;
    const from = L.point(event.clientX, event.clientY);
    let moved = false;
    this.map.dragging.disable();
    /** @param {PointerEvent} next */
    const drag = (next) => {
      moved = moved || from.distanceTo(L.point(next.clientX, next.clientY)) > STILL;
      if (moved) mark.setLatLng(this.map.mouseEventToLatLng(next));
    };
    const drop = (/** @type {PointerEvent} */ last) => {
      window.removeEventListener("pointermove", drag);
      window.removeEventListener("pointerup", drop);
      window.removeEventListener("pointercancel", drop);
      this.map.dragging.enable();
      if (!moved) return;
      // The click that follows is not one on the service.
      window.addEventListener("click", quiet, { capture: true, once: true });
      setTimeout(() => window.removeEventListener("click", quiet, { capture: true }), 50);
      if (last.type === "pointercancel") mark.setLatLng(service.at);
      else this.move(place, this.map.mouseEventToLatLng(last));
    };
    window.addEventListener("pointermove", drag);
    window.addEventListener("pointerup", drop);
    window.addEventListener("pointercancel", drop);
  }

  /* ---- what popups offer ---- */

  /**
   * At a place: to open a service there, and to see the way from there.
   * @param {L.LatLng} at
   */
  placeActions(at) {
    const { select, words } = this;
    if (!select) return "";
    const category = this.view.kind === "category" ? this.view.id : select.value;
    if (!this.canChange(category)) return el("p", { class: "hint" }, words.say("what_if_discreet"));
    const label = this.labelOf(category);
    return el(
      "p",
      { class: "actions" },
      action(words.say("what_if_open_here", { category: label }), () => {
        this.map.closePopup();
        this.openAt(at, category);
      }),
      action(words.say("way_show", { category: label }), () => this.showWay(at, category))
    );
  }

  /**
   * At a proposed site: to open a service there.
   * @param {L.LatLng} at
   * @param {string} category
   */
  openAction(at, category) {
    if (!this.there || !this.canChange(category)) return "";
    const open = () => {
      this.map.closePopup();
      this.openAt(at, category);
    };
    const text = this.words.say("what_if_open_here", { category: this.labelOf(category) });
    return el("p", { class: "actions" }, action(text, open));
  }

  /** @param {Service} service */
  serviceActions(service) {
    const place = this.data.services.indexOf(service);
    if (!this.there || place < 0 || service.left_out || !this.canChange(service.category)) return "";
    return el(
      "p",
      { class: "actions" },
      action(this.words.say("what_if_close_here"), () => {
        this.map.closePopup();
        this.close(place);
      }),
      action(this.words.say("what_if_move"), () => this.pickFor({ kind: "move", place }))
    );
  }

  /**
   * @param {L.LatLng} at
   * @param {string} category
   */
  async showWay(at, category) {
    const supposed = await this.open();
    this.map.closePopup();
    const text = drawWay(this.wayDrawn, this.words, supposed.way(at, category), at, this.data.threshold_min);
    byId("what-if-way").textContent = text;
    byId("what-if-on-map").textContent = text;
  }

  /* ---- what is shown ---- */

  /**
   * @param {View} view
   * @param {Effective} effective
   */
  follow(view, effective) {
    if (this.view !== view) {
      this.wayDrawn.clearLayers();
      if (this.there) byId("what-if-way").textContent = "";
    }
    this.view = view;
    this.minutes = effective.minutes;
    if (this.select && view.kind === "category" && this.canChange(view.id)) this.select.value = view.id;
  }

  /**
   * A scene with what is gained and lost over it.
   * @param {Scene} scene
   * @param {View} view
   * @param {Effective} effective
   * @returns {Scene}
   */
  over(scene, view, effective) {
    const { supposed } = this;
    if (!supposed || !this.after || !this.changes.length) return scene;
    const ids = view.kind === "composite" ? countedCategories(this.data, view, effective) : [view.id];
    if (!this.changes.some((change) => ids.includes(supposed.categoryOf(change)))) return scene;
    const found = supposed.differences(ids, effective.minutes);
    const { width } = this.cells;
    const { brush, paints, list } = scene;
    /** @type {Brush} */
    const marked = (k, fx, fy) => {
      const difference = found[k + (fx > 0.5 ? 1 : 0) + (fy > 0.5 ? width : 0)];
      return difference ? paints.length + difference - 1 : brush(k, fx, fy);
    };
    const minutes = this.words.short(effective.minutes);
    /** @type {Legend} */
    const told = [];
    if (found.includes(1)) told.push([gained, this.words.say("what_if_gained", { minutes })]);
    if (found.includes(2)) told.push([lost, this.words.say("what_if_lost", { minutes })]);
    // Of the same rule: where another cell is marked, its minutes are others.
    return { ...scene, paints: [...paints, gained, lost], brush: marked, list: [...told, ...list] };
  }

  /** @param {string} key */
  say(key) {
    this.tell(this.words.say(key));
  }

  /**
   * In the panel, and where that is folded away on the map.
   * @param {string} text
   */
  tell(text) {
    byId("what-if-outcome").textContent = text;
    byId("what-if-on-map").textContent = text;
  }

  write() {
    const { words, changes, supposed } = this;
    if (!supposed) return;
    byId("what-if-changes").hidden = !changes.length;
    byId("what-if-undo").toggleAttribute("disabled", !this.past.length);
    for (const input of inputs("input[name=what-if]")) input.checked = (input.value === "after") === this.after;
    const touched = [...new Set(changes.map((change) => supposed.categoryOf(change)))];
    if (this.after) {
      const sentences = touched.map((id) => this.outcomeSaid(id, supposed.outcome(id, this.minutes)));
      this.tell(changes.length ? sentences.join(" ") : words.say("what_if_none"));
    }
    byId("what-if-list").replaceChildren(
      ...changes.map((change, n) =>
        el(
          "li",
          {},
          el("span", { dir: "auto" }, this.told(change)),
          el("span", { class: "actions" },
            action(words.say("what_if_see"), () => this.on.go(change.kind === "close" ? supposed.original.services[change.place].at : change.at)),
            action(words.say("what_if_take_back"), () => this.change(changes.filter((_, i) => i !== n)))
          )
        )
      )
    );
  }

  /** @param {Change} change */
  told(change) {
    const { words } = this;
    const service = change.kind === "add" ? null : this.supposed?.original.services[change.place];
    const name = change.kind === "add" ? change.name : service?.name || words.say("unnamed");
    const street = change.kind === "close" ? "" : this.streets.get(change) || this.gaps.streetAt(change.at);
    this.streets.set(change, street);
    return words.say("what_if_told_" + change.kind, { name }) + (street ? " – " + street : "");
  }

  /**
   * @param {string} category
   * @param {Outcome} outcome
   */
  outcomeSaid(category, outcome) {
    const { words, data } = this;
    const unit = data.residents ? "" : "_area";
    /** @param {number} value */
    const amount = (value) => words.number(data.residents ? rounded(value) : value * this.hectares, data.residents ? 0 : 1);
    const change = outcome.gained || outcome.lost ? (outcome.lost ? (outcome.gained ? "both" : "lost") : "gained") : "same";
    const values = {
      category: this.labelOf(category),
      minutes: words.short(this.minutes),
      gained: amount(outcome.gained),
      lost: amount(outcome.lost),
      before: words.percent(outcome.before),
      after: words.percent(outcome.after),
    };
    const said = [words.say("what_if_outcome_" + change + unit, values)];
    if (outcome.gapsBefore !== outcome.gapsAfter) {
      said.push(words.say("what_if_gaps", { before: words.number(outcome.gapsBefore), after: words.number(outcome.gapsAfter) }));
    }
    return said.join(" ");
  }

  /** The minutes of every category before the changes; null where nothing is supposed. */
  get before() {
    return this.supposed && this.after && this.changes.length ? this.supposed.original : null;
  }

  /** The categories that changes are made to. */
  get touched() {
    const { supposed } = this;
    return new Set(supposed && this.before ? this.changes.map((change) => supposed.categoryOf(change)) : []);
  }

  get hectares() {
    return this.supposed ? this.supposed.walks.cell_m ** 2 / 10000 : 0;
  }

  /* ---- kept and sent ---- */

  get address() {
    return this.supposed && this.changes.length ? toAddress(written(this.changes, this.supposed.walks.ids)) : "";
  }

  /** @param {string} text what the address says of changes */
  async restore(text) {
    if (!this.there || text === this.address) return;
    const supposed = await this.open();
    const { changes } = this.read(fromAddress(text), supposed);
    await this.change(changes, false);
  }

  /**
   * @param {import("./changes.js").Written[]} list
   * @param {Supposed} supposed
   */
  read(list, supposed) {
    return understood(
      list,
      supposed.walks.ids,
      supposed.original.services.map(({ name }) => name || ""),
      (category) => this.canChange(category),
      (n, category) => this.named(n, category),
      (place) => (supposed.walks.counted[place] ? supposed.original.services[place].category : "")
    );
  }

  async save() {
    const supposed = await this.open();
    const text = toFile(written(this.changes, supposed.walks.ids), this.words.say("what_if_scenario"));
    const url = URL.createObjectURL(new Blob([text], { type: "application/toml" }));
    const link = el("a", { href: url, download: "scenario.toml" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  /** @param {HTMLInputElement} input */
  async load(input) {
    const file = input.files && input.files[0];
    if (!file) return;
    const text = await file.text();
    input.value = "";
    const supposed = await this.open();
    const { list, left } = fromFile(text);
    const { changes, left: unknown } = this.read(list, supposed);
    await this.change(changes);
    const total = left + unknown;
    if (total) byId("what-if-outcome").append(" " + this.words.count("what_if_left", total));
  }
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
const action = (text, onclick) => el("button", { type: "button", class: "act", onclick }, text);

/**
 * Figures of people to two or three digits: no more is known of them.
 * @param {number} value
 */
function rounded(value) {
  if (value < 100) return Math.round(value);
  const step = 10 ** Math.max(Math.floor(Math.log10(value)) - 2, 1);
  return Math.round(value / step) * step;
}

/**
 * @param {number[]} at
 * @returns {[number, number]}
 */
const pair = ([x, y]) => [x, y];

/** @param {Event} event */
function quiet(event) {
  event.stopImmediatePropagation();
  event.preventDefault();
}
