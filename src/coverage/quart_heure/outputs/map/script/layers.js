/* The layers of the map: ground, streets, coverage, gaps and services. */
"use strict";

(function (qh) {
  const colours = qh.colours;

  const HOLE_REACH = 250; // units of 0.00001°, some 200 m
  const STREETS_FROM = [0, 12, 13, 14]; // zoom, by class
  const STREET_WEIGHTS = [2.4, 1.7, 1.2, 0.9]; // pixels at zoom 13
  const POPUP = {
    minWidth: 230,
    maxWidth: 310,
    maxHeight: 520,
    autoPanPaddingBottomRight: [54, 10], // clear of the zoom buttons
  };

  const WIDE_POPUP = { ...POPUP, minWidth: 300 }; // a table: the narrower, the longer
  const MARGIN = 8;
  const TIP = 50; // pixels below the content of a popup, and around it

  const latLon = ([lon, lat]) => [lat, lon];

  qh.Layers = class {
    /* `switches` says which kinds of layers are wanted: gaps, services, streets; `on` has what
       asks and tells the rest of the page: tell(latlng) returns what is known of a place, gap(gap)
       is called with the gap that is open, or null, list(gap) shows it in the list. */
    constructor(map, data, words, { cells, hours }, switches, on) {
      Object.assign(this, { map, data, words, hours, switches, on });
      this.hour = null;
      data.services.forEach((service, place) => (service.place = place));
      this.drawn = new Map();
      this.shown = null;
      this.streets = [];
      this.makePanes();
      this.surface = new qh.Surface(cells, qh.polygon(data.ground.area), {
        pane: "surface",
        padding: 0.1,
        alpha: data.online ? 0.6 : 0.92,
      }).addTo(map);
      this.drawGround();
      map.on("zoomend", () => {
        this.refreshStreets();
        this.refreshMarks();
      });
    }

    /* Show a view, drawn the first time it is asked for. Gaps are those of the study's threshold at
       any hour: they are filled where this is what is shown, and no cell of them is perhaps covered. */
    show(view, scene, { standard, ranged, hour }) {
      const filled = standard && !ranged;
      this.hour = hour;
      if (!this.drawn.has(view.id)) this.drawn.set(view.id, this.drawView(view));
      if (this.shown !== this.drawn.get(view.id)) {
        if (this.shown) Object.values(this.shown).forEach((layer) => layer.remove());
        this.shown = this.drawn.get(view.id);
      }
      const opacity = filled ? (this.data.online ? 0.6 : 1) : 0;
      for (const gap of view.gaps) gap.layer.setStyle({ fillOpacity: opacity });
      this.surface.setScene(scene);
      this.refresh();
    }

    refresh() {
      const wanted = { gaps: this.switches.gaps, services: this.switches.services };
      for (const [name, layer] of Object.entries(this.shown)) {
        if (wanted[name]) layer.addTo(this.map);
        else layer.remove();
      }
      this.refreshStreets();
      this.refreshMarks();
    }

    makePanes() {
      const order = { ground: 200, surface: 390, coverage: 400, streets: 410, marks: 430, names: 450 };
      for (const [name, z] of Object.entries(order)) {
        const pane = this.map.createPane(name);
        pane.style.zIndex = z;
        if (name !== "coverage" && name !== "marks") pane.classList.add("untouched");
      }
      const canvas = (pane) => L.canvas({ pane, padding: 0.3 });
      this.canvases = {
        ground: canvas("ground"),
        coverage: canvas("coverage"),
        streets: canvas("streets"),
      };
      // Few and small: as elements of the page they can be reached with the mouse above all else.
      this.canvases.marks = L.svg({ pane: "marks", padding: 0.3 });
    }

    fill(pane, shape, colour, options) {
      return L.polygon(qh.polygon(shape), {
        renderer: this.canvases[pane],
        pane,
        interactive: false,
        stroke: false,
        fill: true,
        fillColor: colour,
        fillOpacity: 1,
        smoothFactor: 0.6,
        ...options,
      });
    }

    lines(pane, steps, options) {
      return L.polyline(steps.map(qh.points), {
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
      const ground = this.data.ground;
      const online = this.data.online;
      const group = L.layerGroup();
      if (!online) {
        this.fill("ground", ground.area, colours.paper).addTo(group);
        this.drawPlaces(ground.places, group);
        this.veil(ground).addTo(group);
      }
      group.addTo(this.map);
      const borders = { stroke: true, fill: false, color: colours.outline, weight: 1.2, opacity: 0.75 };
      for (const district of ground.districts) {
        this.fill("streets", district.shape, colours.outline, borders).addTo(this.map);
      }
    }

    /* What lies around the area is there to find one's way, and paler. */
    veil(ground) {
      const around = L.rectangle([[-85, -180], [85, 180]]).getLatLngs();
      const outer = qh.polygon(ground.area).map((rings) => rings[0]);
      return L.polygon([...around, ...outer], {
        renderer: this.canvases.streets,
        pane: "streets",
        interactive: false,
        stroke: false,
        fillColor: colours.outside,
        fillOpacity: 0.55,
        smoothFactor: 0.6,
      });
    }

    drawPlaces(places, group) {
      for (const [kind, place] of Object.entries(places)) {
        const colour = colours[kind] || colours.outside;
        // Water stays over the coverage: a river is what one has to walk around.
        const pane = kind === "water" ? "streets" : "ground";
        if (place.areas.length) this.fill(pane, place.areas, colour).addTo(group);
        if (place.lines.length) {
          const weight = kind === "water" ? 3 : 1.2;
          this.lines(pane, place.lines, { color: colour, weight, opacity: 0.9 }).addTo(group);
        }
      }
    }

    /* Streets by class, each from its own zoom on; built when they are first needed. */
    refreshStreets() {
      const zoom = this.map.getZoom();
      const scale = Math.max(0.5, 1 + (zoom - 13) * 0.45);
      this.data.ground.streets.forEach((steps, level) => {
        const wanted = this.switches.streets && !this.data.online && zoom >= STREETS_FROM[level];
        const layer = this.streets[level];
        if (!wanted) {
          if (layer) layer.remove();
          return;
        }
        const shown = layer || this.lines("streets", steps, { color: colours.street, opacity: 0.75 });
        this.streets[level] = shown.setStyle({ weight: STREET_WEIGHTS[level] * scale });
        if (!this.map.hasLayer(shown)) shown.addTo(this.map).bringToBack();
      });
    }

    drawView(view) {
      return {
        gaps: L.layerGroup([...view.gaps.map((gap) => this.gapLayer(gap, view.rounded)), this.gapOutlines(view.gaps, 1.3)]),
        services: L.layerGroup(this.servicesOf(view).map((service) => this.serviceLayer(service))),
      };
    }

    gapLayer(gap, rounded) {
      gap.layer = this.fill("coverage", gap.shape, qh.gapFill(), {
        interactive: true,
      });
      // Before the popup opens, which is told the same click: a gap chosen in the list has none.
      gap.layer.on("click", ({ latlng }) => (gap.clicked = latlng));
      gap.layer.on("popupclose", () => (gap.clicked = null));
      this.bindPopup(gap.layer, () => {
        const here = gap.clicked ? this.on.tell(gap.clicked) : "";
        return qh.gapPopup(this.words, this.data, { gap, rounded }, here, () => this.on.list(gap));
      });
      const outline = this.gapOutlines([gap], 4);
      gap.layer.on("popupopen", () => {
        outline.addTo(this.map);
        this.on.gap(gap);
      });
      gap.layer.on("popupclose", () => {
        outline.remove();
        this.on.gap(null);
      });
      return gap.layer;
    }

    /* Outlines without those of small holes, which at the scale of a city are specks. */
    gapOutlines(gaps, weight) {
      const rings = gaps
        .flatMap((gap) => gap.shape)
        .flatMap(([outer, ...holes]) => [outer, ...holes.filter((hole) => qh.reach(hole) > HOLE_REACH)]);
      const closed = rings.map((ring) => [...ring, ...qh.closing(ring)]);
      return this.lines("streets", closed, { color: colours.gapLine, weight });
    }

    servicesOf(view) {
      const ids = new Set(
        view.kind === "composite"
          ? this.data.views.filter((other) => other.essential).map((other) => other.id)
          : [view.id]
      );
      return this.data.services.filter(
        (service) => ids.has(service.category) && (view.kind !== "composite" || !service.left_out)
      );
    }

    /* One mark per service, whichever views it is part of. */
    serviceLayer(service) {
      if (service.layer) return service.layer;
      const { label } = this.viewOf(service.category);
      service.layer = new qh.Mark(latLon(service.at), {
        shape: qh.shapeOf(this.data, service.category),
        renderer: this.canvases.marks,
        pane: "marks",
        ...this.markStyle(service),
      });
      return this.bindPopup(service.layer, () => {
        const at = this.hour === null || service.left_out ? null : this.hour;
        const state = at === null ? null : this.hours.tellService(service.place, at);
        return qh.servicePopup(this.words, service, label, { hour: at, state });
      });
    }

    /* Popups move the map until they are clear of the legend, wherever it ends by then. */
    bindPopup(layer, content) {
      return layer.bindPopup(() => {
        this.clearOfLegend(layer.getPopup());
        return content();
      }, POPUP);
    }

    clearOfLegend(popup) {
      const legend = qh.byId("legend");
      const size = this.map.getSize();
      const beside = legend.open && size.x > legend.offsetWidth + 2 * POPUP.maxWidth;
      if (!beside) legend.open = false;
      const right = legend.offsetLeft + legend.offsetWidth + MARGIN;
      const bottom = legend.offsetTop + legend.offsetHeight + MARGIN;
      popup.options.autoPanPaddingTopLeft = beside ? [right, MARGIN] : [MARGIN, bottom];
      const room = size.x - POPUP.autoPanPaddingBottomRight[0] - TIP;
      popup.options.maxWidth = Math.min(POPUP.maxWidth, room);
      popup.options.minWidth = Math.min(popup.options.minWidth, room);
      popup.options.maxHeight = Math.min(POPUP.maxHeight, size.y - (beside ? 0 : bottom) - TIP);
    }

    /* What is known of a place where no gap and no service is. */
    openAt(latlng) {
      const told = this.on.tell(latlng);
      if (!told) return null;
      const content = qh.el("div", { class: "popup", tabindex: "-1" }, told);
      const popup = L.popup(WIDE_POPUP).setLatLng(latlng).setContent(content);
      this.clearOfLegend(popup);
      this.map.openPopup(popup);
      return popup;
    }

    viewOf(id) {
      return this.data.views.find((view) => view.id === id);
    }

    refreshMarks() {
      for (const service of this.data.services) {
        if (service.layer) service.layer.setStyle(this.markStyle(service)).redraw();
      }
    }

    /* Seen from afar marks are smaller, or they would hide a small city. */
    markStyle(service) {
      const { colour } = this.viewOf(service.category);
      const style = qh.markStyle(colour, qh.kindOf(service, this.hours, this.hour));
      const radius = (style.small ? 5 : 7) - (this.map.getZoom() < 11.75 ? 2 : 0);
      return { ...style, radius };
    }
  };
})(window.quartHeure);
