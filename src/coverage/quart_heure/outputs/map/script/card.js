/* The card: what is told of a place, beside the map or as a sheet below it, never over the place. */

import { ink } from "./draw.js";
import { byId, control, palette } from "./page.js";

const MARGIN = 12; // pixels that a place keeps from what covers the map
const ROOM = 90; // pixels of map that are worth looking at
const RING_PX = 12;

/** @typedef {{ left: number, top: number, right: number, bottom: number }} Free part of the map, in its pixels */

/** Whether the legend was folded for a card, to be opened again after it. */
const legend = { folded: false };

/**
 * What a card leaves free of the map; the legend folds where both would leave too little.
 * @param {L.Map} map
 * @returns {Free}
 */
function freeOf(map) {
  const whole = map.getContainer().getBoundingClientRect();
  const card = byId("card").getBoundingClientRect();
  const free = { left: 0, top: 0, right: whole.width, bottom: whole.height };
  if (card.width < whole.width - ROOM) free.right = card.left - whole.left;
  else free.bottom = card.top - whole.top;
  const shown = control("legend", HTMLDetailsElement);
  const beside = () => shown.offsetLeft + shown.offsetWidth;
  if (shown.open && free.right - beside() < 2 * ROOM) {
    shown.open = false;
    legend.folded = true;
  }
  if (shown.open) free.left = beside();
  else free.top = Math.min(shown.offsetTop + shown.offsetHeight, free.bottom / 3);
  return free;
}

/* A popup that stands in the page, as wide as that gives it, and a ring around its place. */
export class Card extends L.Popup {
  constructor() {
    super({ autoPan: true, closeButton: true });
    this.ring = L.layerGroup();
  }

  getPane() {
    return byId("card");
  }

  /** @param {L.Map} map */
  onAdd(map) {
    document.body.classList.add("card-open");
    super.onAdd(map);
    this.circle(map);
    return this;
  }

  /** @param {L.Map} map */
  onRemove(map) {
    super.onRemove(map);
    this.ring.remove();
    // At once: the next one takes its place.
    this._container.remove();
    if (byId("card").children.length) return this;
    document.body.classList.remove("card-open");
    if (legend.folded) control("legend", HTMLDetailsElement).open = true;
    legend.folded = false;
    return this;
  }

  /** @param {L.Map} map */
  circle(map) {
    const at = this.getLatLng();
    this.ring.clearLayers();
    if (!at) return;
    const look = { radius: RING_PX, fill: false, interactive: false, pane: "names" };
    this.ring
      .addLayer(L.circleMarker(at, { ...look, weight: 6, color: palette.blank }))
      .addLayer(L.circleMarker(at, { ...look, weight: 3, color: ink }))
      .addTo(map);
  }

  _updateLayout() {}

  _updatePosition() {}

  _animateZoom() {}

  /* Bring the place out from under what covers it. */
  _adjustPan() {
    const map = this._map;
    const at = this.getLatLng();
    if (!at) return;
    const free = freeOf(map);
    const { x, y } = map.latLngToContainerPoint(at);
    /** @type {(value: number, low: number, high: number) => number} */
    const into = (value, low, high) => {
      const edge = Math.min(MARGIN + RING_PX, (high - low) / 2);
      return value - Math.min(Math.max(value, low + edge), high - edge);
    };
    const step = L.point(into(x, free.left, free.right), into(y, free.top, free.bottom)).round();
    if (step.x || step.y) map.panBy(step, { animate: false });
  }
}
