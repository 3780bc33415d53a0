/* The two figures at the head of the page, as they would be. */

/** @import { CompositeView, PageData } from "./types.js" */
/** @import { Words } from "./words.js" */

import { byId } from "./page.js";

export class Headline {
  /**
   * @param {PageData} data
   * @param {Words} words
   */
  constructor(data, words) {
    this.data = data;
    this.words = words;
    /** @type {Node[][] | null} */
    this.original = null;
  }

  /**
   * Write them from the figures of the page, or put back what stood there.
   * @param {boolean} supposed
   * @param {number} people of the whole area
   */
  write(supposed, people) {
    const lines = [...byId("top").querySelectorAll(".headline li")];
    const composite = this.data.views.find((view) => view.kind === "composite");
    if (!lines.length || !composite || composite.kind !== "composite") return;
    this.original = this.original || lines.map((line) => [...line.childNodes].map((node) => node.cloneNode(true)));
    byId("top").classList.toggle("supposed", supposed);
    byId("top").dataset.note = this.words.say("what_if_note");
    lines.forEach((line, n) => {
      if (!supposed) {
        line.replaceChildren(...(this.original || [])[n].map((node) => node.cloneNode(true)));
        return;
      }
      this.rewrite(line, composite, n === 0 ? composite.total : 0, people);
    });
  }

  /**
   * @param {Element} line
   * @param {CompositeView} composite
   * @param {number} reached
   * @param {number} people
   */
  rewrite(line, { shares_pct: shares, total }, reached, people) {
    const { words, data } = this;
    const share = shares[shares.length - 1][reached];
    const text = words.percent(share);
    const [figure, sentence] = [line.querySelector("strong"), line.querySelector("span")];
    if (!figure || !sentence) return;
    const key = (reached ? "headline_all" : "headline_none") + (data.residents ? "" : "_area") + (reached && total === 1 ? "_one" : "");
    figure.textContent = data.residents ? words.number(((share || 0) * people) / 100) : text;
    sentence.textContent = words.say(key, { share: text, n: data.said.total_word, minutes: words.short(data.threshold_min) });
  }
}
