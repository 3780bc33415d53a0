/* What frames the map: zoom, home, scale and credits, and the size it has on paper. */

/** @import { Words } from "./words.js" */

import { byId, el } from "./page.js";

const PAPER = { width: 690, height: 640 }; // CSS pixels within the margins of A4

/* The button that brings the whole area back. */
class Home extends L.Control {
  /**
   * @param {string} title
   * @param {() => void} onclick
   */
  constructor(title, onclick) {
    super({ position: "topright" });
    this.title = title;
    this.onclick = onclick;
  }

  onAdd() {
    const { title, onclick } = this;
    const button = el("button", { type: "button", class: "home", title, "aria-label": title, onclick }, "⌂");
    const bar = el("div", { class: "leaflet-bar" }, button);
    L.DomEvent.disableClickPropagation(bar);
    return bar;
  }
}

/**
 * @param {L.Map} map
 * @param {Words} words
 * @param {() => void} home
 */
export function addMapControls(map, words, home) {
  const titles = { zoomInTitle: words.say("zoom_in"), zoomOutTitle: words.say("zoom_out") };
  L.control.zoom({ position: "topright", ...titles }).addTo(map);
  new Home(words.say("whole_area"), home).addTo(map);
  L.control
    .attribution({ prefix: false, position: "bottomright" })
    .addAttribution(words.say("attribution"))
    .addTo(map);
  L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
}

/**
 * Paper shows the map as the screen does, as large as the page allows, and whole lists.
 * @param {L.Map} map
 * @param {() => void} showAll
 */
export function listenToPrint(map, showAll) {
  /** @type {HTMLDetailsElement[]} */
  let folded = [];
  window.addEventListener("beforeprint", () => {
    showAll();
    const { x, y } = map.getSize();
    const scale = Math.min(PAPER.width / x, PAPER.height / y);
    const { style } = byId("map-area");
    style.setProperty("--width", x + "px");
    style.setProperty("--height", y + "px");
    style.setProperty("--scale", scale.toFixed(4));
    // What is folded on the screen is read on paper.
    folded = [...document.querySelectorAll("details")].filter((one) => one.matches(".panel details:not([open]), #legend:not([open])"));
    for (const one of folded) {
      one.open = true;
      one.dispatchEvent(new Event("toggle")); // the browser tells it too late for paper
    }
  });
  window.addEventListener("afterprint", () => {
    for (const one of folded) one.open = false;
    folded = [];
  });
}
