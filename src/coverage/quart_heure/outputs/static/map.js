/* The map of coverage: views, gaps, services, and the panel that says the same in words. */
"use strict";

(function (qh) {
  const LIST_START = 12;
  const HOLE_REACH = 250; // units of 0.00001°, some 200 m
  const NAME_FIELDS = 6;
  const DISTRICTS_NAMED = 4;
  const PAPER = { width: 690, height: 640 }; // CSS pixels within the margins of A4
  const POPUP = { minWidth: 230, maxWidth: 300, maxHeight: 340, autoPanPaddingTopLeft: [10, 10], autoPanPaddingBottomRight: [54, 10] };
  const colours = qh.colours;

  const byId = (id) => document.getElementById(id);

  /* The step from the last point of a ring back to its first. */
  function closing(ring) {
    let [x, y] = [0, 0];
    for (let i = 2; i + 1 < ring.length; i += 2) {
      x -= ring[i];
      y -= ring[i + 1];
    }
    return [x, y];
  }

  /* Text is only ever set as text: no value of the data is read as HTML. */
  function el(tag, options, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(options || {})) {
      if (key === "class") node.className = value;
      else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null && child !== ""));
    return node;
  }

  const keepClear = (service) => ({ at: [service.at[1], service.at[0]], space: 7 });

  class Words {
    constructor(table) {
      this.table = table;
      this.formats = new Map();
      this.plurals = new Intl.PluralRules(table.locale);
    }

    say(key, values) {
      return this.table[key].replace(/\{(\w+)\}/g, (whole, name) =>
        values && name in values ? String(values[name]) : whole
      );
    }

    count(key, n) {
      const special = n === 0 && key + "_zero" in this.table ? key + "_zero" : key + "_" + this.plurals.select(n);
      return this.say(special in this.table ? special : key, { n: this.number(n) });
    }

    number(value, decimals) {
      if (value === null || value === undefined) return this.table.unknown;
      const digits = decimals || 0;
      if (!this.formats.has(digits)) {
        const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
        this.formats.set(digits, new Intl.NumberFormat(this.table.locale, options));
      }
      return this.formats.get(digits).format(value);
    }

    /* At most one decimal, and none that is zero: 15 min, 12,5 min. */
    short(value) {
      return this.number(value, value !== null && value % 1 ? 1 : 0);
    }

    percent(value) {
      return value === null ? this.table.unknown : this.say("percent", { n: this.number(value, 1) });
    }
  }

  class CoverageMap {
    constructor(map, data) {
      this.map = map;
      this.data = data;
      this.words = new Words(data.words);
      this.drawn = new Map();
      this.shown = null;
      this.switches = { gaps: true, services: true, streets: true };
    }

    start() {
      this.makePanes();
      this.drawGround();
      this.addControls();
      this.names = new qh.Names("names").addTo(this.map);
      this.frameArea({ animate: false });
      this.listenToPanel();
      const chosen = document.querySelector("input[name=view]:checked");
      this.showView(chosen.value);
      this.frameArea({ animate: false });
      this.keepFramed();
      document.documentElement.classList.add("ready");
    }

    /* ---- ground ---- */

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
      }
      if (!online) this.veil(ground).addTo(group);
      group.addTo(this.map);
      this.streets = this.makeStreets(ground, online);
      this.outlines = L.layerGroup(
        ground.districts.map((district) =>
          L.polygon(qh.polygon(district.shape), {
            renderer: this.canvases.streets,
            pane: "streets",
            interactive: false,
            fill: false,
            color: colours.outline,
            weight: 1.2,
            opacity: 0.75,
            smoothFactor: 0.6,
          })
        )
      ).addTo(this.map);
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

    makeStreets(ground, online) {
      const weights = [2.4, 1.7, 1.2, 0.9];
      const from = [0, 12, 13, 14];
      const layers = [];
      const refresh = () => {
        const zoom = this.map.getZoom();
        const scale = Math.max(0.5, 1 + (zoom - 13) * 0.45);
        ground.streets.forEach((steps, level) => {
          const wanted = this.switches.streets && !online && zoom >= from[level];
          if (wanted && !layers[level]) {
            layers[level] = this.lines("streets", steps, { color: colours.street, opacity: 0.75 });
          }
          if (!layers[level]) return;
          if (wanted) {
            layers[level].setStyle({ weight: weights[level] * scale });
            if (!this.map.hasLayer(layers[level])) layers[level].addTo(this.map).bringToBack();
          } else layers[level].remove();
        });
      };
      this.map.on("zoomend", refresh);
      this.map.on("zoomend", () => {
        for (const service of this.data.services) {
          if (service.layer) service.layer.setRadius(this.markRadius(service));
        }
      });
      return { refresh };
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
      const size = this.map.getSize();
      const zoom = this.map.getBoundsZoom(bounds, false, L.point(24, 24));
      const tall = this.map.project(bounds.getSouthEast(), zoom).subtract(this.map.project(bounds.getNorthWest(), zoom)).y;
      const slack = size.y - tall - 24;
      return Math.max(0, Math.min(slack, legend.offsetTop + legend.offsetHeight - slack / 2));
    }

    /* The whole area stays in view when the window or the panel changes, until somebody moves. */
    keepFramed() {
      for (const event of ["dragstart", "zoomstart"]) this.map.on(event, () => (this.framed = false));
      new ResizeObserver(() => {
        const framed = this.framed;
        this.map.invalidateSize({ animate: false });
        if (framed) this.frameArea({ animate: false });
      }).observe(this.map.getContainer());
    }

    /* ---- views ---- */

    showView(id) {
      const view = this.data.views.find((each) => each.id === id);
      this.map.closePopup();
      if (this.shown) Object.values(this.shown.layers).forEach((layer) => layer.remove());
      if (!this.drawn.has(id)) this.drawn.set(id, this.drawView(view));
      this.shown = { view, layers: this.drawn.get(id) };
      this.refreshLayers();
      this.writeLegend(view);
      this.writeSummary(view);
      this.writeGaps(view);
      this.writeServices(view);
      this.writeTable(view);
    }

    refreshLayers() {
      const { layers } = this.shown;
      const wanted = { coverage: true, gaps: this.switches.gaps, services: this.switches.services };
      for (const [name, layer] of Object.entries(layers)) {
        if (wanted[name]) layer.addTo(this.map);
        else layer.remove();
      }
      this.streets.refresh();
      this.names.setSources(this.nameSources());
    }

    drawView(view) {
      return {
        coverage: L.layerGroup(this.coverageLayers(view)),
        gaps: L.layerGroup([...view.gaps.map((gap) => this.gapLayer(gap)), this.gapOutlines(view.gaps, 1.3)]),
        services: L.layerGroup(this.servicesOf(view).map((service) => this.serviceLayer(service))),
      };
    }

    levelColours(view) {
      // Levels come in the order of painting, the strongest last.
      if (view.kind === "composite") {
        return qh.ramp(colours.reached, view.total);
      }
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
      gap.layer.bindPopup(() => this.gapPopup(gap), POPUP);
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
      const closed = rings.map((ring) => [...ring, ...closing(ring)]);
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

    serviceLayer(service) {
      const category = this.data.views.find((view) => view.id === service.category);
      const [lon, lat] = service.at;
      const counted = !service.left_out;
      service.layer = L.circleMarker([lat, lon], {
        renderer: this.canvases.marks,
        pane: "marks",
        radius: this.markRadius(service),
        color: counted && !service.outside ? "#ffffff" : category.colour,
        weight: 2,
        fillColor: counted && !service.outside ? category.colour : "#ffffff",
        fillOpacity: 1,
        dashArray: counted ? null : "2 3",
      });
      service.layer.bindPopup(() => this.servicePopup(service, category), POPUP);
      return service.layer;
    }

    /* Seen from afar marks are smaller, or they would hide a small city. */
    markRadius(service) {
      return (service.left_out ? 5 : 7) - (this.map.getZoom() < 11.75 ? 2 : 0);
    }

    /* ---- names on the map ---- */

    nameSources() {
      const { ground } = this.data;
      const sources = [];
      if (this.switches.services) sources.push(() => this.servicesOf(this.shown.view).map(keepClear));
      const font = (weight, size) => weight + " " + size + "px system-ui, sans-serif";
      if (this.switches.gaps) {
        sources.push((map) => this.gapNumbers(map, font("700", 12)));
      }
      sources.push((map) =>
        ground.districts.map((district) => ({
          at: [district.at[1], district.at[0]],
          text: district.label,
          font: font("600", map.getZoom() >= 13 ? 15 : 13),
          colour: colours.ink,
        }))
      );
      if (this.switches.streets && !this.data.online) {
        sources.push((map) => this.placeNames(map, font("italic 500", 12)));
        sources.push((map) => this.streetNames(map, font("500", 11)));
      }
      return sources;
    }

    gapNumbers(map, font) {
      const metre = this.pixelsPerMetre();
      return this.shown.view.gaps
        .filter((gap) => Math.sqrt(gap.area_ha * 10000) * metre > 16)
        .map((gap) => ({
          at: [gap.at[1], gap.at[0]],
          text: String(gap.rank),
          font,
          colour: colours.gapLine,
          mark: true,
        }));
    }

    placeNames(map, font) {
      const metre = this.pixelsPerMetre();
      const ink = { water: "#1f4e75", park: "#44602a" };
      return this.data.ground.place_names
        .filter((place) => Math.sqrt(place[2] * 10000) * metre > 60)
        .map(([text, kind, , at]) => ({
          at: [at[1], at[0]],
          text,
          font,
          colour: ink[kind] || colours.ink,
        }));
    }

    streetNames(map, font) {
      const { street_labels: labels, street_names: names } = this.data.ground;
      const from = [13.5, 14.25, 14.75, 15.5];
      const zoom = map.getZoom();
      const metre = this.pixelsPerMetre();
      const view = map.getBounds().pad(0.2);
      const lastOf = new Map();
      const found = [];
      for (let i = 0; i < labels.length; i += NAME_FIELDS) {
        const [x, y, angle, room, level, name] = labels.slice(i, i + NAME_FIELDS);
        const [lat, lon] = [y * qh.UNIT, x * qh.UNIT];
        if (zoom < from[level] || !view.contains([lat, lon])) continue;
        const point = map.latLngToLayerPoint([lat, lon]);
        const before = lastOf.get(name);
        // The two carriageways of a street, or its next stretch, need not repeat the name.
        if (before && before.some((other) => other.distanceTo(point) < 260)) continue;
        lastOf.set(name, [...(before || []), point]);
        found.push({ at: [lat, lon], text: names[name], font, colour: "#333b46", angle, room: room * metre });
      }
      return found;
    }

    pixelsPerMetre() {
      const map = this.map;
      const centre = map.getCenter();
      const metres = map.distance(centre, [centre.lat, centre.lng + 0.01]);
      const pixels = map.project([centre.lat, centre.lng + 0.01]).x - map.project(centre).x;
      return pixels / metres;
    }

    /* ---- popups ---- */

    details(pairs) {
      const list = el("dl");
      for (const [term, value] of pairs) {
        if (value) list.append(el("dt", {}, term), el("dd", { dir: "auto" }, value));
      }
      return list;
    }

    /* The districts of a zone; a large one touches many. */
    districtsOf(gap) {
      const named = gap.districts.slice(0, DISTRICTS_NAMED).join(", ");
      const more = gap.districts.length - DISTRICTS_NAMED;
      return more > 0 ? named + this.words.say("districts_more", { n: more }) : named;
    }

    gapPopup(gap) {
      const { words } = this;
      const [least, median, most] = gap.minutes;
      const size = [words.say("area_ha", { n: words.number(gap.area_ha, gap.area_ha < 10 ? 1 : 0) })];
      if (this.data.residents) size.unshift(words.count("residents_count", gap.residents));
      const minutes =
        median === null
          ? words.say("unreachable")
          : words.say("gap_minutes_value", {
              median: words.number(median),
              min: words.number(least),
              max: most === null ? "∞" : words.number(most),
            });
      const nearest = gap.discreet ? words.say("gap_nearest_unshown") : gap.nearest;
      const node = el(
        "div",
        { class: "popup", tabindex: "-1" },
        el("h2", { dir: "auto" }, this.gapName(gap)),
        this.details([
          [words.say("gap_where"), this.districtsOf(gap)],
          [words.say("gap_size"), size.join(" · ")],
          [words.say("gap_minutes"), minutes],
          [words.say("gap_nearest"), nearest],
          [words.say("gap_cause"), this.data.words.cause_words[gap.cause] || gap.cause],
        ])
      );
      return node;
    }

    /* A street says where a zone is, unless the zone is as large as several districts. */
    placeOf(gap) {
      if (gap.districts.length > DISTRICTS_NAMED) return this.districtsOf(gap);
      return gap.street || this.words.say("gap_unnamed");
    }

    gapName(gap) {
      return this.words.say("gap_title", { rank: gap.rank, place: this.placeOf(gap) });
    }

    servicePopup(service, category) {
      const { words } = this;
      const source = [service.source, service.source_date].filter(Boolean).join(" – ");
      const notes = [];
      if (service.left_out) notes.push(words.say("not_counted", { reason: service.left_out }));
      else if (service.outside) notes.push(words.say("outside"));
      return el(
        "div",
        { class: "popup", tabindex: "-1" },
        el("h2", { dir: "auto" }, service.name || words.say("unnamed")),
        el("p", { class: "kind" }, category.label),
        ...notes.map((note) => el("p", { class: "note" }, note)),
        this.details([
          [words.say("address"), service.address],
          [words.say("hours"), service.hours || words.say("hours_unknown")],
          [words.say("access"), service.access],
          [words.say("audience"), service.audience],
          [words.say("capacity"), service.capacity],
          [words.say("operator"), service.operator],
          [words.say("status"), service.status],
        ]),
        source ? el("p", { class: "source", dir: "auto" }, words.say("source_line", { source })) : ""
      );
    }

    /* Fly there, open the popup, and hand the keyboard over to it and back. */
    visit(layer, bounds, from) {
      this.foldPanel();
      this.returnTo = from;
      if (bounds) this.flyToBounds(bounds);
      else this.map.setView(layer.getLatLng(), Math.max(this.map.getZoom(), 15), { animate: false });
      layer.openPopup();
      const popup = layer.getPopup().getElement();
      if (popup) popup.querySelector(".popup").focus({ preventScroll: true });
    }

    flyToBounds(bounds) {
      const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      const options = { padding: [60, 60], maxZoom: 16 };
      if (still) this.map.fitBounds(bounds, { ...options, animate: false });
      else this.map.flyToBounds(bounds, { ...options, duration: 0.6 });
    }

    /* ---- panel ---- */

    listenToPanel() {
      for (const view of this.data.views.filter((each) => each.kind === "category")) {
        document.querySelector(`label[data-view="${view.id}"] .name`).prepend(this.dot(view.colour, "in"));
      }
      if (window.matchMedia("(max-width: 760px)").matches) byId("legend").open = false;
      for (const input of document.querySelectorAll("input[name=view]")) {
        input.addEventListener("change", () => this.showView(input.value));
      }
      for (const input of document.querySelectorAll("input[data-layer]")) {
        input.addEventListener("change", () => {
          this.switches[input.dataset.layer] = input.checked;
          this.refreshLayers();
        });
      }
      const select = byId("go-to");
      select.addEventListener("change", () => {
        if (select.value === "") this.frameArea();
        else {
          const district = this.data.ground.districts[Number(select.value)];
          this.flyToBounds(L.latLngBounds(qh.polygon(district.shape).flat(2)));
        }
      });
      byId("fold").addEventListener("click", () => this.togglePanel());
      this.map.on("popupopen", ({ popup }) => this.nameCloseButton(popup));
      this.map.on("popupclose", () => {
        if (this.returnTo && this.returnTo.isConnected) this.returnTo.focus({ preventScroll: true });
        this.returnTo = null;
      });
      document.addEventListener("keydown", (event) => {
        if (event.key === "Escape") this.map.closePopup();
      });
      this.listenToPrint();
    }

    nameCloseButton(popup) {
      const button = popup.getElement().querySelector(".leaflet-popup-close-button");
      if (button) button.setAttribute("aria-label", this.words.say("close"));
    }

    togglePanel(open) {
      const button = byId("fold");
      const opened = open === undefined ? button.getAttribute("aria-expanded") !== "true" : open;
      button.setAttribute("aria-expanded", String(opened));
      document.body.classList.toggle("panel-open", opened);
      button.querySelector(".when-open").hidden = !opened;
      button.querySelector(".when-closed").hidden = opened;
    }

    foldPanel() {
      this.togglePanel(false);
    }

    viewLabel(view) {
      return view.kind === "composite" ? this.words.say("composite_label") : view.label;
    }

    writeSummary(view) {
      const { words, data } = this;
      const values = { minutes: words.short(data.threshold), gaps: this.gapsInWords(view), n: data.total_word };
      let text;
      if (view.kind === "composite") {
        text = words.say("summary_composite", values);
      } else if (view.counted === 0) {
        text = words.say("summary_none", values);
      } else {
        const city = view.rows.find((row) => row.city);
        const share = city.values[data.residents ? 1 : 3];
        text = words.say(data.residents ? "summary_residents" : "summary_area", {
          ...values,
          share: words.percent(share),
        });
        if (view.withheld) text += " " + words.say("withheld");
      }
      byId("summary").textContent = text;
      byId("now").textContent = this.viewLabel(view);
      byId("now-folded").textContent = this.viewLabel(view);
    }

    gapsInWords(view) {
      const { words } = this;
      const gaps = words.count("gaps_count", view.gaps.length);
      if (!this.data.residents || view.gaps.length === 0) return gaps;
      const people = view.gaps.reduce((sum, gap) => sum + (gap.residents || 0), 0);
      return words.say("gaps_inhabited", { gaps, residents: words.number(people) });
    }

    writeLegend(view) {
      const { words, data } = this;
      const composite = view.kind === "composite";
      const minutes = words.short(data.threshold);
      const values = { minutes, n: data.total_word, ha: words.short(data.gap_ha), category: view.label };
      byId("legend-title").textContent = words.say(composite ? "legend_composite" : "legend_category", values);
      byId("legend-ramp").replaceChildren(
        ...this.rampEntries(view).map(([colour, text]) => el("li", {}, this.swatch(colour), text))
      );
      const entries = [[this.swatch(colours.paper), words.say(composite ? "none_near" : "beyond_near", values)]];
      if (view.gaps.length) {
        entries.push([this.swatch("gap"), words.say(composite ? "beyond_none" : "beyond", values)]);
      }
      entries.push([this.swatch(colours.offNetwork), words.say("off_network")], ...this.serviceEntries(view));
      byId("legend-list").replaceChildren(
        ...entries.map(([mark, text]) => el("li", {}, mark, el("span", {}, text)))
      );
    }

    /* From little to much, as the eye reads: fewest minutes first, fewest services first. */
    rampEntries(view) {
      const { words } = this;
      const shades = this.levelColours(view);
      if (view.kind === "composite") {
        return shades.map((shade, i) => [shade, words.say("reach_n", { n: i + 1 })]);
      }
      const levels = view.levels.map((level, i) => ({ to: words.short(level.minutes), shade: shades[i] })).reverse();
      return levels.map(({ to, shade }, i) => [
        shade,
        i === 0 ? words.say("within", { minutes: to }) : words.say("between", { from: levels[i - 1].to, to }),
      ]);
    }

    serviceEntries(view) {
      const { words } = this;
      const services = this.servicesOf(view);
      if (services.length === 0) return [];
      if (view.kind === "composite") return [[this.dot(colours.ink, "in"), words.say("service_any")]];
      const kinds = { in: "service_in", out: "service_out", left: "service_left" };
      return Object.entries(kinds)
        .filter(([kind]) => services.some((service) => this.kindOf(service) === kind))
        .map(([kind, key]) => [this.dot(view.colour, kind), words.say(key)]);
    }

    kindOf(service) {
      return service.left_out ? "left" : service.outside ? "out" : "in";
    }

    swatch(colour) {
      const canvas = el("canvas", { class: "swatch", width: "36", height: "24", "aria-hidden": "true" });
      const pen = canvas.getContext("2d");
      pen.fillStyle = colour === "gap" ? qh.gapFill() : colour;
      if (colour === "gap") pen.scale(2, 2);
      pen.fillRect(0, 0, 36, 24);
      if (colour === "gap") {
        pen.lineWidth = 1.6;
        pen.strokeStyle = colours.gapLine;
        pen.strokeRect(0.8, 0.8, 16.4, 10.4);
      }
      return canvas;
    }

    dot(colour, kind) {
      const canvas = el("canvas", { class: "swatch dot", width: "36", height: "24", "aria-hidden": "true" });
      const pen = canvas.getContext("2d");
      pen.scale(2, 2);
      pen.beginPath();
      pen.arc(9, 6, kind === "left" ? 4 : 5, 0, 2 * Math.PI);
      pen.fillStyle = kind === "in" ? colour : "#ffffff";
      pen.fill();
      pen.strokeStyle = colour;
      pen.lineWidth = 2;
      if (kind === "left") pen.setLineDash([2, 2]);
      if (kind !== "in") pen.stroke();
      return canvas;
    }

    writeGaps(view) {
      const { words, data } = this;
      byId("gaps-title").textContent = words.say("gaps_list", { n: words.number(view.gaps.length) });
      byId("gaps-order").textContent = words.say(data.residents ? "gaps_order" : "gaps_order_area");
      byId("gaps-order").hidden = view.gaps.length === 0;
      const list = byId("gaps-list");
      const more = byId("gaps-more");
      const item = (gap) => el("li", {}, this.gapButton(gap));
      list.replaceChildren(...view.gaps.slice(0, LIST_START).map(item));
      more.hidden = view.gaps.length <= LIST_START;
      more.textContent = words.say("gap_all_shown", { n: words.number(view.gaps.length) });
      more.onclick = () => {
        list.append(...view.gaps.slice(LIST_START).map(item));
        more.hidden = true;
        list.children[LIST_START].querySelector("button").focus();
      };
    }

    gapButton(gap) {
      const { words, data } = this;
      const size = data.residents
        ? words.count("residents_count", gap.residents)
        : words.say("area_ha", { n: words.number(gap.area_ha, 0) });
      const median = gap.minutes[1];
      const minutes = median === null ? "" : words.say("minutes", { n: words.number(median) });
      const where = gap.districts.length > DISTRICTS_NAMED ? "" : this.districtsOf(gap);
      const facts = [where, size, minutes].filter(Boolean).join(" · ");
      return el(
        "button",
        {
          type: "button",
          onclick: (event) => this.visitGap(gap, event.currentTarget),
        },
        el("span", { class: "rank" }, String(gap.rank)),
        el(
          "span",
          {},
          el("strong", { dir: "auto" }, this.placeOf(gap)),
          el("span", { class: "facts" }, facts)
        )
      );
    }

    visitGap(gap, from) {
      if (!this.switches.gaps) {
        this.switches.gaps = true;
        document.querySelector("input[data-layer=gaps]").checked = true;
        this.refreshLayers();
      }
      this.visit(gap.layer, gap.layer.getBounds(), from);
    }

    writeServices(view) {
      const { words } = this;
      const services = this.servicesOf(view);
      byId("services-title").textContent = words.say("services_list", { n: words.number(services.length) });
      byId("services-none").hidden = services.length > 0;
      const collator = new Intl.Collator(words.table.locale);
      const ordered = [...services].sort((a, b) => collator.compare(a.name || "", b.name || ""));
      byId("services-list").replaceChildren(
        ...ordered.map((service) => el("li", {}, this.serviceButton(service)))
      );
    }

    serviceButton(service) {
      const { words } = this;
      const category = this.data.views.find((view) => view.id === service.category);
      const facts = [
        service.address,
        service.left_out ? words.say("not_counted", { reason: service.left_out }) : "",
        this.shown.view.kind === "composite" ? category.label : "",
      ].filter(Boolean).join(" · ");
      return el(
        "button",
        {
          type: "button",
          onclick: (event) => {
            this.switches.services = true;
            document.querySelector("input[data-layer=services]").checked = true;
            this.refreshLayers();
            this.visit(service.layer, null, event.currentTarget);
          },
        },
        this.dot(category.colour, this.kindOf(service)),
        el(
          "span",
          {},
          el("strong", { dir: "auto" }, service.name || words.say("unnamed")),
          facts ? el("span", { class: "facts", dir: "auto" }, facts) : ""
        )
      );
    }

    writeTable(view) {
      const { words, data } = this;
      const minutes = words.short(data.threshold);
      const composite = view.kind === "composite";
      const ending = composite && !data.residents ? "_area" : "";
      const caption = composite ? "table_caption_composite" + ending : "table_caption_category";
      const columns = composite ? this.compositeColumns(view) : this.categoryColumns();
      const cell = (column, row) => el("td", {}, column.form(row.values[column.at]));
      const table = el(
        "table",
        {},
        el("caption", {}, words.say(caption, { category: view.label, minutes })),
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            el("th", { scope: "col" }, el("span", { class: "for-readers" }, words.table.district)),
            ...columns.map((column) => el("th", { scope: "col" }, column.title))
          )
        ),
        el(
          "tbody",
          {},
          ...view.rows.map((row) =>
            el(
              "tr",
              { class: row.city ? "city" : "" },
              el("th", { scope: "row", dir: "auto" }, row.label),
              ...columns.map((column) => cell(column, row))
            )
          )
        )
      );
      byId("table").replaceChildren(table);
    }

    compositeColumns(view) {
      const form = (value) => this.words.percent(value === null ? 0 : value);
      return Array.from({ length: view.total + 1 }, (_, n) => ({ title: String(n), at: n, form }));
    }

    categoryColumns() {
      const { words, data } = this;
      const whole = (value) => words.number(value);
      const share = (value) => words.percent(value);
      const all = [
        { key: "column_services", at: 0, form: whole },
        { key: "column_residents_share", at: 1, form: share, people: true },
        { key: "column_residents_beyond", at: 2, form: whole, people: true },
        { key: "column_area_share", at: 3, form: share },
        {
          key: "column_median",
          at: 4,
          form: (value) => (value === null ? words.table.unknown : words.say("minutes", { n: words.number(value) })),
        },
        { key: "column_gaps", at: 5, form: whole },
      ];
      return all
        .filter((column) => data.residents || !column.people)
        .map((column) => ({ ...column, title: words.say(column.key) }));
    }

    /* ---- print ---- */

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
    const data = JSON.parse(byId("data").textContent);
    qh.map = new CoverageMap(map, data);
    qh.map.start();
  };
})(window.quartHeure);
