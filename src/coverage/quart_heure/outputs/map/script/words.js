/* Words and numbers in the form of the page's language. */

/** @import { Said } from "./types.js" */

export class Words {
  /** @param {Said} said */
  constructor(said) {
    this.said = said;
    this.locale = said.words.locale;
    /** @type {Map<number, Intl.NumberFormat>} */
    this.formats = new Map();
    this.plurals = new Intl.PluralRules(this.locale);
  }

  /**
   * @param {string} key
   * @param {Record<string, string | number>} [values]
   */
  say(key, values) {
    return this.said.words[key].replace(/\{(\w+)\}/g, (whole, name) =>
      values && name in values ? String(values[name]) : whole
    );
  }

  /**
   * The word for n things: `key_zero` or `key_one` where there is one and n asks for it.
   * @param {string} key
   * @param {number | null} n
   */
  count(key, n) {
    const { words } = this.said;
    const special = n === 0 && key + "_zero" in words ? key + "_zero" : key + "_" + this.plurals.select(n ?? NaN);
    return this.say(special in words ? special : key, { n: this.number(n) });
  }

  /**
   * @param {number | null | undefined} value
   * @param {number} [decimals]
   */
  number(value, decimals) {
    if (value === null || value === undefined) return this.say("unknown");
    const digits = decimals || 0;
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    const form = this.formats.get(digits) || new Intl.NumberFormat(this.locale, options);
    this.formats.set(digits, form);
    return form.format(value);
  }

  /**
   * At most one decimal, and none that is zero: 15, 12,5.
   * @param {number} value
   */
  short(value) {
    return this.number(value, value % 1 ? 1 : 0);
  }

  /** @param {number | null} value */
  percent(value) {
    return value === null ? this.say("unknown") : this.say("percent", { n: this.number(value, 1) });
  }

  /** @param {number | null} value */
  minutes(value) {
    return value === null ? this.say("unknown") : this.say("minutes", { n: this.number(value) });
  }
}
