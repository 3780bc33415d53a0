/* How the map is drawn: shapes from steps, patterns, and names on a canvas. */
"use strict";

var quartHeure = window.quartHeure || {};

(function (qh) {
  const UNIT = 1e-5;
  qh.UNIT = UNIT;

  /* [x, y, dx, dy, …] in units -> [[lat, lon], …] */
  qh.points = function (steps) {
    const found = [];
    let x = 0;
    let y = 0;
    for (let i = 0; i + 1 < steps.length; i += 2) {
      x += steps[i];
      y += steps[i + 1];
      found.push([y * UNIT, x * UNIT]);
    }
    return found;
  };

  /* How far a ring reaches, in units: small holes are filled but not outlined. */
  qh.reach = function (steps) {
    let [x, y] = steps;
    let [west, east, south, north] = [x, x, y, y];
    for (let i = 2; i + 1 < steps.length; i += 2) {
      x += steps[i];
      y += steps[i + 1];
      west = Math.min(west, x);
      east = Math.max(east, x);
      south = Math.min(south, y);
      north = Math.max(north, y);
    }
    return Math.max(east - west, north - south);
  };

  qh.polygon = (parts) => parts.map((rings) => rings.map(qh.points));

  qh.colours = {
    minutes: ["#00594f", "#3f9b8a", "#a6d6c8"],
    reached: ["#d7ecd9", "#9fd3c0", "#5fb3a3", "#2a8577", "#00594f"],
    gap: "#fcebdb",
    gapLine: "#a33b00",
    gapFaint: "#dd9a69",
    offNetwork: "#d5d3cd",
    paper: "#fbfaf6",
    outside: "#e9e7e1",
    water: "#9db9cf",
    park: "#dfe6cf",
    rail: "#b9b4ac",
    street: "#ffffff",
    outline: "#3d4652",
    ink: "#1c2430",
  };

  /* A ramp of n colours, the strongest first, drawn from the fixed ones. */
  qh.ramp = function (colours, n) {
    if (n === 1) return [colours[0]];
    const at = (i) => colours[Math.round((i * (colours.length - 1)) / (n - 1))];
    return Array.from({ length: n }, (_, i) => at(i));
  };

  /* One tile of a hatch, `size` CSS pixels wide; drawn at the density of the screen. */
  function hatchTile(background, line, size, width, density) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = Math.round(size * density);
    const pen = tile.getContext("2d");
    pen.scale(tile.width / size, tile.height / size);
    pen.fillStyle = background;
    pen.fillRect(0, 0, size, size);
    pen.strokeStyle = line;
    pen.lineWidth = width;
    pen.beginPath();
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift - 2, size + 2);
      pen.lineTo(shift + size + 2, -2);
    }
    pen.stroke();
    return tile;
  }

  qh.hatch = function (background, line, size, width) {
    const density = window.devicePixelRatio || 1;
    const tile = hatchTile(background, line, size, width, density);
    const pattern = tile.getContext("2d").createPattern(tile, "repeat");
    // Leaflet's canvas is scaled for dense screens (by two): the tile is shrunk by as much.
    pattern.setTransform(new DOMMatrix().scale(size / tile.width));
    return pattern;
  };

  /* The fill of gaps: colour and lines, so that it stands out without colour. */
  qh.gapFill = () => qh.hatch(qh.colours.gap, qh.colours.gapFaint, 8, 1.2);

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
})(quartHeure);

window.quartHeure = quartHeure;
