/* The map of coverage: starts the layers and the panel, and carries what is chosen between them. */
"use strict";

(function (qh) {
  const { byId } = qh;

  const PHONE = "(max-width: 760px)"; // as in map.css
  const PAPER = { width: 690, height: 640 }; // CSS pixels within the margins of A4

  class CoverageMap {
    constructor(map, data) {
      this.map = map;
      this.data = data;
      this.words = new qh.Words(data.words);
      this.switches = { gaps: true, services: true, streets: true };
      this.layers = new qh.Layers(map, data, this.words, this.switches);
      this.panel = new qh.Panel(data, this.words, this.layers, {
        gap: (gap, from) => this.visitGap(gap, from),
        service: (service, from) => this.visitService(service, from),
      });
      this.names = new qh.Names("names");
      this.arrival = () => {};
    }

    start() {
      this.addControls();
      if (window.matchMedia(PHONE).matches) byId("legend").open = false;
      this.frameArea({ animate: false });
      this.names.addTo(this.map);
      this.listenToPanel();
      this.listenToPopups();
      this.listenToPrint();
      this.showView(document.querySelector("input[name=view]:checked").value);
      // Once more: the legend, now written, may cover the area.
      this.frameArea({ animate: false });
      this.keepFramed();
      document.documentElement.classList.add("ready");
    }

    addControls() {
      const words = this.words.table;
      L.control
        .zoom({ position: "topright", zoomInTitle: words.zoom_in, zoomOutTitle: words.zoom_out })
        .addTo(this.map);
      L.control
        .attribution({ prefix: false, position: "bottomright" })
        .addAttribution(words.attribution)
        .addTo(this.map);
      L.control.scale({ imperial: false, position: "bottomright" }).addTo(this.map);
      const [west, south, east, north] = this.data.ground.frame;
      this.map.setMaxBounds(L.latLngBounds([south, west], [north, east]).pad(0.4));
    }

    /* ---- what is shown ---- */

    showView(id) {
      this.view = this.layers.viewOf(id);
      this.onArrival(() => {});
      this.returnTo = null; // the list it would return to is about to be replaced
      this.map.closePopup();
      this.layers.show(this.view);
      this.panel.write(this.view);
      this.writeNames();
    }

    setLayer(name, shown) {
      this.switches[name] = shown;
      document.querySelector(`input[data-layer=${name}]`).checked = shown;
      this.layers.refresh();
      this.writeNames();
    }

    writeNames() {
      const services = this.layers.servicesOf(this.view);
      this.names.setSources(qh.nameSources(this.data, this.view, services, this.switches));
    }

    /* ---- where the map looks ---- */

    frameArea(options) {
      const [west, south, east, north] = this.data.ground.bounds;
      const bounds = L.latLngBounds([south, west], [north, east]);
      const below = this.roomForLegend(bounds);
      const padding = { paddingTopLeft: [12, 12 + below], paddingBottomRight: [12, 12] };
      this.map.fitBounds(bounds, { ...padding, ...options });
      this.framed = true;
    }

    /* How far down the area may be moved to come out from under the legend at the same zoom. */
    roomForLegend(bounds) {
      const legend = byId("legend");
      if (!legend.open) return 0;
      const zoom = this.map.getBoundsZoom(bounds, false, L.point(24, 24));
      const [low, high] = [bounds.getSouthEast(), bounds.getNorthWest()].map((at) => this.map.project(at, zoom).y);
      const slack = this.map.getSize().y - (low - high) - 24;
      return Math.max(0, Math.min(slack, legend.offsetTop + legend.offsetHeight - slack / 2));
    }

    /* The whole area stays in view when the window or the panel changes, until somebody moves. */
    keepFramed() {
      for (const event of ["dragstart", "zoomstart"]) this.map.on(event, () => (this.framed = false));
      new ResizeObserver(() => this.resize()).observe(this.map.getContainer());
    }

    resize() {
      const framed = this.framed;
      const before = this.map.getSize();
      this.map.invalidateSize({ animate: false });
      if (framed && !before.equals(this.map.getSize())) this.frameArea({ animate: false });
    }

    flyToBounds(bounds) {
      const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      const margin = window.matchMedia(PHONE).matches ? 20 : 60;
      const options = { padding: [margin, margin], maxZoom: 16 };
      if (still) this.map.fitBounds(bounds, { ...options, animate: false });
      else this.map.flyToBounds(bounds, { ...options, duration: 0.6 });
    }

    /* ---- from the panel to the map and back ---- */

    visitGap(gap, from) {
      if (!this.switches.gaps) this.setLayer("gaps", true);
      this.togglePanel(false);
      this.onArrival(() => {
        gap.layer.openPopup([gap.at[1], gap.at[0]]);
        this.focusPopup(gap.layer, from);
      });
      this.flyToBounds(gap.layer.getBounds());
    }

    visitService(service, from) {
      if (!this.switches.services) this.setLayer("services", true);
      this.togglePanel(false);
      this.onArrival(() => {
        service.layer.openPopup();
        this.focusPopup(service.layer, from);
      });
      this.map.setView(service.layer.getLatLng(), Math.max(this.map.getZoom(), 15), { animate: false });
    }

    /* A popup finds its place by the view: it opens once the map is there, if no other is chosen. */
    onArrival(open) {
      this.map.off("moveend", this.arrival);
      this.arrival = open;
      this.map.once("moveend", open);
    }

    /* Hand the keyboard over to the popup; closing it hands it back. */
    focusPopup(layer, from) {
      this.returnTo = from;
      layer.getPopup().getElement().querySelector(".popup").focus({ preventScroll: true });
    }

    listenToPopups() {
      this.map.on("popupopen", ({ popup }) => {
        const button = popup.getElement().querySelector(".leaflet-popup-close-button");
        if (button) button.setAttribute("aria-label", this.words.say("close"));
      });
      this.map.on("popupclose", () => {
        const back = this.returnTo;
        this.returnTo = null;
        if (!back || !back.isConnected) return;
        // On a phone the list is folded away: its button stands for it.
        (back.offsetParent ? back : byId("fold")).focus({ preventScroll: true });
      });
      document.addEventListener("keydown", (event) => {
        if (event.key === "Escape") this.map.closePopup();
      });
    }

    listenToPanel() {
      for (const choice of document.querySelectorAll(".choice")) {
        const { colour } = this.layers.viewOf(choice.dataset.view);
        if (colour) choice.querySelector(".name").prepend(qh.dot(colour, "in"));
        const input = choice.querySelector("input");
        input.addEventListener("change", () => this.showView(input.value));
      }
      for (const input of document.querySelectorAll("input[data-layer]")) {
        input.addEventListener("change", () => this.setLayer(input.dataset.layer, input.checked));
      }
      const select = byId("go-to");
      select.addEventListener("change", () => {
        this.togglePanel(false);
        if (select.value === "") this.frameArea();
        else {
          const district = this.data.ground.districts[Number(select.value)];
          this.flyToBounds(L.latLngBounds(qh.polygon(district.shape).flat(2)));
        }
      });
      byId("fold").addEventListener("click", () => this.togglePanel());
    }

    /* On a phone the panel is folded; on a wide screen it is always there. */
    togglePanel(open) {
      const button = byId("fold");
      const opened = open === undefined ? button.getAttribute("aria-expanded") !== "true" : open;
      button.setAttribute("aria-expanded", String(opened));
      document.body.classList.toggle("panel-open", opened);
      button.querySelector(".when-open").hidden = !opened;
      button.querySelector(".when-closed").hidden = opened;
      // At once, for what flies to a place next must know how large the map is now.
      this.resize();
    }

    /* Paper shows the map as the screen does, as large as the page allows. */
    listenToPrint() {
      window.addEventListener("beforeprint", () => {
        const { x, y } = this.map.getSize();
        const scale = Math.min(PAPER.width / x, PAPER.height / y);
        const style = byId("map-area").style;
        style.setProperty("--width", x + "px");
        style.setProperty("--height", y + "px");
        style.setProperty("--scale", scale.toFixed(4));
      });
    }
  }

  qh.start = function (map) {
    qh.map = new CoverageMap(map, JSON.parse(byId("data").textContent));
    qh.map.start();
  };
})(window.quartHeure);
