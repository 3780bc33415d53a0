/* Names and numbers written over the map. */
"use strict";

(function (qh) {
  const NAME_FIELDS = 6; // x, y, angle, room, class, position of the name
  qh.NAME_FIELDS = NAME_FIELDS;
  const NAMES_FROM = [13.5, 14.25, 14.75, 15.5]; // zoom, by class of street
  const REPEAT_PX = 260;

  const latLon = ([lon, lat]) => [lat, lon];
  const font = (weight, size) => weight + " " + size + "px system-ui, sans-serif";

  /* Names and numbers, on one canvas over the map, placed anew after each move. */
  qh.Names = L.Layer.extend({
    initialize(pane) {
      this._pane = pane;
      this._sources = [];
    },

    /* `source(map)` returns places to keep clear {at, space}, or labels {at, text, font, colour, angle, room, mark}, best first. */
    setSources(sources) {
      this._sources = sources;
      if (this._map) this._place();
      return this;
    },

    onAdd(map) {
      this._canvas = L.DomUtil.create("canvas", "leaflet-zoom-hide", map.getPane(this._pane));
      this._canvas.setAttribute("aria-hidden", "true");
      map.on("moveend zoomend resize viewreset", this._place, this);
      map.on("zoomstart", this._hide, this);
      this._place();
    },

    onRemove(map) {
      map.off("moveend zoomend resize viewreset", this._place, this);
      map.off("zoomstart", this._hide, this);
      this._canvas.remove();
    },

    _hide() {
      this._canvas.style.visibility = "hidden";
    },

    _place() {
      const map = this._map;
      const size = map.getSize();
      // A margin, so that names are there while the map is dragged.
      const margin = size.multiplyBy(0.2).round();
      const origin = map.containerPointToLayerPoint(margin.multiplyBy(-1));
      const full = size.add(margin.multiplyBy(2));
      const density = window.devicePixelRatio || 1;
      const canvas = this._canvas;
      L.DomUtil.setPosition(canvas, origin);
      canvas.width = full.x * density;
      canvas.height = full.y * density;
      canvas.style.width = full.x + "px";
      canvas.style.height = full.y + "px";
      canvas.style.visibility = "";
      const pen = canvas.getContext("2d");
      pen.scale(density, density);
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.lineJoin = "round";
      const taken = [];
      for (const source of this._sources) {
        for (const label of source(map)) {
          const point = map.latLngToLayerPoint(label.at).subtract(origin);
          if (point.x < 0 || point.y < 0 || point.x > full.x || point.y > full.y) continue;
          this._write(pen, label, point, taken);
        }
      }
    },

    _write(pen, label, point, taken) {
      if (label.space) {
        taken.push(L.bounds(point.subtract([label.space, label.space]), point.add([label.space, label.space])));
        return;
      }
      pen.font = label.font;
      const width = pen.measureText(label.text).width;
      if (label.room && width > label.room) return;
      const height = parseInt(label.font.match(/(\d+)px/)[1], 10);
      const turn = ((label.angle || 0) * Math.PI) / 180;
      const half = label.mark ? Math.max(width, height) / 2 + 4 : width / 2 + 3;
      const boxes = L.point(
        Math.abs(Math.cos(turn)) * half + Math.abs(Math.sin(turn)) * height * 0.6,
        Math.abs(Math.sin(turn)) * half + Math.abs(Math.cos(turn)) * height * 0.6
      );
      const box = L.bounds(point.subtract(boxes), point.add(boxes));
      if (taken.some((other) => other.overlaps(box))) return;
      taken.push(box);
      pen.save();
      pen.translate(point.x, point.y);
      pen.rotate(turn);
      if (label.mark) {
        pen.beginPath();
        pen.arc(0, 0, half - 1, 0, 2 * Math.PI);
        pen.fillStyle = "#ffffff";
        pen.fill();
        pen.lineWidth = 1.5;
        pen.strokeStyle = label.colour;
        pen.stroke();
      } else {
        pen.lineWidth = 3;
        pen.strokeStyle = "rgba(255, 255, 255, 0.85)";
        pen.strokeText(label.text, 0, 0);
      }
      pen.fillStyle = label.colour;
      pen.fillText(label.text, 0, label.mark ? 0.5 : 0);
      pen.restore();
    },
  });

  /* What is to be written for a view, the most important first. */
  qh.nameSources = function (data, view, services, switches) {
    const sources = [];
    if (switches.services) sources.push(() => services.map((service) => ({ at: latLon(service.at), space: 7 })));
    if (switches.gaps) sources.push((map) => gapNumbers(map, view.gaps));
    sources.push((map) => districtNames(map, data.ground.districts));
    if (switches.streets && !data.online) {
      sources.push((map) => placeNames(map, data.ground.place_names));
      sources.push((map) => streetNames(map, data.ground));
    }
    return sources;
  };

  function gapNumbers(map, gaps) {
    const metre = pixelsPerMetre(map);
    return gaps
      .filter((gap) => Math.sqrt(gap.area_ha * 10000) * metre > 16)
      .map((gap) => ({
        at: latLon(gap.at),
        text: String(gap.rank),
        font: font("700", 12),
        colour: qh.colours.gapLine,
        mark: true,
      }));
  }

  function placeNames(map, places) {
    const metre = pixelsPerMetre(map);
    const ink = { water: "#1f4e75", park: "#44602a" };
    return places
      .filter((place) => Math.sqrt(place[2] * 10000) * metre > 60)
      .map(([text, kind, , at]) => ({
        at: latLon(at),
        text,
        font: font("italic 500", 12),
        colour: ink[kind] || qh.colours.ink,
      }));
  }

  function streetNames(map, { street_labels: labels, street_names: names }) {
    const small = font("500", 11);
    const zoom = map.getZoom();
    const metre = pixelsPerMetre(map);
    const view = map.getBounds().pad(0.2);
    const lastOf = new Map();
    const found = [];
    for (let i = 0; i < labels.length; i += NAME_FIELDS) {
      const [x, y, angle, room, level, name] = labels.slice(i, i + NAME_FIELDS);
      const [lat, lon] = [y * qh.UNIT, x * qh.UNIT];
      if (zoom < NAMES_FROM[level] || !view.contains([lat, lon])) continue;
      const point = map.latLngToLayerPoint([lat, lon]);
      const before = lastOf.get(name);
      // The two carriageways of a street, or its next stretch, need not repeat the name.
      if (before && before.some((other) => other.distanceTo(point) < REPEAT_PX)) continue;
      lastOf.set(name, [...(before || []), point]);
      found.push({ at: [lat, lon], text: names[name], font: small, colour: "#333b46", angle, room: room * metre });
    }
    return found;
  }

  function districtNames(map, districts) {
    const size = map.getZoom() >= 13 ? 15 : 13;
    return districts.map((district) => ({
      at: latLon(district.at),
      text: district.label,
      font: font("600", size),
      colour: qh.colours.ink,
    }));
  }

  function pixelsPerMetre(map) {
    const centre = map.getCenter();
    const aside = [centre.lat, centre.lng + 0.01];
    return (map.project(aside).x - map.project(centre).x) / map.distance(centre, aside);
  }
})(window.quartHeure);
