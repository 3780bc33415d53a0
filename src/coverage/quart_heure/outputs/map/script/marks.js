/* Marks of services: a shape and a colour for each category, so that one alone is enough. */
"use strict";

(function (qh) {
  const FULL = 2 * Math.PI;

  /* A regular polygon of n corners, the first one upwards; `inner` draws in every second corner. */
  function corners(n, size, turn, inner) {
    return Array.from({ length: n }, (_, i) => {
      const angle = (FULL * i) / n - Math.PI / 2 + (turn || 0);
      const radius = size * (inner && i % 2 ? inner : 1);
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    });
  }

  /* Of about the same area as the circle of radius 1, which is null. */
  const SHAPES = [
    null,
    corners(4, 1.28, Math.PI / 4),
    corners(3, 1.5),
    corners(4, 1.36),
    corners(10, 1.55, 0, 0.52),
    corners(3, 1.5, Math.PI),
    corners(5, 1.25),
    corners(8, 1.5, 0, 0.5),
  ];

  /* The shape of a category by its place among the categories of the map. */
  qh.shapeOf = function (data, category) {
    const categories = data.views.filter((view) => view.kind === "category");
    return SHAPES[categories.findIndex((view) => view.id === category) % SHAPES.length];
  };

  /* What lies to the right of the middle of a polygon. */
  function rightHalf(shape) {
    return shape.flatMap(([x, y], i) => {
      const [nextX, nextY] = shape[(i + 1) % shape.length];
      const kept = x >= 0 ? [[x, y]] : [];
      if (x >= 0 !== nextX >= 0) kept.push([0, y + ((nextY - y) * x) / (x - nextX)]);
      return kept;
    });
  }

  /* The path of a shape; with `half`, filling by the even-odd rule leaves its right half empty. */
  qh.shapePath = function (shape, { x, y }, radius, half) {
    if (!shape) {
      const arc = "a" + radius + "," + radius + " 0 1,";
      const right = "M" + x + "," + (y - radius) + arc + "1 0," + radius * 2 + "Z";
      return "M" + (x - radius) + "," + y + arc + "0 " + radius * 2 + ",0 " + arc + "0 " + -radius * 2 + ",0 " + (half ? right : "");
    }
    const at = ([dx, dy]) => (x + dx * radius).toFixed(1) + "," + (y + dy * radius).toFixed(1);
    const path = (corners) => "M" + corners.map(at).join("L") + "Z";
    return path(shape) + (half ? path(rightHalf(shape)) : "");
  };

  /* A circle marker of another shape; drawn by Leaflet's SVG renderer. */
  qh.Mark = L.CircleMarker.extend({
    _updatePath() {
      this._renderer._setPath(this, qh.shapePath(this.options.shape, this._point, this._radius, this.options.half));
    },
  });

  const SMALL = ["left", "closed"];

  /* The mark of a service: "in" the area, "out" of it, or "left" out of the count; at an hour "open",
     "perhaps" open or "closed". Those that serve nobody are small, what is not sure is half filled. */
  qh.markStyle = function (colour, kind) {
    const filled = kind === "in" || kind === "open";
    return {
      small: SMALL.includes(kind),
      half: kind === "perhaps",
      color: filled ? "#ffffff" : colour,
      fillColor: filled || kind === "perhaps" ? colour : "#ffffff",
      weight: kind === "closed" ? 1.5 : 2,
      fillOpacity: 1,
      dashArray: kind === "left" ? "2 3" : null,
    };
  };

  qh.mark = function (colour, shape, kind) {
    const canvas = qh.el("canvas", { class: "swatch dot", width: "36", height: "28", "aria-hidden": "true" });
    const pen = canvas.getContext("2d");
    const style = qh.markStyle(colour, kind);
    const path = new Path2D(qh.shapePath(shape, { x: 9, y: 7 }, style.small ? 3.6 : 4.4, style.half));
    pen.scale(2, 2);
    pen.fillStyle = style.fillColor;
    pen.fill(path, "evenodd");
    pen.strokeStyle = colour;
    pen.lineWidth = style.weight;
    if (style.dashArray) pen.setLineDash([2, 2]);
    if (style.color === colour) pen.stroke(path);
    return canvas;
  };

  const OPEN = ["closed", "perhaps", "open"];

  /* `hour` is null where hours play no part. */
  qh.kindOf = function (service, hours, hour) {
    if (service.left_out) return "left";
    if (hour !== null) return OPEN[hours.tellService(service.place, hour)];
    return service.outside ? "out" : "in";
  };
})(window.quartHeure);
