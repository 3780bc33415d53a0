/* Where the map looks: at the whole area until somebody moves, then wherever one is led. */
"use strict";

(function (qh) {
  const { byId } = qh;

  qh.PHONE = "(max-width: 760px)"; // as in map.css

  qh.Viewpoint = class {
    /* `onFrame` is called once the whole area is in view. */
    constructor(map, ground, onFrame) {
      const [west, south, east, north] = ground.bounds;
      Object.assign(this, { map, onFrame, framed: false, framing: false });
      this.bounds = L.latLngBounds([south, west], [north, east]);
    }

    frame() {
      const below = this.roomForLegend();
      const padding = { paddingTopLeft: [12, 12 + below], paddingBottomRight: [12, 12] };
      this.framing = true;
      this.map.fitBounds(this.bounds, { ...padding, animate: false });
      this.framing = false;
      this.framed = true;
      this.onFrame();
    }

    /* The pixels that the area leaves free above and below it, when it fits the window. */
    slack() {
      const zoom = this.map.getBoundsZoom(this.bounds, false, L.point(24, 24));
      const corners = [this.bounds.getSouthEast(), this.bounds.getNorthWest()];
      const [low, high] = corners.map((at) => this.map.project(at, zoom).y);
      return this.map.getSize().y - (low - high) - 24;
    }

    /* The room above the area that brings it out from under the legend at the same zoom. */
    roomForLegend() {
      const legend = byId("legend");
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

    flyTo(bounds) {
      const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      const margin = window.matchMedia(qh.PHONE).matches ? 20 : 60;
      const options = { padding: [margin, margin], maxZoom: 16 };
      if (still) this.map.fitBounds(bounds, { ...options, animate: false });
      else this.map.flyToBounds(bounds, { ...options, duration: 0.6 });
    }

    /* At once: a popup that opens there finds its place. */
    jumpTo(latlng, zoom) {
      this.map.setView(latlng, Math.max(this.map.getZoom(), zoom), { animate: false });
    }
  };
})(window.quartHeure);
