/* The other language: the page holds both, and opens again in the one that is chosen. */
"use strict";

(function (qh) {
  const { byId } = qh;

  const said = () => new URLSearchParams(window.location.hash.slice(1));

  /* Put what is said in the other language in the place of what is said in the page's own. */
  function swap(data) {
    const { other } = data;
    const parts = byId("other").content;
    for (const name of ["top", "panel"]) byId(name).replaceChildren(...parts.querySelector("." + name).childNodes);
    document.documentElement.lang = other.lang;
    document.title = other.words.title;
    for (const node of document.querySelectorAll("[data-say]")) node.textContent = other.words[node.dataset.say];
    byId("map-area").setAttribute("aria-label", other.words.map_label);
    byId("map-area").querySelector(".map").setAttribute("aria-label", other.words.map_label);
    byId("panel").setAttribute("aria-label", other.words.panel_label);
    for (const view of data.views) if (view.id in other.labels) view.label = other.labels[view.id];
    data.services.forEach((service, n) => Object.assign(service, other.services[n]));
    Object.assign(data, { lang: other.lang, words: other.words, total_word: other.total_word });
  }

  /* Speak the language that the address asks for. Returns null for the page's own, else its code. */
  qh.speak = function (data) {
    const asked = said().get("lang") === data.other.lang;
    if (asked) swap(data);
    const button = byId("language");
    button.hidden = !qh.hasAddress(); // it is the address that says which language
    button.addEventListener("click", () => {
      const next = said();
      if (asked) next.delete("lang");
      else next.set("lang", data.other.lang);
      if (!next.has("view")) next.set("view", data.views[0].id);
      qh.keepState("#" + next.toString().replace(/%2F/g, "/"));
      window.location.reload();
    });
    return asked ? data.lang : null;
  };
})(window.quartHeure);
