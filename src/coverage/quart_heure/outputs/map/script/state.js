/* What is chosen, in the address of the page: whoever opens the address sees the same. */
"use strict";

(function (qh) {
  const HOURS = 168;
  const MODES = ["minutes", "covered"];

  const number = (text, low, high) => {
    const value = text === null || text === "" ? NaN : Number(text);
    return value >= low && value <= high ? value : null;
  };

  /* What is written is checked word by word: anything else is as if it were not there. */
  qh.readState = function (hash, data, layers) {
    const said = new URLSearchParams(hash.replace(/^#/, ""));
    const view = said.get("view");
    if (!data.views.some((one) => one.id === view)) return null;
    const minutes = number(said.get("min"), 0, Infinity);
    const hour = number(said.get("hour"), 0, HOURS - 1);
    const hidden = (said.get("hide") || "").split(".").filter((name) => layers.includes(name));
    const place = (said.get("at") || "").split("/");
    const [zoom, lat, lng] = [number(place[0], 0, 20), number(place[1], -85, 85), number(place[2], -180, 180)];
    return {
      view,
      minutes: data.thresholds.includes(minutes) ? minutes : data.threshold,
      mode: MODES.includes(said.get("show")) ? said.get("show") : MODES[0],
      hour: data.hours && Number.isInteger(hour) ? hour : null,
      hidden,
      place: place.length === 3 && ![zoom, lat, lng].includes(null) ? { zoom, lat, lng } : null,
      gap: number(said.get("gap"), 1, 1e6),
    };
  };

  /* The shortest address that says it: what is as at the start is left out. */
  qh.writeState = function (state, data) {
    const said = new URLSearchParams();
    said.set("view", state.view);
    if (state.minutes !== data.threshold) said.set("min", state.minutes);
    if (state.mode !== MODES[0]) said.set("show", state.mode);
    if (state.hour !== null) said.set("hour", state.hour);
    if (state.hidden.length) said.set("hide", state.hidden.join("."));
    if (state.place) {
      const { zoom, lat, lng } = state.place;
      said.set("at", [Number(zoom.toFixed(2)), lat.toFixed(5), lng.toFixed(5)].join("/"));
    }
    if (state.gap) said.set("gap", state.gap);
    if (state.lang) said.set("lang", state.lang);
    return "#" + said.toString().replace(/%2F/g, "/");
  };

  /* A page within another, as a notebook shows it, has no address of its own. */
  qh.hasAddress = () => window.location.protocol !== "about:";

  qh.keepState = function (text) {
    if (!qh.hasAddress() || text === window.location.hash) return;
    // Not one step of "back" per movement of the map.
    window.history.replaceState(null, "", text);
  };
})(window.quartHeure);
