/* The other language: the page holds both, and opens again in the one that is chosen. */

/** @import { PageData } from "./types.js" */

import { byId, control, inputs, part } from "./page.js";
import { hasAddress, keepState } from "./state.js";

const address = () => new URLSearchParams(window.location.hash.slice(1));

/**
 * Put what the page says in the other language in the place of what it says in its own.
 * @param {PageData} data
 */
function swap({ other }) {
  const spare = control("other", HTMLTemplateElement).content;
  for (const name of ["top", "panel"]) byId(name).replaceChildren(...part(spare, "." + name).childNodes);
  document.documentElement.lang = other.lang;
  document.title = other.words.title;
  for (const node of inputs("[data-say]")) node.textContent = other.words[node.dataset.say || ""];
  byId("map-area").setAttribute("aria-label", other.words.map_label);
  part(byId("map-area"), ".map").setAttribute("aria-label", other.words.map_label);
  byId("card").setAttribute("aria-label", other.words.card_label);
  byId("panel").setAttribute("aria-label", other.words.panel_label);
}

/**
 * The data as they are said in the other language.
 * @param {PageData} data
 * @returns {PageData}
 */
function otherwise(data) {
  const { other } = data;
  return {
    ...data,
    said: other,
    places: other.places,
    views: data.views.map((view) =>
      view.kind === "category" ? { ...view, label: other.labels[view.id], none: other.nones[view.id] } : view
    ),
    services: data.services.map((service, n) => ({ ...service, ...other.services[n] })),
  };
}

/**
 * Speak the language that the address asks for. Returns the data as they are said in it, and its
 * code, null for the page's own.
 * @param {PageData} data
 */
export function speak(data) {
  const asked = address().get("lang") === data.other.lang;
  if (asked) swap(data);
  const button = byId("language");
  button.hidden = !hasAddress(); // it is the address that says which language
  button.addEventListener("click", () => {
    const next = address();
    if (asked) next.delete("lang");
    else next.set("lang", data.other.lang);
    if (!next.has("view")) next.set("view", data.views[0].id);
    keepState("#" + next.toString().replace(/%2F/g, "/"));
    window.location.reload();
  });
  return asked ? { data: otherwise(data), lang: data.other.lang } : { data, lang: null };
}
