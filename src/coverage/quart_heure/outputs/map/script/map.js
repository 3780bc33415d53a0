/* The map of coverage: starts the layers and the panel, and carries what is chosen between them. */

/** @import { District, Gap, PageData, Service, View } from "./types.js" */
/** @import { Part } from "./gaps.js" */
/** @import { Kind, Switches } from "./layers.js" */
/** @import { Chosen, Effective } from "./scene.js" */
/** @import { Entry } from "./search_index.js" */

import { Cells } from "./cells.js";
import { Controls } from "./controls.js";
import { polygon } from "./draw.js";
import { addMapControls, listenToPrint } from "./frame.js";
import { Gaps } from "./gaps.js";
import { Hours } from "./hours.js";
import { speak } from "./language.js";
import { Layers } from "./layers.js";
import { Legend } from "./legend.js";
import { Names, nameSources } from "./names.js";
import { byId, control, el, pageData, part } from "./page.js";
import { Panel } from "./panel.js";
import { districtHolding, placePopup, waterPopup } from "./popups.js";
import { Proposals } from "./proposals.js";
import { Scenes, effectiveOf } from "./scene.js";
import { Search } from "./search.js";
import { Send } from "./send.js";
import { Sentence } from "./sentence.js";
import { openStreetMap } from "./street_map.js";
import { keepState, readState, writeState } from "./state.js";
import { Tally } from "./tally.js";
import { SMALL, Viewpoint } from "./viewpoint.js";
import { WhatIf } from "./what_if.js";
import { Words } from "./words.js";

/** @type {Kind[]} */
const LAYERS = ["gaps", "services", "streets"];

export class CoverageMap {
  /**
   * @param {L.Map} map
   * @param {PageData} data
   * @param {Cells} cells
   * @param {Hours} hours
   * @param {Proposals} proposals
   * @param {Tally} tally
   * @param {string | null} lang the language that the address asks for, if it is not the page's own
   */
  constructor(map, data, cells, hours, proposals, tally, lang) {
    this.map = map;
    this.data = data;
    this.cells = cells;
    this.hours = hours;
    this.proposals = proposals;
    this.lang = lang;
    this.words = new Words(data.said);
    /** @type {Switches} */
    this.switches = { gaps: true, services: true, streets: true };
    this.gaps = new Gaps(data, cells, tally);
    this.sentence = new Sentence(data, this.words, hours, tally);
    this.layers = new Layers(map, data, this.words, cells, hours, this.switches, {
      tell: (latlng) => this.tell(latlng),
      gap: (gap) => this.noteGap(gap),
      list: (gap) => this.findInList(gap),
      part: (gap, at) => this.partAt(gap, at),
      clicked: (at) => this.follow(at),
      service: (service) => this.whatIf.serviceActions(service),
    });
    this.scenes = new Scenes(data, cells, hours, this.words);
    this.legend = new Legend(data, this.words, this.layers);
    this.panel = new Panel(data, this.words, this.layers, hours, this.gaps, {
      gap: (gap, from) => this.visitGap(gap, from),
      part: (one, from) => this.visitGap(one.gap, from, one),
      service: (service, from) => this.visitService(service, from),
    });
    this.controls = new Controls(data, this.words, {
      view: (view) => this.choose({ view }),
      minutes: (minutes) => this.choose({ minutes }),
      mode: (mode) => this.choose({ mode }),
      hour: (hour) => this.choose({ hour }),
      layer: (name, shown) => this.setLayer(name, shown),
      district: (row) => this.goTo(row),
      reset: () => this.reset(),
    });
    this.panel.figures.choose = (row) => this.goTo(row);
    this.proposals.actions = (at, category) => this.whatIf.openAction(at, category);
    this.proposals.listen(
      (category) => this.choose(category ? { view: category } : {}),
      (at, open) => this.visitPlace(at, open)
    );
    this.search = new Search(data, this.words, (entry, from) => this.visitFound(entry, from));
    this.send = new Send(map, this.words, () => this.address());
    this.viewpoint = new Viewpoint(map, data.ground, () => this.keep());
    this.names = new Names("names");
    this.whatIf = new WhatIf(map, data, this.words, cells, this.layers, this.gaps, {
      show: (touched) => this.showAnew(touched),
      keep: () => this.keep(),
      look: () => this.togglePanel(false),
      go: (at) => this.viewpoint.jumpTo(at, 15),
    });
    this.arrival = () => {};
    /** @type {Gap | null} */
    this.gap = null;
    /** The part of a gap that was chosen in the list. @type {Part | null} */
    this.part = null;
    /** @type {HTMLElement | null} */
    this.returnTo = null;
    this.started = false;
    this.chosen = this.atStart();
    /** @type {View} */
    this.view = data.views[0];
    /** @type {Effective} */
    this.effective = effectiveOf(data, this.view, this.chosen);
  }

  /** @returns {Chosen} */
  atStart() {
    return { view: this.data.views[0].id, minutes: this.data.threshold_min, mode: "minutes", hour: null, district: null };
  }

  start() {
    addMapControls(this.map, this.words, () => this.viewpoint.frame());
    this.viewpoint.frame();
    this.names.addTo(this.map);
    this.listenToMap();
    listenToPrint(this.map, () => this.panel.showAll());
    this.show();
    // Once more: the legend, now written, may cover the area; on a phone it would cover too much.
    if (window.matchMedia(SMALL).matches) control("legend", HTMLDetailsElement).open = false;
    this.viewpoint.frame();
    this.viewpoint.keepFramed();
    this.restore();
    // What an address says goes first.
    if (this.data.supposed && !window.location.hash) this.whatIf.restore(this.data.supposed);
    window.addEventListener("hashchange", () => this.restore());
    this.map.on("moveend", () => this.keep());
    this.started = true;
    document.documentElement.classList.add("ready");
  }

  /* ---- what is shown ---- */

  /** @param {Partial<Chosen>} changes */
  choose(changes) {
    Object.assign(this.chosen, changes);
    if ("view" in changes) {
      this.proposals.leave(this.data.views.find((one) => one.id === changes.view) || this.view);
      this.onArrival(() => {});
      this.returnTo = null; // the list it would return to is about to be replaced
      this.map.closePopup();
    }
    this.show();
    this.keep();
  }

  show() {
    const { chosen, data, switches } = this;
    this.view = data.views.find((one) => one.id === chosen.view) || data.views[0];
    this.effective = effectiveOf(data, this.view, chosen);
    this.whatIf.follow(this.view, this.effective);
    const proposed = this.proposals.scene(this.view, this.effective, this.scenes);
    // Gaps are those of today: with a proposal their outlines are enough.
    const drawn = proposed ? { ...this.effective, standard: false, ranged: false, zoned: false, hour: null } : this.effective;
    const scene = proposed || this.whatIf.over(this.scenes.of(this.view, this.effective), this.view, this.effective);
    const gaps = this.gaps.of(this.view, this.effective.minutes);
    this.layers.show(this.view, scene, drawn, gaps);
    this.sentence.write(this.view, this.effective, this.row, this.whatIf.before);
    this.panel.write(this.view, this.effective, this.row, this.whatIf.before !== null);
    this.proposals.show();
    this.legend.write(this.view, drawn, scene, switches, gaps, this.proposals.entries());
    this.controls.show(chosen, this.view, this.effective, switches);
    this.controls.showShares(this.effective, this.panel.figures, this.whatIf.touched);
    this.writeDistrict();
    this.writeNames();
  }

  /* The row of the tables that is looked at: a district, or the whole area. */
  get row() {
    const { district } = this.chosen;
    return district === null ? this.data.rows.length - 1 : district;
  }

  /* The district that is looked at: outlined, and with a link to its dossier. */
  writeDistrict() {
    const { district } = this.chosen;
    this.layers.showDistrict(district === null ? null : this.data.ground.districts[district]);
    const address = district === null ? "" : this.data.dossiers[district] || "";
    const link = address ? el("a", { href: address }, this.words.say("dossier")) : null;
    byId("dossier").hidden = !link;
    byId("dossier").replaceChildren(...(link ? [link] : []));
  }

  /**
   * The same once some categories have changed: what was drawn and listed of them is out of date.
   * @param {Set<string>} touched
   */
  showAnew(touched) {
    this.map.closePopup();
    const old = this.data.views.filter((view) => view.kind === "composite" || touched.has(view.id));
    this.layers.forget(old);
    this.panel.view = null;
    this.search.index = null;
    this.show();
  }

  /**
   * @param {Kind} name
   * @param {boolean} shown
   */
  setLayer(name, shown) {
    this.switches[name] = shown;
    this.show();
    this.keep();
  }

  writeNames() {
    const services = this.layers.servicesOf(this.view);
    // The numbers of gaps would be taken for those of proposed sites.
    const shown = { ...this.switches, gaps: this.switches.gaps && !this.proposals.one() };
    const gaps = this.gaps.of(this.view, this.effective.minutes);
    this.names.setSources(nameSources(this.data, gaps, services, shown));
  }

  reset() {
    for (const name of LAYERS) this.switches[name] = true;
    this.proposals.pick(null);
    this.search.clear();
    this.choose(this.atStart());
    this.viewpoint.frame();
  }

  /* ---- what is chosen, in the address ---- */

  keep() {
    if (this.started) keepState(this.address());
  }

  /* What is shown, as an address says it. */
  address() {
    const { lat, lng } = this.map.getCenter();
    const place = this.viewpoint.framed ? null : { zoom: this.map.getZoom(), lat, lng };
    const hidden = LAYERS.filter((name) => !this.switches[name]);
    const supposed = this.whatIf.address;
    const proposal = this.proposals.state();
    const state = { ...this.chosen, hidden, place, gap: this.gap && this.gap.rank, proposal, supposed, lang: this.lang };
    return writeState(state, this.data);
  }

  restore() {
    const state = readState(window.location.hash, this.data, LAYERS);
    if (!state) return; // a link within the page, or nothing of ours
    for (const name of LAYERS) this.switches[name] = !state.hidden.includes(name);
    const { view, minutes, mode, hour, district, place } = state;
    this.map.closePopup();
    this.chosen = { view, minutes, mode, hour, district };
    this.proposals.restore(state.proposal);
    this.show();
    if (place) this.map.setView([place.lat, place.lng], place.zoom, { animate: false });
    else if (district !== null) this.viewpoint.flyTo(L.latLngBounds(polygon(this.data.ground.districts[district].shape).flat(2)));
    else this.viewpoint.frame();
    const gap = this.gaps.of(this.view, this.effective.minutes).find((one) => one.rank === state.gap);
    if (gap) this.layers.gapLayer(gap).openPopup(gap.at);
    this.whatIf.restore(state.supposed);
  }

  /** @param {Gap | null} gap */
  noteGap(gap) {
    this.gap = gap;
    this.keep();
  }

  /**
   * What is known of a place: minutes to the nearest service of each category, or that it is water.
   * Null outside.
   * @param {L.LatLng} latlng
   */
  tell(latlng) {
    const cell = this.cells.holding(latlng);
    const water = cell < 0 && this.cells.isWater(latlng);
    if (cell < 0 && !water) return null;
    const district = districtHolding(this.data.ground.districts, latlng);
    const name = district ? district.label : this.words.say("here_no_district");
    const title = this.words.say("here_title", { district: name });
    if (water) return waterPopup(this.words, title);
    const told = placePopup(this.words, this, { title, cell, hour: this.effective.hour }, (service) =>
      this.visitService(service, null)
    );
    if (!this.cells.isOff(cell)) told.append(this.whatIf.placeActions(latlng));
    return told;
  }

  /* ---- from the panel to the map and back ---- */

  /**
   * @param {Gap} gap
   * @param {HTMLElement} from
   * @param {Part | null} [mine] what a district has of it, where this is what was chosen
   */
  visitGap(gap, from, mine = null) {
    if (!this.switches.gaps) this.setLayer("gaps", true);
    this.togglePanel(false);
    const layer = this.layers.gapLayer(gap);
    this.onArrival(() => {
      this.part = mine;
      layer.openPopup(mine ? mine.at : gap.at);
      this.focusPopup(layer.getPopup(), from);
    });
    const district = mine && this.data.ground.districts[mine.row];
    this.viewpoint.flyTo(district ? L.latLngBounds(polygon(district.shape).flat(2)) : layer.getBounds());
  }

  /**
   * What is told of a gap: the part of it where it was clicked, or that was chosen in the list.
   * @param {Gap} gap
   * @param {L.LatLng | null} at
   */
  partAt(gap, at) {
    const parts = this.gaps.parts(this.view, gap);
    const cell = at ? this.cells.holding(at) : -1;
    const row = cell >= 0 ? this.gaps.tally.rowOf(cell) : this.part && this.part.gap === gap ? this.part.row : -1;
    this.part = null;
    return parts.find((one) => one.row === row) || (parts.length === 1 ? parts[0] : null);
  }

  /**
   * @param {Service} service
   * @param {HTMLElement | null} from
   */
  visitService(service, from) {
    if (!this.layers.servicesOf(this.view).includes(service)) this.choose({ view: service.category });
    if (!this.switches.services) this.setLayer("services", true);
    this.togglePanel(false);
    const mark = this.layers.markOf(service);
    this.onArrival(() => {
      mark.openPopup();
      this.focusPopup(mark.getPopup(), from);
    });
    this.viewpoint.jumpTo(service.at, 15);
  }

  /**
   * @param {L.LatLng} at
   * @param {() => void} open
   */
  visitPlace(at, open) {
    this.togglePanel(false);
    this.onArrival(open);
    this.viewpoint.jumpTo(at, 15);
  }

  /**
   * A popup finds its place by the view: it opens once the map is there, if no other is chosen.
   * @param {() => void} open
   */
  onArrival(open) {
    this.map.off("moveend", this.arrival);
    this.arrival = open;
    this.map.once("moveend", open);
  }

  /**
   * Hand the keyboard over to a popup; closing it hands it back.
   * @param {L.Popup | null | undefined} popup
   * @param {HTMLElement | null} from
   */
  focusPopup(popup, from) {
    this.returnTo = from;
    const element = popup && popup.getElement();
    if (element) part(element, ".popup").focus({ preventScroll: true });
  }

  /** @param {Gap} gap */
  findInList(gap) {
    this.returnTo = null;
    this.map.closePopup();
    this.togglePanel(true);
    this.panel.findGap(gap);
  }

  /**
   * @param {Entry} entry
   * @param {HTMLElement} from
   */
  visitFound(entry, from) {
    if (entry.kind === "district") this.visitDistrict(entry.district);
    else if (entry.kind === "service") this.visitService(entry.service, from);
    else if (entry.kind === "place") this.visitAddress(entry.at, from);
    else if (entry.stretches.length === 1) this.visitAddress(entry.stretches[0].at, from);
    else {
      this.togglePanel(false);
      this.viewpoint.flyTo(L.latLngBounds(entry.stretches.map((stretch) => stretch.at)).pad(0.1));
    }
  }

  /**
   * @param {L.LatLng} at
   * @param {HTMLElement} from
   */
  visitAddress(at, from) {
    this.togglePanel(false);
    this.onArrival(() => this.openAt(at, from));
    this.viewpoint.jumpTo(at, 16);
  }

  /**
   * @param {L.LatLng} at
   * @param {HTMLElement} from
   */
  openAt(at, from) {
    const popup = this.layers.openAt(at);
    if (popup) this.focusPopup(popup, from);
  }

  /** @param {District} district */
  visitDistrict(district) {
    this.goTo(this.data.ground.districts.indexOf(district));
  }

  /**
   * Look at a district: all that the page says is of it, then.
   * @param {number | null} row null for the whole area
   */
  goTo(row) {
    this.togglePanel(false);
    this.map.closePopup();
    this.choose({ district: row });
    if (row === null) return this.viewpoint.frame();
    return this.viewpoint.flyTo(L.latLngBounds(polygon(this.data.ground.districts[row].shape).flat(2)));
  }

  /**
   * A click in another district than the one that is looked at looks at that one.
   * @param {L.LatLng} at
   */
  follow(at) {
    const cell = this.cells.holding(at);
    const row = cell < 0 ? -1 : this.gaps.tally.rowOf(cell);
    if (row < 0 || row >= this.data.ground.districts.length || row === this.chosen.district) return;
    this.chosen.district = row;
    this.show();
    this.keep();
  }

  listenToMap() {
    this.map.on("click", ({ latlng }) => {
      this.layers.openAt(latlng);
      this.follow(latlng);
    });
    this.map.on("popupopen", ({ popup }) => {
      const element = popup.getElement();
      const button = element && element.querySelector(".leaflet-popup-close-button");
      if (button) button.setAttribute("aria-label", this.words.say("close"));
    });
    this.map.on("popupclose", () => {
      const back = this.returnTo;
      this.returnTo = null;
      if (!back || !back.isConnected) return;
      // On a phone the list is folded away: its button stands for it.
      (back.offsetParent ? back : byId("fold")).focus({ preventScroll: true });
    });
    byId("fold").addEventListener("click", () => this.togglePanel());
    document.addEventListener("keydown", (event) => this.key(event));
  }

  /**
   * Escape closes what is open; Enter on the map asks for the place in its middle.
   * @param {KeyboardEvent} event
   */
  key({ key, target }) {
    const container = this.map.getContainer();
    if (key === "Escape") {
      this.map.closePopup();
      this.whatIf.stopPicking();
    }
    if (key !== "Enter" || target !== container) return;
    if (this.whatIf.put(this.map.getCenter())) return;
    this.openAt(this.map.getCenter(), container);
    this.follow(this.map.getCenter());
  }

  /**
   * On a phone the panel is folded; on a wide screen it is always there.
   * @param {boolean} [open]
   */
  togglePanel(open) {
    const button = byId("fold");
    const opened = open === undefined ? button.getAttribute("aria-expanded") !== "true" : open;
    button.setAttribute("aria-expanded", String(opened));
    document.body.classList.toggle("panel-open", opened);
    part(button, ".when-open").hidden = !opened;
    part(button, ".when-closed").hidden = opened;
    // At once, for what flies to a place next must know how large the map is now.
    this.viewpoint.resize();
  }
}

/** @param {L.Map} map */
async function start(map) {
  const { data, lang } = speak(pageData);
  if (!("DecompressionStream" in window)) {
    byId("summary").textContent = data.said.words.too_old;
    return;
  }
  const [cells] = await Promise.all([Cells.open(data.cells), openStreetMap(data.ground)]);
  const hours = await Hours.open(data, cells);
  const proposals = await Proposals.open(map, data, new Words(data.said), cells);
  const tally = await Tally.open(data, cells);
  const started = new CoverageMap(map, data, cells, hours, proposals, tally, lang);
  window.quartHeure.map = started;
  started.start();
}

window.quartHeure = { start };
