/* Figures: the sentence and the table that say what the map shows, at every threshold and hour. */

/** @import { CategoryFigures, CategoryFiguresAt, CategoryView, CompositeView, Ends, PageData, View } from "./types.js" */
/** @import { Hours } from "./hours.js" */
/** @import { Effective } from "./scene.js" */
/** @import { Words } from "./words.js" */

/** @typedef {Pick<Effective, "minutes" | "hour">} When */

/**
 * A column of the table: `key` names its title, `text` is what row i says.
 * @typedef {{ key: string, title: string, text: (i: number) => string }} TableColumn
 */

import { hourName } from "./hours.js";
import { byId, el } from "./page.js";
import { countedCategories, isJudged } from "./scene.js";

/** Ends of a share, least and most. @typedef {[number | null, number | null]} Range */

export class Figures {
  /**
   * @param {PageData} data
   * @param {Words} words
   * @param {Hours} hours
   */
  constructor(data, words, hours) {
    this.data = data;
    this.words = words;
    this.hours = hours;
    /** The row that is looked at: a district, or the last one. */
    this.row = data.rows.length - 1;
    /** @type {(row: number | null) => void} */
    this.choose = () => {};
  }

  /**
   * What a column says of the row that is looked at.
   * @template T
   * @param {T[]} column
   */
  here(column) {
    return column[this.row];
  }

  /**
   * The word for figures of residents, or of area where residents are not known.
   * @param {string} key
   */
  of(key) {
    return this.data.residents ? key : key + "_area";
  }

  /**
   * The table of a category at a threshold, as far as it is told there.
   * @param {CategoryView} view
   * @param {number} minutes
   * @returns {CategoryFigures | CategoryFiguresAt}
   */
  at(view, minutes) {
    return view.figures_at.find((one) => one.minutes === minutes) || view.figures;
  }

  /**
   * Of each row, the shares by number of essential services within reach.
   * @param {CompositeView} view
   * @param {When} when
   */
  shares(view, { minutes, hour }) {
    if (hour !== null) return this.hours.shares(hour);
    const there = view.shares_at.find((one) => one.minutes === minutes);
    return there ? there.shares_pct : view.shares_pct;
  }

  /**
   * The exact figure in words.
   * @param {View} view
   * @param {Effective} effective
   */
  sentence(view, effective) {
    const { words, data } = this;
    const values = { minutes: words.short(effective.minutes), n: data.said.total_word };
    if (view.kind === "composite") {
      const shares = this.here(this.shares(view, effective)) || [];
      const asked = effective.hour !== null || effective.ranged;
      const said = { ...values, share: words.percent(shares[shares.length - 1] ?? null), any: this.anyText(view, effective) };
      return words.say(this.of(asked ? "summary_composite_sure" : "summary_composite"), said);
    }
    if (!isJudged(view)) return "";
    const share = this.shareText(view, effective);
    const hour = effective.hour === null ? "" : hourName(words, effective.hour);
    return words.say(this.of(effective.hour === null ? "summary" : "summary_hour"), { ...values, share, hour });
  }

  /**
   * The share that has at least one of the essential services.
   * @param {CompositeView} view
   * @param {Effective} effective
   */
  anyText(view, effective) {
    const { hour, ranged } = effective;
    const ends = hour !== null ? this.hours.anyOf(hour) : ranged && view.ends ? view.ends : null;
    if (ends) return this.rangeText([this.here(ends.at_least_pct), this.here(ends.at_most_pct)]);
    return this.words.percent(100 - ((this.here(this.shares(view, effective)) || [])[0] || 0));
  }

  /**
   * The share that a category covers, at least and at most; null where it is not known.
   * @param {CategoryView} view
   * @param {When & { ranged?: boolean }} when
   * @param {number} [row]
   * @returns {Range}
   */
  range(view, { minutes, hour }, row = this.row) {
    if (!isJudged(view)) return [null, null];
    if (hour !== null) {
      if (!this.hours.has(view.id)) return [null, null];
      const ends = this.hours.ends(view.id, hour);
      return [ends.at_least_pct[row], ends.at_most_pct[row]];
    }
    if (view.ends && minutes === this.data.threshold_min) {
      return [view.ends.at_least_pct[row], view.ends.at_most_pct[row]];
    }
    const { residents_covered_pct: people, covered_pct: area } = this.at(view, minutes);
    const share = (this.data.residents ? people : area)[row];
    return [share, share];
  }

  /**
   * "12,3 %", or "9–40 %" where there are two ends; nothing known is not nothing.
   * @param {Range} range
   */
  rangeText([least, most]) {
    const { words } = this;
    if (least === null || most === null || least === most) return words.percent(least);
    const [low, high] = [least, most].map((end) => this.whole(end));
    return low === high ? words.percent(least) : words.say("percent", { n: low + "–" + high });
  }

  /**
   * Per cent in whole numbers, as the report has them: what is little is not nothing.
   * @param {number} share
   */
  whole(share) {
    if (share > 0 && share <= 0.5) return "<" + this.words.number(1);
    if (share < 100 && share >= 99.5) return ">" + this.words.number(99);
    return this.words.number(share);
  }

  /**
   * The share that a category covers, as it is written; as the report writes it, where it does.
   * @param {CategoryView} view
   * @param {When} when
   */
  shareText(view, when) {
    const range = this.range(view, when);
    const standard = when.hour === null && when.minutes === this.data.threshold_min;
    const told = standard && this.row === this.data.rows.length - 1 && range[0] !== range[1] && view.ends_told;
    return told ? this.words.say("percent", { n: told }) : this.rangeText(range);
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   */
  write(view, effective) {
    const { words, data } = this;
    const composite = view.kind === "composite";
    const columns = composite ? this.compositeColumns(view, effective) : this.categoryColumns(view, effective);
    const heading = el("th", { scope: "col" }, el("span", { class: "for-readers" }, words.say("district")));
    const headings = columns.map((column) => el("th", { scope: "col" }, column.title));
    const last = data.rows.length - 1;
    const chosen = (/** @type {number} */ i) => (i === this.row && i < last ? "mine" : "");
    const lines = data.rows.map((label, i) =>
      el(
        "tr",
        { class: i === last ? "city" : chosen(i), ...(chosen(i) ? { "aria-current": "true" } : {}) },
        el("th", { scope: "row", dir: "auto" }, this.rowName(label, i)),
        ...columns.map((column) => el("td", {}, column.text(i)))
      )
    );
    const caption = words.say(this.caption(composite, effective), {
      category: composite ? "" : view.label,
      minutes: words.short(effective.minutes),
      hour: effective.hour === null ? "" : hourName(words, effective.hour),
    });
    byId("table").replaceChildren(
      el(
        "table",
        {},
        el("caption", {}, caption),
        el("thead", {}, el("tr", {}, heading, ...headings)),
        el("tbody", {}, ...lines)
      ),
      ...this.tableNotes(view, columns).map((note) => el("p", { class: "hint" }, note))
    );
  }

  /**
   * The name of a row; a district is chosen by it.
   * @param {string} label
   * @param {number} i
   */
  rowName(label, i) {
    if (i >= this.data.ground.districts.length) return label;
    return el("button", { type: "button", class: "link", dir: "auto", onclick: () => this.choose(i) }, label);
  }

  /**
   * Why the rows of a table do not add up to its last one.
   * @param {View} view
   * @param {TableColumn[]} columns
   */
  tableNotes(view, columns) {
    const { words } = this;
    /** @param {string} key */
    const has = (key) => columns.some((column) => column.key === key);
    const notes = [];
    if (view.kind === "category" && view.anchored && has("column_services")) notes.push(words.say("anchored"));
    if (this.data.rows.length > 2 && has("column_gaps")) {
      notes.push(words.say("gaps_shared", { district: words.say("district").toLowerCase() }));
    }
    return notes;
  }

  /**
   * @param {boolean} composite
   * @param {Effective} effective
   */
  caption(composite, effective) {
    if (effective.hour !== null) return this.of(composite ? "table_caption_composite_hour" : "table_caption_hour");
    if (effective.ranged) return this.of(composite ? "table_caption_composite_sure" : "table_caption_range");
    return composite ? this.of("table_caption_composite") : "table_caption_category";
  }

  /**
   * @param {CompositeView} view
   * @param {Effective} effective
   * @returns {TableColumn[]}
   */
  compositeColumns(view, effective) {
    const shares = this.shares(view, effective);
    const total = countedCategories(this.data, view, effective).length;
    return Array.from({ length: total + 1 }, (_, n) => ({
      key: "",
      title: String(n),
      text: (i) => this.words.percent(shares[i][n] || 0),
    }));
  }

  /**
   * @param {CategoryView} view
   * @param {Effective} effective
   */
  categoryColumns(view, effective) {
    const ends = effective.hour !== null ? this.hours.ends(view.id, effective.hour) : effective.ranged && view.ends;
    return ends ? this.endsColumns(ends) : this.figuresColumns(view, effective);
  }

  /** @param {Ends} ends */
  endsColumns(ends) {
    const columns = [this.percents("column_at_least", ends.at_least_pct), this.percents("column_at_most", ends.at_most_pct)];
    if (!this.data.residents) return columns;
    return [
      ...columns,
      this.numbers("column_residents_at_least", ends.residents_at_least),
      this.numbers("column_residents_at_most", ends.residents_at_most),
    ];
  }

  /**
   * @param {CategoryView} view
   * @param {Effective} effective
   */
  figuresColumns(view, effective) {
    const { figures, anchored } = view;
    const there = this.at(view, effective.minutes);
    const services = figures.services_inside;
    const last = services.length - 1;
    const columns = [this.numbers("column_services", services)];
    // A district may count a discreet place for the one next door.
    if (anchored) columns[0].text = (i) => this.words.number(services[i]) + (i < last ? "*" : "");
    if (this.data.residents) {
      columns.push(
        this.percents("column_residents_share", there.residents_covered_pct),
        this.numbers("column_residents_beyond", there.residents_beyond)
      );
    }
    columns.push(
      this.percents("column_area_share", there.covered_pct),
      this.column("column_median", figures.minutes_median, (value) => this.words.minutes(value))
    );
    // Gaps, and what another pace makes of a share, are those of the study's threshold.
    if (effective.standard) {
      const pace = { key: "column_pace", title: this.words.say("column_pace"), text: this.paces(figures) };
      columns.splice(this.data.residents ? 2 : 1, 0, pace);
      columns.push(this.numbers("column_gaps", figures.gaps_touching));
    }
    return columns;
  }

  /**
   * What a share is for who walks a tenth slower, and faster.
   * @param {CategoryFigures} figures
   * @returns {(i: number) => string}
   */
  paces({ slow_pct: slow, fast_pct: fast }) {
    return (i) => {
      const ends = [slow[i], fast[i]].map((end) => this.words.number(end));
      return ends[0] === ends[1] ? ends[0] : ends.join("–");
    };
  }

  /**
   * @param {string} key
   * @param {(number | null)[]} values
   * @param {(value: number | null) => string} form
   * @returns {TableColumn}
   */
  column(key, values, form) {
    return { key, title: this.words.say(key), text: (i) => form(values[i]) };
  }

  /**
   * @param {string} key
   * @param {(number | null)[]} values
   */
  numbers(key, values) {
    return this.column(key, values, (value) => this.words.number(value));
  }

  /**
   * @param {string} key
   * @param {(number | null)[]} values
   */
  percents(key, values) {
    return this.column(key, values, (value) => this.words.percent(value));
  }
}
