/* Words and numbers in the form of the page's language, and elements that hold them. */
"use strict";

var quartHeure = window.quartHeure || {};

(function (qh) {
  /* Text is only ever set as text: no value of the data is read as HTML. */
  qh.el = function (tag, options, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(options || {})) {
      if (key === "class") node.className = value;
      else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child !== null && child !== ""));
    return node;
  };

  qh.byId = (id) => document.getElementById(id);

  qh.Words = class {
    constructor(table) {
      this.table = table;
      this.formats = new Map();
      this.plurals = new Intl.PluralRules(table.locale);
    }

    say(key, values) {
      return this.table[key].replace(/\{(\w+)\}/g, (whole, name) =>
        values && name in values ? String(values[name]) : whole
      );
    }

    /* The word for n things: `key_zero` or `key_one` where the table has them and n asks for it. */
    count(key, n) {
      const special = n === 0 && key + "_zero" in this.table ? key + "_zero" : key + "_" + this.plurals.select(n);
      return this.say(special in this.table ? special : key, { n: this.number(n) });
    }

    number(value, decimals) {
      if (value === null || value === undefined) return this.table.unknown;
      const digits = decimals || 0;
      if (!this.formats.has(digits)) {
        const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
        this.formats.set(digits, new Intl.NumberFormat(this.table.locale, options));
      }
      return this.formats.get(digits).format(value);
    }

    /* At most one decimal, and none that is zero: 15, 12,5. */
    short(value) {
      return this.number(value, value % 1 ? 1 : 0);
    }

    percent(value) {
      return value === null ? this.table.unknown : this.say("percent", { n: this.number(value, 1) });
    }

    minutes(value) {
      return value === null ? this.table.unknown : this.say("minutes", { n: this.number(value) });
    }
  };
})(quartHeure);

window.quartHeure = quartHeure;
