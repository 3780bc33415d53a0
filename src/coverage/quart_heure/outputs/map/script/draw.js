/* How the map is drawn: shapes from steps, colours, patterns and marks. */
"use strict";

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

  /* The step from the last point of a ring back to its first. */
  qh.closing = function (ring) {
    let [x, y] = [0, 0];
    for (let i = 2; i + 1 < ring.length; i += 2) {
      x -= ring[i];
      y -= ring[i + 1];
    }
    return [x, y];
  };

  qh.polygon = (parts) => parts.map((rings) => rings.map(qh.points));

  const colours = {
    minutes: ["#00594f", "#3b9184", "#84c3b5", "#c3e4da"],
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
  qh.colours = colours;

  /* Paints of answers: a pattern tells apart what a colour alone would not on paper. */
  qh.paints = {
    covered: { fill: "#3b9184" },
    nearlyCovered: { fill: "#a9d8cc", line: "#1d6f63", gap: 7, dots: true },
    nearlyUncovered: { fill: "#f6d3b3", line: "#a35a22", gap: 7, dots: true },
    uncovered: { fill: "#fcebdb" },
    perhaps: { fill: "#e3f2ec", line: "#1d6f63", gap: 7 },
  };

  /* n colours from the first to the last of a list, mixed between neighbours. */
  qh.ramp = function (list, n) {
    const channels = list.map((colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16)));
    return Array.from({ length: n }, (_, i) => {
      const at = n === 1 ? 0 : (i * (list.length - 1)) / (n - 1);
      const low = Math.floor(at);
      const high = Math.min(low + 1, list.length - 1);
      const mixed = channels[low].map((value, c) => Math.round(value + (channels[high][c] - value) * (at - low)));
      return "#" + mixed.map((value) => value.toString(16).padStart(2, "0")).join("");
    });
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

  function sample(width, height) {
    const canvas = qh.el("canvas", { class: "swatch", width: String(width), height: String(height), "aria-hidden": "true" });
    return { canvas, pen: canvas.getContext("2d") };
  }

  /* The sample of a paint in the legend. */
  qh.swatch = function (paint) {
    const { canvas, pen } = sample(36, 24);
    pen.fillStyle = paint.fill || colours.paper;
    pen.fillRect(0, 0, 36, 24);
    pen.fillStyle = paint.line || "transparent";
    for (let y = 0; y < 24; y++) {
      for (let x = 0; x < 36; x++) if (paint.line && qh.onLine(paint, x, y, 2)) pen.fillRect(x, y, 1, 1);
    }
    return canvas;
  };

  /* The sample of gaps: filled where they are painted, else their outline alone. */
  qh.gapSwatch = function (filled) {
    const { canvas, pen } = sample(36, 24);
    pen.scale(2, 2);
    pen.fillStyle = filled ? qh.gapFill() : "#ffffff";
    pen.fillRect(0, 0, 18, 12);
    pen.lineWidth = 1.6;
    pen.strokeStyle = colours.gapLine;
    pen.strokeRect(0.8, 0.8, 16.4, 10.4);
    return canvas;
  };

  /* Whether a pixel is on a line or a dot of a paint; `scale` pixels make one of CSS. */
  qh.onLine = function ({ gap, dots }, x, y, scale) {
    const size = gap * scale;
    const across = (((x + y) % size) + size) % size;
    if (!dots) return across < 1.3 * scale;
    const along = (((x - y) % size) + size) % size;
    return across < 2.2 * scale && along < 2.2 * scale;
  };
})(window.quartHeure);
