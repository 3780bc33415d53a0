/* Where the map looks: at the whole area until somebody moves, then wherever one is led. */

/** @import { Ground } from "./types.js" */

import { control } from "./page.js";

const PHONE = "(max-width: 760px)"; // as in map.css
export const SMALL = "(max-width: 760px), (max-height: 560px)"; // where the legend would cover too much

const EDGE = 12; // pixels around the area
const CARD_PX = 360; // as in map.css

export class Viewpoint {
  /**
   * @param {L.Map} map
   * @param {Ground} ground
   * @param {() => void} onFrame is called once the whole area is in view
   */
  constructor(map, { bounds }, onFrame) {
    this.map = map;
    this.onFrame = onFrame;
    this.framed = false;
    this.framing = false;
    this.bounds = L.latLngBounds([bounds.south, bounds.west], [bounds.north, bounds.east]);
  }

  frame() {
    // Folded away under an open panel, the map has no room that anything could be fitted into.
    const { x, y } = this.map.getSize();
    if (this.framed && Math.min(x, y) <= 2 * EDGE) return;
    this.framing = true;
    this.map.fitBounds(this.bounds, {
      paddingTopLeft: [EDGE, EDGE + this.roomForLegend()],
      paddingBottomRight: [EDGE, EDGE],
      animate: false,
    });
    this.framing = false;
    this.framed = true;
    this.onFrame();
  }

  /* The pixels that the area leaves free above and below it, when it fits the window. */
  slack() {
    const zoom = this.map.getBoundsZoom(this.bounds, false, L.point(2 * EDGE, 2 * EDGE));
    const corners = [this.bounds.getSouthEast(), this.bounds.getNorthWest()];
    const [low, high] = corners.map((at) => this.map.project(at, zoom).y);
    return this.map.getSize().y - (low - high) - 2 * EDGE;
  }

  /* The room above the area that brings it out from under the legend at the same zoom. */
  roomForLegend() {
    const legend = control("legend", HTMLDetailsElement);
    if (!legend.open) return 0;
    const slack = this.slack();
    const wanted = legend.offsetTop + legend.offsetHeight - slack / 2;
    // Room at the top moves the middle by half of it.
    return Math.max(0, Math.min(slack, 2 * wanted));
  }

  /* The whole area stays in view when the window or the panel changes, until somebody moves. */
  keepFramed() {
    const moved = () => {
      if (!this.framing) this.framed = false;
    };
    this.map.on("movestart zoomstart", moved);
    new ResizeObserver(() => this.resize()).observe(this.map.getContainer());
  }

  resize() {
    const { framed } = this;
    const before = this.map.getSize();
    this.map.invalidateSize({ animate: false });
    if (framed && !before.equals(this.map.getSize())) this.frame();
  }

  /**
   * @param {L.LatLngBounds} bounds
   * @param {{ card?: boolean }} [leads] whether a card opens there
   */
  flyTo(bounds, { card } = {}) {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const phone = window.matchMedia(PHONE).matches;
    const margin = phone ? 20 : 60;
    const { x, y } = this.map.getSize();
    // Room for the card that opens there, as map.css places it.
    const [right, below] = card ? (phone ? [0, y * 0.55] : [Math.min(CARD_PX, x / 2), 0]) : [0, 0];
    /** @type {L.FitBoundsOptions} */
    const options = {
      paddingTopLeft: [margin, margin],
      paddingBottomRight: [margin + right, margin + below],
      maxZoom: 16,
    };
    if (still) this.map.fitBounds(bounds, { ...options, animate: false });
    else this.map.flyToBounds(bounds, { ...options, duration: 0.6 });
  }

  /**
   * At once: a popup that opens there finds its place.
   * @param {L.LatLngExpression} latlng
   * @param {number} zoom
   */
  jumpTo(latlng, zoom) {
    this.map.setView(latlng, Math.max(this.map.getZoom(), zoom), { animate: false });
  }
}
