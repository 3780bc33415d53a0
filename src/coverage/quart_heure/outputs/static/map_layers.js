/* The layers of the map: ground, streets, coverage, gaps and services. */
"use strict";

(function (qh) {
  const colours = qh.colours;

  const HOLE_REACH = 250; // units of 0.00001°, some 200 m
  const STREETS_FROM = [0, 12, 13, 14]; // zoom, by class
  const STREET_WEIGHTS = [2.4, 1.7, 1.2, 0.9]; // pixels at zoom 13
  const POPUP = {
    minWidth: 230,
    maxWidth: 300,
    maxHeight: 340,
    autoPanPaddingBottomRight: [54, 10], // clear of the zoom buttons
  };

  const latLon = ([lon, lat]) => [lat, lon];

  qh.Layers = class {
    /* `switches` says which kinds of layers are wanted: gaps, services, streets. */
    constructor(map, data, words, switches) {
      Object.assign(this, { map, data, words, switches });
      this.drawn = new Map();
      this.shown = null;
      this.streets = [];
      this.makePanes();
      this.drawGround();
      map.on("zoomend", () => {
        this.refreshStreets();
        this.refreshMarks();
      });
    }

    /* Show a view, drawn the first time it is asked for. */
    show(view) {
      if (this.shown) Object.values(this.shown).forEach((layer) => layer.remove());
      if (!this.drawn.has(view.id)) this.drawn.set(view.id, this.drawView(view));
      this.shown = this.drawn.get(view.id);
      this.refresh();
    }

    refresh() {
      const wanted = { coverage: true, gaps: this.switches.gaps, services: this.switches.services };
      for (const [name, layer] of Object.entries(this.shown)) {
        if (wanted[name]) layer.addTo(this.map);
        else layer.remove();
      }
      this.refreshStreets();
      this.refreshMarks();
    }

    makePanes() {
      const order = { ground: 200, coverage: 400, streets: 410, marks: 430, names: 450 };
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
        coverage: L.layerGroup(this.coverageLayers(view)),
        gaps: L.layerGroup([...view.gaps.map((gap) => this.gapLayer(gap)), this.gapOutlines(view.gaps, 1.3)]),
        services: L.layerGroup(this.servicesOf(view).map((service) => this.serviceLayer(service))),
      };
    }

    /* Levels come in the order of painting: the widest and palest first. */
    levelColours(view) {
      if (view.kind === "composite") return qh.ramp(colours.reached, view.total);
      return qh.ramp(colours.minutes, Math.max(view.levels.length, 2)).slice(-view.levels.length).reverse();
    }

    coverageLayers(view) {
      const shades = this.levelColours(view);
      const opacity = this.data.online ? 0.6 : 0.92;
      const painted = view.levels.map((level, i) =>
        this.fill("coverage", level.shape, shades[i], { fillOpacity: opacity })
      );
      painted.push(
        this.fill("coverage", this.data.ground.off_network, colours.offNetwork, { fillOpacity: opacity })
      );
      return painted;
    }

    gapLayer(gap) {
      gap.layer = this.fill("coverage", gap.shape, qh.gapFill(), {
        interactive: true,
        fillOpacity: this.data.online ? 0.6 : 1,
      });
      this.bindPopup(gap.layer, () => qh.gapPopup(this.words, this.data, gap));
      const outline = this.gapOutlines([gap], 4);
      gap.layer.on("popupopen", () => outline.addTo(this.map));
      gap.layer.on("popupclose", () => outline.remove());
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
      const { colour, label } = this.viewOf(service.category);
      const plain = !service.left_out && !service.outside;
      service.layer = L.circleMarker(latLon(service.at), {
        renderer: this.canvases.marks,
        pane: "marks",
        radius: this.markRadius(service),
        color: plain ? "#ffffff" : colour,
        weight: 2,
        fillColor: plain ? colour : "#ffffff",
        fillOpacity: 1,
        dashArray: service.left_out ? "2 3" : null,
      });
      return this.bindPopup(service.layer, () => qh.servicePopup(this.words, service, label));
    }

    /* Popups move the map until they are clear of the legend, wherever it ends by then. */
    bindPopup(layer, content) {
      return layer.bindPopup(() => {
        const legend = qh.byId("legend");
        const beside = legend.open && this.map.getSize().x > legend.offsetWidth + 2 * POPUP.maxWidth;
        const left = beside ? legend.offsetLeft + legend.offsetWidth + 8 : 10;
        layer.getPopup().options.autoPanPaddingTopLeft = [left, 10];
        if (!beside) legend.open = false;
        return content();
      }, POPUP);
    }

    viewOf(id) {
      return this.data.views.find((view) => view.id === id);
    }

    refreshMarks() {
      for (const service of this.data.services) {
        if (service.layer) service.layer.setRadius(this.markRadius(service));
      }
    }

    /* Seen from afar marks are smaller, or they would hide a small city. */
    markRadius(service) {
      return (service.left_out ? 5 : 7) - (this.map.getZoom() < 11.75 ? 2 : 0);
    }
  };
})(window.quartHeure);
