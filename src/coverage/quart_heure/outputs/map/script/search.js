/* The search box: districts, streets and services by name, with suggestions for mouse and keyboard. */
"use strict";

(function (qh) {
  const { el, byId } = qh;

  const MOST = 8;
  const SHORTEST = 2;
  const KINDS = ["district", "service", "street"];

  /* Without accents, capitals and signs, as people type. */
  qh.folded = (text) =>
    text
      .normalize("NFD")
      .replace(/\p{M}/gu, "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, " ")
      .trim();

  /* Everything that can be found: {kind, text, detail, folded, …}. */
  qh.searchIndex = function (data, words) {
    const { districts, street_names: names, street_labels: labels } = data.ground;
    const found = districts.map((district) => ({ kind: "district", text: district.label, district }));
    for (const service of data.services) {
      const detail = data.views.find((view) => view.id === service.category).label;
      found.push({ kind: "service", text: service.name || words.say("unnamed"), detail, service });
    }
    const seen = new Set();
    // The first place of a name is on its longest stretch.
    for (let i = 0; i < labels.length; i += qh.NAME_FIELDS) {
      const name = labels[i + 5];
      if (seen.has(name)) continue;
      seen.add(name);
      const at = L.latLng(labels[i + 1] * qh.UNIT, labels[i] * qh.UNIT);
      found.push({ kind: "street", text: names[name], at });
    }
    return found.map((entry) => ({ ...entry, folded: qh.folded(entry.text + " " + (entry.detail || "")) }));
  };

  /* The entries that hold every word of the query as the beginning of one of theirs, best first. */
  qh.searched = function (index, query) {
    const folded = qh.folded(query);
    const words = folded.split(" ");
    if (folded.length < SHORTEST && !/\d/.test(folded)) return [];
    const holds = (entry) => words.every((word) => (" " + entry.folded).includes(" " + word));
    const rank = (entry) => [
      entry.folded === folded ? 0 : entry.folded.startsWith(folded) ? 1 : 2,
      KINDS.indexOf(entry.kind),
      entry.folded.length,
    ];
    const before = (a, b) => a.findIndex((value, i) => value !== b[i]);
    return index
      .filter(holds)
      .map((entry) => [rank(entry), entry])
      .sort(([a], [b]) => (before(a, b) < 0 ? 0 : a[before(a, b)] - b[before(a, b)]))
      .slice(0, MOST)
      .map(([, entry]) => entry);
  };

  qh.Search = class {
    /* `go(entry)` is called with what is chosen. */
    constructor(data, words, go) {
      Object.assign(this, { data, words, go });
      this.input = byId("search");
      this.list = byId("search-list");
      this.status = byId("search-status");
      this.entries = [];
      this.chosen = -1;
      this.input.addEventListener("input", () => this.suggest());
      this.input.addEventListener("keydown", (event) => this.key(event));
      this.input.addEventListener("blur", () => this.close());
      // Before the box loses the keyboard, or the list would be gone before the click.
      this.list.addEventListener("mousedown", (event) => event.preventDefault());
    }

    suggest() {
      this.index = this.index || qh.searchIndex(this.data, this.words);
      const query = this.input.value.trim();
      this.entries = query ? qh.searched(this.index, query) : [];
      this.chosen = -1;
      this.list.replaceChildren(...this.entries.map((entry, n) => this.option(entry, n)));
      this.show(this.entries.length > 0);
      this.status.textContent = query ? this.words.count("search_count", this.entries.length) : "";
    }

    option(entry, n) {
      const kind = entry.detail || this.words.say("search_" + entry.kind);
      return el(
        "li",
        { id: "search-" + n, role: "option", "aria-selected": "false", onclick: () => this.choose(n) },
        el("span", { class: "found", dir: "auto" }, entry.text),
        el("span", { class: "kind", dir: "auto" }, kind)
      );
    }

    show(open) {
      this.list.hidden = !open;
      this.input.setAttribute("aria-expanded", String(open));
      this.input.removeAttribute("aria-activedescendant");
    }

    close() {
      this.show(false);
    }

    key(event) {
      const { key } = event;
      if (key === "Escape") {
        this.close();
      } else if (key === "Enter") {
        event.preventDefault();
        if (this.entries.length) this.choose(Math.max(this.chosen, 0));
      } else if (key === "ArrowDown" || key === "ArrowUp") {
        event.preventDefault();
        this.move(key === "ArrowDown" ? 1 : -1);
      }
    }

    move(step) {
      const count = this.entries.length;
      if (!count) return;
      if (this.list.hidden) this.show(true);
      this.chosen = this.chosen < 0 && step < 0 ? count - 1 : (this.chosen + step + count) % count;
      [...this.list.children].forEach((option, n) => option.setAttribute("aria-selected", String(n === this.chosen)));
      this.input.setAttribute("aria-activedescendant", "search-" + this.chosen);
      this.list.children[this.chosen].scrollIntoView({ block: "nearest" });
    }

    choose(n) {
      const entry = this.entries[n];
      this.input.value = entry.text;
      this.close();
      this.status.textContent = "";
      this.go(entry, this.input);
    }

    clear() {
      this.input.value = "";
      this.status.textContent = "";
      this.close();
    }
  };
})(window.quartHeure);
