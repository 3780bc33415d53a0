/* The layers of the map: ground, streets, coverage, gaps and services. */

/** @import { District, Gap, Ground, PageData, Scenery, Service, View } from "./types.js" */
/** @import { Cells } from "./cells.js" */
/** @import { Part } from "./gaps.js" */
/** @import { Hours } from "./hours.js" */
/** @import { Effective, Scene } from "./scene.js" */
/** @import { Words } from "./words.js" */

/** @typedef {"gaps" | "services" | "streets"} Kind of layer */
/** @typedef {Record<Kind, boolean>} Switches which of them are wanted */

/**
 * What asks and tells the rest of the page: `tell` returns what is known of a place, `gap` is called
 * with the gap that is open, or null, `list` shows it in the list.
 * @typedef {object} LayerHandlers
 * @property {(latlng: L.LatLng) => HTMLElement | null} tell
 * @property {(gap: Gap | null) => void} gap
 * @property {(gap: Gap) => void} list
 * @property {(gap: Gap, at: L.LatLng | null) => Part | null} part what is told of a gap
 * @property {(gap: Gap) => { row: number, whole: boolean }[]} rows the districts that it lies in
 * @property {(at: L.LatLng) => void} clicked
 * @property {(service: Service) => string | HTMLElement} service what a service offers
 */

/**
 * What is drawn of a view; `stale` where something else is to be shown of it by now.
 * @typedef {{ gaps: L.LayerGroup, services: L.LayerGroup, outlines: L.Polyline, shapes: number[][][][], stale: boolean }} Drawn
 */
/** @typedef {"ground" | "coverage" | "streets"} Pane that a canvas is drawn in */

import { Card } from "./card.js";
import { closing, gapFill, points, polygon, reach } from "./draw.js";
import { Mark, kindOf, markStyle, shapeOf } from "./marks.js";
import { el, palette } from "./page.js";
import { gapPopup, servicePopup } from "./popups.js";
import { categoryViews } from "./scene.js";
import { streetMap } from "./street_map.js";
import { Surface } from "./surface.js";

const HOLE_REACH = 250; // units of degrees, some 200 m
const STREETS_FROM = [0, 12, 13, 14]; // zoom, by class
const STREET_WEIGHTS = [2.4, 1.7, 1.2, 0.9]; // pixels at zoom 13
const PANES = { ground: 200, surface: 390, coverage: 400, streets: 410, marks: 430, names: 450 };

export class Layers {
  /**
   * @param {L.Map} map
   * @param {PageData} data
   * @param {Words} words
   * @param {Cells} cells
   * @param {Hours} hours
   * @param {Switches} switches
   * @param {LayerHandlers} on
   */
  constructor(map, data, words, cells, hours, switches, on) {
    this.map = map;
    this.data = data;
    this.words = words;
    this.hours = hours;
    this.switches = switches;
    this.on = on;
    /** @type {number | null} */
    this.hour = null;
    this.categories = new Map(categoryViews(data).map((view) => [view.id, view]));
    /** @type {Map<string, Drawn>} */
    this.drawn = new Map();
    /** @type {Drawn | null} */
    this.shown = null;
    /** What marks were styled for last. */
    this.styled = "";
    /** @type {Map<number, L.Polyline>} */
    this.streets = new Map();
    /** @type {Map<Gap, L.Polygon>} */
    this.gaps = new Map();
    /** @type {Map<Service, Mark>} */
    this.marks = new Map();
    /** @type {{ district: District, line: L.Polygon } | null} */
    this.around = null;
    this.makePanes();
    this.canvases = {
      ground: L.canvas({ pane: "ground", padding: 0.3 }),
      coverage: L.canvas({ pane: "coverage", padding: 0.3 }),
      streets: L.canvas({ pane: "streets", padding: 0.3 }),
    };
    // Few and small: as elements of the page they can be reached with the mouse above all else.
    this.svg = L.svg({ pane: "marks", padding: 0.3 });
    const alpha = data.online ? 0.6 : 0.92;
    this.surface = new Surface(cells, polygon(data.ground.area), { pane: "surface", padding: 0.1 }, alpha).addTo(map);
    this.drawGround();
    map.on("zoomend", () => {
      this.refreshStreets();
      this.refreshMarks();
    });
  }

  /**
   * Show a view, drawn the first time it is asked for. Gaps are those of the threshold at any hour:
   * they are filled where this is what is shown, and no cell of them is perhaps covered.
   * @param {View} view
   * @param {Scene} scene
   * @param {Effective} effective
   * @param {Gap[]} gaps
   */
  show(view, scene, { zoned, hour, minutes }, gaps) {
    this.hour = hour;
    const key = view.id + " " + minutes;
    const drawn = this.drawn.get(key) || this.drawView(view, gaps);
    this.drawn.set(key, drawn);
    if (drawn.stale) this.drawAgain(drawn, view, gaps);
    if (this.shown && this.shown !== drawn) for (const layer of [this.shown.gaps, this.shown.services]) layer.remove();
    this.shown = drawn;
    const opacity = zoned ? (this.data.online ? 0.6 : 1) : 0;
    for (const gap of gaps) this.gapLayer(gap).setStyle({ fillOpacity: opacity });
    this.surface.setScene(scene);
    this.refresh(drawn);
  }

  /** @param {Drawn} drawn */
  refresh({ gaps, services }) {
    const wanted = /** @type {const} */ ([[gaps, this.switches.gaps], [services, this.switches.services]]);
    for (const [layer, shown] of wanted) {
      if (shown) layer.addTo(this.map);
      else layer.remove();
    }
    this.refreshStreets();
    this.refreshMarks();
  }

  makePanes() {
    for (const [name, z] of Object.entries(PANES)) {
      const pane = this.map.createPane(name);
      pane.style.zIndex = String(z);
      if (name !== "coverage" && name !== "marks") pane.classList.add("untouched");
    }
  }

  /**
   * @param {Pane} pane
   * @param {number[][][]} shape
   * @param {string | CanvasPattern} colour
   * @param {L.PolylineOptions} [options]
   */
  fill(pane, shape, colour, options) {
    return L.polygon(polygon(shape), {
      renderer: this.canvases[pane],
      pane,
      interactive: false,
      stroke: false,
      fill: true,
      // Leaflet hands it to the canvas, which takes patterns too.
      fillColor: /** @type {string} */ (colour),
      fillOpacity: 1,
      smoothFactor: 0.6,
      ...options,
    });
  }

  /**
   * @param {Pane} pane
   * @param {number[][]} steps
   * @param {L.PolylineOptions} options
   */
  lines(pane, steps, options) {
    return L.polyline(steps.map(points), {
      renderer: this.canvases[pane],
      pane,
      interactive: false,
      lineCap: "round",
      lineJoin: "round",
      smoothFactor: 0.8,
      ...options,
    });
  }

  drawGround() {
    const { ground, online } = this.data;
    const group = L.layerGroup();
    this.map.getContainer().style.backgroundColor = palette.outside;
    if (!online) {
      this.fill("ground", ground.area, palette.paper).addTo(group);
      this.drawScenery(ground.scenery, group);
      this.veil(ground).addTo(group);
    }
    group.addTo(this.map);
    const borders = { stroke: true, fill: false, color: palette.outline, weight: 1.2, opacity: 0.75 };
    for (const district of ground.districts) {
      this.fill("streets", district.shape, palette.outline, borders).addTo(this.map);
    }
  }

  /**
   * A thicker line around the district that is looked at.
   * @param {District | null} district
   */
  showDistrict(district) {
    if (this.around && this.around.district === district) return;
    if (this.around) this.around.line.remove();
    this.around = null;
    if (!district) return;
    const line = { stroke: true, fill: false, color: palette.outline, weight: 3.5, opacity: 1 };
    this.around = { district, line: this.fill("streets", district.shape, palette.outline, line).addTo(this.map) };
  }

  /**
   * What lies around the area is there to find one's way, and paler.
   * @param {Ground} ground
   */
  veil(ground) {
    const world = [L.latLng(-85, -180), L.latLng(85, -180), L.latLng(85, 180), L.latLng(-85, 180)];
    const outer = polygon(ground.area).map((rings) => rings[0]);
    return L.polygon([world, ...outer], {
      renderer: this.canvases.streets,
      pane: "streets",
      interactive: false,
      stroke: false,
      fillColor: palette.outside,
      fillOpacity: 0.55,
      smoothFactor: 0.6,
    });
  }

  /**
   * @param {Record<string, Scenery>} scenery
   * @param {L.LayerGroup} group
   */
  drawScenery(scenery, group) {
    for (const [kind, { areas, lines }] of Object.entries(scenery)) {
      const colour = palette.scenery[kind] || palette.outside;
      // Water stays over the coverage: a river is what one has to walk around.
      const pane = kind === "water" ? "streets" : "ground";
      if (areas.length) this.fill(pane, areas, colour).addTo(group);
      if (lines.length) {
        const weight = kind === "water" ? 3 : 1.2;
        this.lines(pane, lines, { color: colour, weight, opacity: 0.9 }).addTo(group);
      }
    }
  }

  /* Streets by class, each from its own zoom on; built when they are first needed. */
  refreshStreets() {
    const zoom = this.map.getZoom();
    const scale = Math.max(0.5, 1 + (zoom - 13) * 0.45);
    streetMap.classes.forEach((steps, level) => {
      const wanted = this.switches.streets && !this.data.online && zoom >= STREETS_FROM[level];
      const layer = this.streets.get(level);
      if (!wanted) {
        if (layer) layer.remove();
        return;
      }
      const shown = layer || this.lines("streets", steps, { color: palette.street, opacity: 0.75 });
      shown.setStyle({ weight: STREET_WEIGHTS[level] * scale });
      this.streets.set(level, shown);
      if (!this.map.hasLayer(shown)) shown.addTo(this.map).bringToBack();
    });
  }

  /**
   * @param {View} view
   * @param {Gap[]} gaps
   * @returns {Drawn}
   */
  drawView(view, gaps) {
    const zones = gaps.map((gap) => this.drawGap(gap, view.kind === "composite"));
    const outlines = this.gapOutlines(gaps, 1.3);
    return {
      gaps: L.layerGroup([...zones, outlines]),
      services: L.layerGroup(this.servicesOf(view).map((service) => this.markOf(service))),
      outlines,
      shapes: gaps.map((gap) => gap.shape),
      stale: false,
    };
  }

  /**
   * What is the same of a view stays as it is drawn.
   * @param {Drawn} drawn
   * @param {View} view
   * @param {Gap[]} gaps
   */
  drawAgain(drawn, view, gaps) {
    const zones = gaps.map((gap) => this.gaps.get(gap) || this.drawGap(gap, view.kind === "composite"));
    const shapes = gaps.map((gap) => gap.shape);
    if (shapes.length !== drawn.shapes.length || shapes.some((shape, n) => shape !== drawn.shapes[n])) {
      drawn.shapes = shapes;
      drawn.outlines = this.gapOutlines(gaps, 1.3);
    }
    put(drawn.gaps, [...zones, drawn.outlines]);
    const marks = this.servicesOf(view).map((service) => this.markOf(service));
    // One lies over the other: where one in their midst is new, all are put on anew.
    const there = drawn.services.getLayers();
    if (there.some((mark, n) => mark !== marks[n])) drawn.services.clearLayers();
    put(drawn.services, marks);
    drawn.stale = false;
    const groups = [...this.drawn.values()].map((one) => one.gaps);
    for (const [gap, layer] of this.gaps) {
      if (!groups.some((group) => group.hasLayer(layer))) this.gaps.delete(gap);
    }
  }

  /**
   * What was drawn of some views is to be drawn anew, and services that are no more go.
   * @param {View[]} views
   */
  forget(views) {
    for (const [key, drawn] of this.drawn) {
      if (views.some(({ id }) => key.startsWith(id + " "))) drawn.stale = true;
    }
    const there = new Set(this.data.services);
    for (const [service, mark] of this.marks) {
      if (there.has(service)) continue;
      mark.remove();
      this.marks.delete(service);
    }
  }

  /**
   * The layer of a gap of a view that is drawn.
   * @param {Gap} gap
   */
  gapLayer(gap) {
    const layer = this.gaps.get(gap);
    if (!layer) throw new Error("Gap " + gap.rank + " is not drawn.");
    return layer;
  }

  /**
   * @param {Gap} gap
   * @param {boolean} ground whether nothing is painted under it
   */
  drawGap(gap, ground) {
    const layer = this.fill("coverage", gap.shape, gapFill(ground), { interactive: true });
    this.gaps.set(gap, layer);
    /** @type {L.LatLng | null} */
    let clicked = null;
    // Before the popup opens, which is told the same click: a gap chosen in the list has none.
    layer.on("click", ({ latlng }) => {
      clicked = latlng;
      this.on.clicked(latlng);
    });
    layer.on("popupclose", () => (clicked = null));
    this.bindCard(layer, () => {
      const here = clicked ? this.on.tell(clicked) : "";
      return gapPopup(this.words, this.data, { gap, part: this.on.part(gap, clicked), rows: this.on.rows(gap) }, here, () => this.on.list(gap));
    });
    const outline = this.gapOutlines([gap], 4);
    layer.on("popupopen", () => {
      outline.addTo(this.map);
      this.on.gap(gap);
    });
    layer.on("popupclose", () => {
      outline.remove();
      this.on.gap(null);
    });
    return layer;
  }

  /**
   * Outlines without those of small holes, which at the scale of a city are specks.
   * @param {Gap[]} gaps
   * @param {number} weight
   */
  gapOutlines(gaps, weight) {
    const rings = gaps
      .flatMap((gap) => gap.shape)
      .flatMap(([outer, ...holes]) => [outer, ...holes.filter((hole) => reach(hole) > HOLE_REACH)]);
    const closed = rings.map((ring) => [...ring, ...closing(ring)]);
    return this.lines("streets", closed, { color: palette.gap_line, weight });
  }

  /**
   * @param {View} view
   * @returns {Service[]}
   */
  servicesOf(view) {
    if (view.kind === "category") return this.data.services.filter((service) => service.category === view.id);
    return this.data.services.filter((service) => this.categoryOf(service).essential && !service.left_out);
  }

  /**
   * One mark per service, whichever views it is part of.
   * @param {Service} service
   */
  markOf(service) {
    const before = this.marks.get(service);
    if (before) return before;
    const mark = new Mark(service.at, {
      shape: shapeOf(this.data, service.category),
      renderer: this.svg,
      pane: "marks",
      ...this.markStyle(service),
    });
    this.marks.set(service, mark);
    this.bindCard(mark, () => {
      const { hour } = this;
      const timed = hour !== null && !service.left_out;
      const at = timed ? { hour, state: this.hours.tellService(service, hour) } : null;
      const popup = servicePopup(this.words, service, this.categoryOf(service).label, at);
      popup.append(this.on.service(service));
      return popup;
    });
    return mark;
  }

  /**
   * @param {L.Layer} layer
   * @param {() => HTMLElement} content
   */
  bindCard(layer, content) {
    layer.bindPopup(new Card().setContent(content));
  }

  /**
   * What is known of a place where no gap and no service is.
   * @param {L.LatLng} latlng
   */
  openAt(latlng) {
    const told = this.on.tell(latlng);
    if (!told) return null;
    const content = el("div", { class: "popup", tabindex: "-1" }, told);
    const popup = new Card().setLatLng(latlng).setContent(content);
    this.map.openPopup(popup);
    return popup;
  }

  /** @param {Service} service */
  categoryOf(service) {
    const view = this.categories.get(service.category);
    if (!view) throw new Error("The page has no category " + service.category + ".");
    return view;
  }

  refreshMarks() {
    const wanted = [this.map.getZoom(), this.hour].join(" ");
    if (wanted === this.styled) return; // a mark that is new is made so
    this.styled = wanted;
    for (const [service, mark] of this.marks) mark.setStyle(this.markStyle(service)).redraw();
  }

  /**
   * Seen from afar marks are smaller, or they would hide a small city.
   * @param {Service} service
   */
  markStyle(service) {
    const style = markStyle(this.categoryOf(service).colour, kindOf(service, this.hours, this.hour));
    const radius = (style.small ? 5 : 7) - (this.map.getZoom() < 11.75 ? 2 : 0);
    return { ...style, radius };
  }
}

/**
 * Have some layers, and no others, in a group.
 * @param {L.LayerGroup} group
 * @param {L.Layer[]} layers in the order in which new ones are put on
 */
function put(group, layers) {
  const wanted = new Set(layers);
  for (const layer of group.getLayers()) if (!wanted.has(layer)) group.removeLayer(layer);
  for (const layer of layers) if (!group.hasLayer(layer)) group.addLayer(layer);
}
