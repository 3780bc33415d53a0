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

  qh.shapePath = function (shape, { x, y }, radius) {
    if (!shape) {
      const arc = "a" + radius + "," + radius + " 0 1,0 ";
      return "M" + (x - radius) + "," + y + arc + radius * 2 + ",0 " + arc + -radius * 2 + ",0 ";
    }
    const at = ([dx, dy]) => (x + dx * radius).toFixed(1) + "," + (y + dy * radius).toFixed(1);
    return "M" + shape.map(at).join("L") + "Z";
  };

  /* A circle marker of another shape; drawn by Leaflet's SVG renderer. */
  qh.Mark = L.CircleMarker.extend({
    _updatePath() {
      this._renderer._setPath(this, qh.shapePath(this.options.shape, this._point, this._radius));
    },
  });

  /* The mark of a service: "in" the area, "out" of it, or "left" out of the count. */
  qh.mark = function (colour, shape, kind) {
    const canvas = qh.el("canvas", { class: "swatch dot", width: "36", height: "28", "aria-hidden": "true" });
    const pen = canvas.getContext("2d");
    const path = new Path2D(qh.shapePath(shape, { x: 9, y: 7 }, kind === "left" ? 3.6 : 4.4));
    pen.scale(2, 2);
    pen.fillStyle = kind === "in" ? colour : "#ffffff";
    pen.fill(path);
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    if (kind === "left") pen.setLineDash([2, 2]);
    if (kind !== "in") pen.stroke(path);
    return canvas;
  };

  qh.kindOf = (service) => (service.left_out ? "left" : service.outside ? "out" : "in");
})(window.quartHeure);
