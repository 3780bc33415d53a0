/* Send this view: its link, a picture of it, and its table. */

/** @import { Words } from "./words.js" */

import { byId, el } from "./page.js";
import { drawPicture } from "./picture.js";

/** A spreadsheet may run text that starts so as a formula. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const UNIT = /^([-+]?[\d.,\s]*\d)\s?(%|min|ha)$/;
const NUMBER = /^[-+]?\d+([.,]\d+)?$/;
const SPACES_OF_NUMBERS = /(?<=\d)[\u00a0\u202f](?=\d{3}(?!\d))/g;

/**
 * A cell of a table as spreadsheets take it: numbers bare, text that is no formula.
 * @param {string} text
 * @param {string} separator
 */
export function csvCell(text, separator) {
  const plain = text.replace(SPACES_OF_NUMBERS, "").replace(/[\u00a0\u202f]/g, " ").replace(/\s+/g, " ").trim();
  const bare = UNIT.exec(plain) ? plain.replace(UNIT, "$1") : plain;
  if (NUMBER.test(bare)) return bare;
  const safe = FORMULA.test(text) || FORMULA.test(plain) ? "'" + plain : plain;
  return safe.includes(separator) || safe.includes('"') ? '"' + safe.replace(/"/g, '""') + '"' : safe;
}

/**
 * Rows of a table of the page as CSV, as offices of the language open it: "," separates decimals in
 * French, so ";" does columns. What a column counts in is said in its heading.
 * @param {string[][]} rows the headings first
 * @param {string} locale
 */
export function csvOf(rows, locale) {
  const separator = (1.5).toLocaleString(locale).includes(",") ? ";" : ",";
  const [heads, ...body] = rows;
  const named = heads.map((head, i) => {
    const units = new Set(body.map((row) => UNIT.exec((row[i] || "").trim())).map((found) => found && found[2]));
    const [unit] = [...units].filter(Boolean);
    return unit ? head + " (" + unit + ")" : head;
  });
  const lines = [named, ...body].map((row) => row.map((text) => csvCell(text, separator)).join(separator));
  // The mark by which a spreadsheet knows the encoding.
  return "\ufeff" + lines.join("\r\n") + "\r\n";
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function save(blob, name) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/**
 * A name for a file, of letters and digits alone.
 * @param {(string | number)[]} parts
 */
export const fileName = (...parts) =>
  parts
    .join(" ")
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 80) || "carte";

export class Send {
  /**
   * @param {L.Map} map
   * @param {Words} words
   * @param {() => string} address of what is shown, from "#" on
   */
  constructor(map, words, address) {
    this.map = map;
    this.words = words;
    this.address = address;
    this.link = /** @type {HTMLInputElement} */ (byId("send-address"));
    byId("send-link").addEventListener("click", () => this.copy());
    byId("send-picture").addEventListener("click", () => this.picture());
    byId("send-table").addEventListener("click", () => this.table());
  }

  /** @param {string} key */
  say(key) {
    byId("send-said").textContent = this.words.say(key);
  }

  /* What is shown, in a few words: the name of a file. */
  name() {
    const title = byId("legend-title").textContent || "";
    const place = document.querySelector(".top .place");
    return fileName((place && place.textContent) || "", title);
  }

  async copy() {
    const { protocol } = window.location;
    const link = window.location.href.split("#")[0] + this.address();
    this.link.value = link;
    const copied = await this.written(link);
    // Where nothing may be copied, the address is there to be taken by hand.
    this.link.hidden = copied;
    if (!copied) this.link.select();
    this.say(!copied ? "send_by_hand" : protocol === "file:" ? "send_copied_file" : "send_copied");
  }

  /** @param {string} text */
  async written(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false;
    }
  }

  async picture() {
    const canvas = drawPicture(this.map, this.words);
    const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ done) => canvas.toBlob(done, "image/png"));
    if (blob) save(blob, this.name() + ".png");
    this.say(blob ? "send_saved" : "send_failed");
  }

  table() {
    const rows = [...document.querySelectorAll("#table tr")].map((row) =>
      [...row.children].map((cell) => cell.textContent || "")
    );
    if (rows.length < 2) return this.say("send_no_table");
    const text = csvOf(rows, this.words.locale);
    save(new Blob([text], { type: "text/csv;charset=utf-8" }), this.name() + ".csv");
    return this.say("send_saved");
  }
}
