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
import { countedCategories } from "./scene.js";

/**
 * The last of a column is of the whole area.
 * @template T
 * @param {T[]} column
 */
const whole = (column) => column[column.length - 1];

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
   * The share of the whole area that a category covers at a threshold.
   * @param {CategoryView} view
   * @param {number} minutes
   */
  shareAt(view, minutes) {
    const { residents_covered_pct: people, covered_pct: area } = this.at(view, minutes);
    return whole(this.data.residents ? people : area);
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
   * The main figure of the whole area in words.
   * @param {View} view
   * @param {Effective} effective
   */
  sentence(view, effective) {
    const { words, data } = this;
    const values = { minutes: words.short(effective.minutes), n: data.said.total_word };
    if (effective.ranged && view.ends) return this.range(view.kind === "composite", view.ends, values);
    if (view.kind === "composite") {
      if (effective.standard) return words.say("summary_composite", values);
      const [none] = whole(this.shares(view, effective));
      const share = words.percent(100 - (none || 0));
      if (effective.hour === null) return words.say(this.of("summary_composite_at"), { ...values, share });
      const hour = hourName(words, effective.hour);
      return words.say(this.of("summary_composite_hour"), { ...values, share, hour });
    }
    if (view.counted === 0) return words.say("summary_none", values);
    if (effective.hour === null) return this.shareSaid(this.shareAt(view, effective.minutes), values);
    const { at_least_pct: leasts, at_most_pct: mosts } = this.hours.ends(view.id, effective.hour);
    const [least, most] = [whole(leasts), whole(mosts)];
    const said = { hour: hourName(words, effective.hour), least: words.percent(least), most: words.percent(most) };
    return words.say(this.of(least === most ? "summary_hour" : "summary_hour_perhaps"), { ...values, ...said });
  }

  /**
   * @param {number | null} share
   * @param {Record<string, string>} values
   */
  shareSaid(share, values) {
    const key = this.data.residents ? "summary_residents" : "summary_area";
    return this.words.say(key, { ...values, share: this.words.percent(share) });
  }

  /**
   * From what is sure to what is so at most, of the whole area.
   * @param {boolean} composite
   * @param {Ends} ends
   * @param {Record<string, string>} values
   */
  range(composite, ends, values) {
    const { words } = this;
    const [least, most] = [whole(ends.at_least_pct), whole(ends.at_most_pct)];
    const told = { ...values, share: words.percent(least), least: words.percent(least), most: words.percent(most) };
    let said;
    if (least !== most) said = words.say(this.of(composite ? "summary_range_any" : "summary_range"), told);
    else if (composite) said = words.say(this.of("summary_composite_at"), told);
    else said = this.shareSaid(least, values);
    return composite ? said + " " + words.say("summary_range_none", values) : said;
  }

  /**
   * The share of the whole area that a category covers; null where it is not told.
   * @param {CategoryView} view
   * @param {When} when
   */
  share(view, { minutes, hour }) {
    if (hour !== null) return this.hours.has(view.id) ? whole(this.hours.ends(view.id, hour).at_least_pct) : null;
    return this.shareAt(view, minutes);
  }

  /**
   * The same share as it is written: from what is sure to what is so at most.
   * @param {CategoryView} view
   * @param {When} when
   */
  shareText(view, when) {
    const { words, data } = this;
    const { ends, ends_told: told } = view;
    if (!ends || when.hour !== null || when.minutes !== data.threshold_min) return words.percent(this.share(view, when));
    const [least, most] = [whole(ends.at_least_pct), whole(ends.at_most_pct)];
    return least === most || !told ? words.percent(least) : words.say("percent", { n: told });
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
    const lines = data.rows.map((label, i) =>
      el(
        "tr",
        { class: i === last ? "city" : "" },
        el("th", { scope: "row", dir: "auto" }, label),
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
