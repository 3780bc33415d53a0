/* What frames the map: zoom, home, scale and credits, and the size it has on paper. */
"use strict";

(function (qh) {
  const { el, byId } = qh;

  const PAPER = { width: 690, height: 640 }; // CSS pixels within the margins of A4

  const Home = L.Control.extend({
    initialize(title, onclick, options) {
      L.setOptions(this, options);
      Object.assign(this, { _title: title, _onclick: onclick });
    },

    onAdd() {
      const button = el("button", { type: "button", class: "home", title: this._title, "aria-label": this._title }, "⌂");
      button.addEventListener("click", this._onclick);
      const bar = el("div", { class: "leaflet-bar" }, button);
      L.DomEvent.disableClickPropagation(bar);
      return bar;
    },
  });

  qh.addMapControls = function (map, words, home) {
    const { table } = words;
    L.control.zoom({ position: "topright", zoomInTitle: table.zoom_in, zoomOutTitle: table.zoom_out }).addTo(map);
    new Home(table.whole_area, home, { position: "topright" }).addTo(map);
    L.control
      .attribution({ prefix: false, position: "bottomright" })
      .addAttribution(table.attribution)
      .addTo(map);
    L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
  };

  /* Paper shows the map as the screen does, as large as the page allows. */
  qh.listenToPrint = function (map) {
    let folded = [];
    window.addEventListener("beforeprint", () => {
      const { x, y } = map.getSize();
      const scale = Math.min(PAPER.width / x, PAPER.height / y);
      const style = byId("map-area").style;
      style.setProperty("--width", x + "px");
      style.setProperty("--height", y + "px");
      style.setProperty("--scale", scale.toFixed(4));
      // What is folded on the screen is read on paper.
      folded = [...document.querySelectorAll(".panel details:not([open])")];
      for (const one of folded) one.open = true;
    });
    window.addEventListener("afterprint", () => {
      for (const one of folded) one.open = false;
      folded = [];
    });
  };
})(window.quartHeure);
