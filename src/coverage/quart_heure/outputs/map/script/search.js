/* The search box, with suggestions for mouse, finger and keyboard. */

/** @import { PageData } from "./types.js" */
/** @import { Words } from "./words.js" */
/** @import { Entry } from "./search_index.js" */

import { byId, control, el } from "./page.js";
import { searchIndex, searched } from "./search_index.js";

export class Search {
  /**
   * @param {PageData} data
   * @param {Words} words
   * @param {(entry: Entry, from: HTMLElement) => void} go is called with what is chosen
   */
  constructor(data, words, go) {
    this.data = data;
    this.words = words;
    this.go = go;
    this.input = control("search", HTMLInputElement);
    this.list = byId("search-list");
    this.status = byId("search-status");
    /** @type {Entry[] | null} */
    this.index = null;
    /** @type {Entry[]} */
    this.entries = [];
    this.chosen = -1;
    this.input.addEventListener("input", () => this.suggest());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    // Before the box loses the keyboard, or the list would be gone before the click.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
  }

  suggest() {
    this.index = this.index || searchIndex(this.data, this.words);
    const query = this.input.value.trim();
    const { entries, numberless } = searched(this.index, query);
    this.entries = entries;
    this.chosen = -1;
    this.list.replaceChildren(...this.entries.map((entry, n) => this.option(entry, n)));
    this.show(this.entries.length > 0);
    const few = query.length < 2 && !entries.length; // nobody has looked for anything yet
    this.say(few ? "" : this.words.count("search_count", entries.length), { seen: !few && (!entries.length || numberless) });
    if (numberless) this.status.textContent += this.words.say("search_numberless");
  }

  /**
   * Screen readers are told how many there are; that there is none everybody sees.
   * @param {string} text
   * @param {{ seen: boolean }} how
   */
  say(text, { seen }) {
    this.status.textContent = text;
    this.status.classList.toggle("for-readers", !seen);
  }

  /**
   * @param {Entry} entry
   * @param {number} n
   */
  option(entry, n) {
    return el(
      "li",
      { id: "search-" + n, role: "option", "aria-selected": "false", onclick: () => this.choose(n) },
      el("span", { class: "found", dir: "auto" }, entry.text),
      el("span", { class: "kind", dir: "auto" }, entry.detail)
    );
  }

  /** @param {boolean} open */
  show(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    this.show(false);
  }

  /** @param {KeyboardEvent} event */
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

  /** @param {number} step */
  move(step) {
    const count = this.entries.length;
    if (!count) return;
    if (this.list.hidden) this.show(true);
    this.chosen = this.chosen < 0 && step < 0 ? count - 1 : (this.chosen + step + count) % count;
    [...this.list.children].forEach((option, n) => option.setAttribute("aria-selected", String(n === this.chosen)));
    this.input.setAttribute("aria-activedescendant", "search-" + this.chosen);
    this.list.children[this.chosen].scrollIntoView({ block: "nearest" });
  }

  /** @param {number} n */
  choose(n) {
    const entry = this.entries[n];
    this.input.value = entry.text;
    this.close();
    this.say("", { seen: false });
    this.go(entry, this.input);
  }

  clear() {
    this.input.value = "";
    this.say("", { seen: false });
    this.close();
  }
}
