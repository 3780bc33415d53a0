/* The map of coverage: starts the layers and the panel, and carries what is chosen between them. */
"use strict";

(function (qh) {
  const { byId } = qh;

  class CoverageMap {
    constructor(map, data, cells, hours, lang) {
      Object.assign(this, { map, data, cells, hours, lang });
      this.words = new qh.Words(data.words);
      this.switches = { gaps: true, services: true, streets: true };
      this.layers = new qh.Layers(map, data, this.words, { cells, hours }, this.switches, {
        tell: (latlng) => this.tell(latlng),
        gap: (gap) => this.noteGap(gap),
        list: (gap) => this.findInList(gap),
      });
      this.scenes = new qh.Scenes(data, cells, hours, this.words);
      this.legend = new qh.Legend(data, this.words, this.layers);
      this.panel = new qh.Panel(data, this.words, this.layers, hours, {
        gap: (gap, from) => this.visitGap(gap, from),
        service: (service, from) => this.visitService(service, from),
      });
      this.controls = new qh.Controls(data, this.words, {
        view: (view) => this.choose({ view }),
        minutes: (minutes) => this.choose({ minutes }),
        mode: (mode) => this.choose({ mode }),
        hour: (hour) => this.choose({ hour }),
        layer: (name, shown) => this.setLayer(name, shown),
        district: (value) => this.goTo(value),
        reset: () => this.reset(),
      });
      this.search = new qh.Search(data, this.words, (entry, from) => this.visitFound(entry, from));
      this.viewpoint = new qh.Viewpoint(map, data.ground, () => this.keep());
      this.names = new qh.Names("names");
      this.arrival = () => {};
      this.gap = null;
      this.chosen = this.atStart();
    }

    atStart() {
      return { view: this.data.views[0].id, minutes: this.data.threshold, mode: "minutes", hour: null };
    }

    start() {
      qh.addMapControls(this.map, this.words, () => this.viewpoint.frame());
      this.viewpoint.frame();
      this.names.addTo(this.map);
      this.listenToMap();
      qh.listenToPrint(this.map);
      this.show();
      // Once more: the legend, now written, may cover the area; on a phone it would cover too much.
      if (window.matchMedia(qh.PHONE).matches) byId("legend").open = false;
      this.viewpoint.frame();
      this.viewpoint.keepFramed();
      this.restore();
      window.addEventListener("hashchange", () => this.restore());
      this.map.on("moveend", () => this.keep());
      this.started = true;
      document.documentElement.classList.add("ready");
    }

    /* ---- what is shown ---- */

    choose(changes) {
      Object.assign(this.chosen, changes);
      if ("view" in changes) {
        this.onArrival(() => {});
        this.returnTo = null; // the list it would return to is about to be replaced
        this.map.closePopup();
      }
      this.show();
      this.keep();
    }

    show() {
      const { chosen, data, switches } = this;
      this.view = this.layers.viewOf(chosen.view);
      this.effective = qh.effective(data, this.view, chosen);
      const scene = this.scenes.of(this.view, this.effective);
      this.layers.show(this.view, scene, this.effective);
      this.panel.write(this.view, this.effective);
      this.legend.write(this.view, this.effective, scene, switches);
      this.controls.show(chosen, this.view, this.effective, switches);
      this.controls.showShares(this.effective, this.panel.figures);
      this.writeNames();
    }

    setLayer(name, shown) {
      this.switches[name] = shown;
      this.show();
      this.keep();
    }

    writeNames() {
      const services = this.layers.servicesOf(this.view);
      this.names.setSources(qh.nameSources(this.data, this.view, services, this.switches));
    }

    reset() {
      Object.assign(this.switches, { gaps: true, services: true, streets: true });
      this.search.clear();
      byId("go-to").value = "";
      this.choose(this.atStart());
      this.viewpoint.frame();
    }

    /* ---- what is chosen, in the address ---- */

    keep() {
      if (!this.started) return;
      const { lat, lng } = this.map.getCenter();
      const place = this.viewpoint.framed ? null : { zoom: this.map.getZoom(), lat, lng };
      const hidden = Object.keys(this.switches).filter((name) => !this.switches[name]);
      const state = { ...this.chosen, hidden, place, gap: this.gap && this.gap.rank, lang: this.lang };
      qh.keepState(qh.writeState(state, this.data));
    }

    restore() {
      const layers = Object.keys(this.switches);
      const state = qh.readState(window.location.hash, this.data, layers);
      if (!state) return; // a link within the page, or nothing of ours
      for (const name of layers) this.switches[name] = !state.hidden.includes(name);
      const { view, minutes, mode, hour, place } = state;
      this.map.closePopup();
      this.chosen = { view, minutes, mode, hour };
      this.show();
      if (place) {
          this.map.setView([place.lat, place.lng], place.zoom, { animate: false });
      } else this.viewpoint.frame();
      const gap = this.view.gaps[state.gap - 1];
      if (gap) gap.layer.openPopup([gap.at[1], gap.at[0]]);
    }

    noteGap(gap) {
      this.gap = gap;
      this.keep();
    }

    /* What is known of a place: minutes to the nearest service of each category. Null outside. */
    tell(latlng) {
      const cell = this.cells.holding(latlng);
      if (cell < 0) return null;
      const district = qh.districtHolding(this.data.ground.districts, latlng);
      const title = this.words.say("here_title", { district: district ? district.label : this.words.say("here_no_district") });
      return qh.placePopup(this.words, this, { title, cell, hour: this.effective.hour }, (service) =>
        this.visitService(service, null)
      );
    }

    /* ---- from the panel to the map and back ---- */

    visitGap(gap, from) {
      if (!this.switches.gaps) this.setLayer("gaps", true);
      this.togglePanel(false);
      gap.clicked = null;
      this.onArrival(() => {
        gap.layer.openPopup([gap.at[1], gap.at[0]]);
        this.focusPopup(gap.layer, from);
      });
      this.viewpoint.flyTo(gap.layer.getBounds());
    }

    visitService(service, from) {
      if (!this.layers.servicesOf(this.view).includes(service)) this.choose({ view: service.category });
      if (!this.switches.services) this.setLayer("services", true);
      this.togglePanel(false);
      this.onArrival(() => {
        service.layer.openPopup();
        this.focusPopup(service.layer, from);
      });
      this.viewpoint.jumpTo(service.layer.getLatLng(), 15);
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

    findInList(gap) {
      this.returnTo = null;
      this.map.closePopup();
      this.togglePanel(true);
      this.panel.findGap(gap);
    }

    visitFound(entry, from) {
      if (entry.kind === "district") return this.visitDistrict(entry.district);
      if (entry.kind === "service") return this.visitService(entry.service, from);
      this.togglePanel(false);
      this.onArrival(() => {
        const popup = this.layers.openAt(entry.at);
        if (popup) this.focusPopup({ getPopup: () => popup }, from);
      });
      this.viewpoint.jumpTo(entry.at, 16);
      return undefined;
    }

    visitDistrict(district) {
      this.togglePanel(false);
      this.viewpoint.flyTo(L.latLngBounds(qh.polygon(district.shape).flat(2)));
    }

    goTo(value) {
      if (value !== "") return this.visitDistrict(this.data.ground.districts[Number(value)]);
      this.togglePanel(false);
      return this.viewpoint.frame();
    }

    listenToMap() {
      this.map.on("click", ({ latlng }) => this.layers.openAt(latlng));
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
      byId("fold").addEventListener("click", () => this.togglePanel());
      document.addEventListener("keydown", (event) => this.key(event));
    }

    /* Escape closes what is open; Enter on the map asks for the place in its middle. */
    key({ key, target }) {
      const container = this.map.getContainer();
      if (key === "Escape") this.map.closePopup();
      if (key !== "Enter" || target !== container) return;
      const popup = this.layers.openAt(this.map.getCenter());
      if (popup) this.focusPopup({ getPopup: () => popup }, container);
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
      this.viewpoint.resize();
    }
  }

  qh.start = async function (map) {
    const data = JSON.parse(byId("data").textContent);
    const lang = qh.speak(data);
    if (!("DecompressionStream" in window)) {
      byId("summary").textContent = data.words.too_old;
      return;
    }
    const cells = await new qh.Cells(data.cells).open();
    const hours = await new qh.Hours(data.hours, cells).open();
    qh.map = new CoverageMap(map, data, cells, hours, lang);
    qh.map.start();
  };
})(window.quartHeure);
