/* The painter of cells: every pixel of the view is classified from the cells around it. */
"use strict";

(function (qh) {
  const BLOCK = 32; // pixels between which places in the grid are interpolated
  const MOST_PIXELS = 2.4e6;

  const TOLERANCE = 1e-4; // single precision

  /* The value of a field between the centres of four cells, of which k is the south-western. */
  qh.mix = function (field, k, width, fx, fy) {
    const low = field[k] + (field[k + 1] - field[k]) * fx;
    const high = field[k + width] + (field[k + width + 1] - field[k + width]) * fx;
    return low + (high - low) * fy;
  };

  qh.within = (value, limit) => value <= limit + TOLERANCE;

  const channels = (colour, alpha) => {
    const [red, green, blue] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
    return ((Math.round(alpha * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  };

  /* A paint {fill, line, gap, dots} as numbers; without a fill nothing is painted between its lines. */
  function mixed(paint, alpha) {
    return {
      fill: paint.fill ? channels(paint.fill, alpha) : 0,
      line: paint.line ? channels(paint.line, 1) : 0,
      gap: paint.gap || 8,
      dots: Boolean(paint.dots),
    };
  }

  /* The colour of a pixel: its pattern is fixed to the map, so that it does not swim. */
  const colourAt = (paint, x, y, scale) => (paint.line !== 0 && qh.onLine(paint, x, y, scale) ? paint.line : paint.fill);

  /* A renderer follows the map as Leaflet's own do: it moves and zooms with it, then paints anew. */
  qh.Surface = L.Renderer.extend({
    initialize(cells, outline, options) {
      L.Renderer.prototype.initialize.call(this, options);
      this._cells = cells;
      this._outline = outline;
      this._scene = null;
    },

    /* A scene is {paints, brush}: brush(k, fx, fy) returns the number of the paint of a place. */
    setScene(scene) {
      this._scene = scene;
      if (this._map) this._paint();
      return this;
    },

    _initContainer() {
      this._container = document.createElement("canvas");
      this._container.className = "surface";
    },

    _destroyContainer() {
      this._container.remove();
      this._container = null;
    },

    _updatePaths() {},

    _update() {
      L.Renderer.prototype._update.call(this);
      this._paint();
    },

    _paint() {
      if (!this._scene || !this._bounds) return;
      const canvas = this._container;
      const size = this._bounds.getSize();
      const wanted = Math.min(window.devicePixelRatio || 1, 2);
      const scale = Math.min(wanted, Math.max(0.5, Math.sqrt(MOST_PIXELS / (size.x * size.y))));
      canvas.width = Math.ceil(size.x * scale);
      canvas.height = Math.ceil(size.y * scale);
      canvas.style.width = canvas.width / scale + "px";
      canvas.style.height = canvas.height / scale + "px";
      L.DomUtil.setPosition(canvas, this._bounds.min);
      const pen = canvas.getContext("2d");
      const image = pen.createImageData(canvas.width, canvas.height);
      this._fill(new Uint32Array(image.data.buffer), canvas.width, canvas.height, scale);
      pen.putImageData(image, 0, 0);
      this._cut(pen, scale);
    },

    _fill(pixels, width, height, scale) {
      const map = this._map;
      const world = map.getPixelWorldBounds().getSize().x;
      const origin = map.getPixelOrigin().add(this._bounds.min);
      const corner = this._bounds.min.multiplyBy(scale).round();
      const [firstX, firstY] = [corner.x, corner.y];
      const cells = this._cells;
      const columns = cells.width;
      const { known, off } = cells;
      const { brush } = this._scene;
      const alpha = this.options.alpha;
      const paints = this._scene.paints.map((paint) => mixed(paint, alpha));
      const offPaint = mixed({ fill: qh.colours.offNetwork }, alpha);
      for (let y = 0, p = 0; y < height; y++) {
        const shareY = (origin.y + (y + 0.5) / scale) / world;
        let next = cells.at((origin.x + 0.5 / scale) / world, shareY);
        let [col, row, stepCol, stepRow] = [0, 0, 0, 0];
        for (let x = 0; x < width; x++, p++) {
          if (x % BLOCK === 0) {
            [col, row] = next;
            next = cells.at((origin.x + (x + BLOCK + 0.5) / scale) / world, shareY);
            stepCol = (next[0] - col) / BLOCK;
            stepRow = (next[1] - row) / BLOCK;
          } else {
            col += stepCol;
            row += stepRow;
          }
          const west = Math.floor(col - 0.5);
          const south = Math.floor(row - 0.5);
          if (west < 0 || south < 0 || west >= columns - 1 || south >= cells.height - 1) continue;
          const fx = col - 0.5 - west;
          const fy = row - 0.5 - south;
          const k = south * columns + west;
          if (!known[k + (fx > 0.5 ? 1 : 0) + (fy > 0.5 ? columns : 0)]) continue;
          const isOff = qh.mix(off, k, columns, fx, fy) > 0.5;
          const paint = isOff ? offPaint : paints[brush(k, fx, fy)];
          pixels[p] = colourAt(paint, x + firstX, y + firstY, scale);
        }
      }
    },

    /* Cells reach over the edge of the area: what is beyond it is wiped off. */
    _cut(pen, scale) {
      pen.globalCompositeOperation = "destination-in";
      pen.beginPath();
      for (const rings of this._outline) {
        for (const ring of rings) {
          ring.forEach((at, i) => {
            const { x, y } = this._map.latLngToLayerPoint(at).subtract(this._bounds.min).multiplyBy(scale);
            if (i) pen.lineTo(x, y);
            else pen.moveTo(x, y);
          });
          pen.closePath();
        }
      }
      pen.fill("evenodd");
      pen.globalCompositeOperation = "source-over";
    },
  });
})(window.quartHeure);
