/* Figures: the sentence and the table that say what the map shows, at every threshold and hour. */
"use strict";

(function (qh) {
  const { el, byId } = qh;

  const SHARE = 1; // positions in the rows of a category
  const BEYOND = 2;
  const AREA = 3;

  qh.Figures = class {
    constructor(data, words, hours) {
      Object.assign(this, { data, words, hours });
    }

    /* The word for figures of residents, or of area where residents are not known. */
    of(key) {
      return this.data.residents ? key : key + "_area";
    }

    /* The main figure of the whole area in words. */
    sentence(view, effective) {
      const { words, data } = this;
      const values = { minutes: words.short(effective.minutes), n: data.total_word };
      if (effective.ranged) return this.range(view, values);
      if (view.kind === "composite") {
        if (effective.standard) return words.say("summary_composite", values);
        const share = words.percent(100 - this.rows(view, effective).at(-1)[0]);
        if (effective.hour !== null) {
          return words.say(this.of("summary_composite_hour"), { ...values, share, hour: qh.hourName(words, effective.hour) });
        }
        return words.say(this.of("summary_composite_at"), { ...values, share });
      }
      if (view.counted === 0) return words.say("summary_none", values);
      if (effective.hour !== null) {
        const [least, most] = this.hours.rows(view.id, effective.hour).at(-1);
        const hour = qh.hourName(words, effective.hour);
        return words.say(this.of(least === most ? "summary_hour" : "summary_hour_perhaps"), {
          ...values,
          hour,
          least: words.percent(least),
          most: words.percent(most),
        });
      }
      const share = this.rows(view, effective).at(-1)[data.residents ? SHARE : AREA];
      return words.say(data.residents ? "summary_residents" : "summary_area", { ...values, share: words.percent(share) });
    }

    /* From what is sure to what is so at most, of the whole area. */
    range(view, values) {
      const { words } = this;
      const [least, most] = view.range.at(-1);
      const composite = view.kind === "composite";
      const told = { ...values, share: words.percent(least), least: words.percent(least), most: words.percent(most) };
      let said;
      if (least !== most) said = words.say(this.of(composite ? "summary_range_any" : "summary_range"), told);
      else if (composite) said = words.say(this.of("summary_composite_at"), told);
      else said = words.say(this.data.residents ? "summary_residents" : "summary_area", told);
      return composite ? said + " " + words.say("summary_range_none", values) : said;
    }

    /* The share of the whole area that a category covers; null where it is not told. */
    share(view, { minutes, hour }) {
      if (hour !== null) return this.hours.has(view.id) ? this.hours.rows(view.id, hour).at(-1)[0] : null;
      if (view.withheld && minutes !== this.data.threshold) return null;
      return this.rows(view, { minutes, hour }).at(-1)[this.data.residents ? SHARE : AREA];
    }

    /* The same share as it is written: from what is sure to what is so at most. */
    shareText(view, effective) {
      const { words, data } = this;
      const share = this.share(view, effective);
      if (!view.range || effective.hour !== null || effective.minutes !== data.threshold) return words.percent(share);
      const [least, most] = view.range.at(-1);
      return least === most ? words.percent(least) : words.say("percent", { n: view.range_told });
    }

    /* The values of each row, the whole area last. */
    rows(view, effective) {
      if (effective.hour !== null) {
        return view.kind === "category" ? this.hours.rows(view.id, effective.hour) : this.hours.counts(effective.hour);
      }
      if (effective.ranged && view.kind === "category") return view.range;
      const values = view.rows.map((row) => row.values);
      const found = qh.figuresAt(view, effective.minutes);
      if (!found) return values;
      if (view.kind === "composite") return found;
      return values.map((row, i) => {
        const changed = [...row];
        [changed[SHARE], changed[BEYOND], changed[AREA]] = found[i];
        return changed;
      });
    }

    write(view, effective) {
      const { words } = this;
      const composite = view.kind === "composite";
      const minutes = words.short(effective.minutes);
      const hour = effective.hour === null ? "" : qh.hourName(words, effective.hour);
      const columns = composite ? this.compositeColumns(view, effective) : this.categoryColumns(effective);
      const rows = this.rows(view, effective);
      const heading = el("th", { scope: "col" }, el("span", { class: "for-readers" }, words.table.district));
      const headings = columns.map((column) => el("th", { scope: "col" }, column.title));
      const starred = (column, row) => (column.key === "column_services" && view.uncounted && !row.city ? "*" : "");
      const line = (row, i) =>
        el(
          "tr",
          { class: row.city ? "city" : "" },
          el("th", { scope: "row", dir: "auto" }, row.label),
          ...columns.map((column) => el("td", {}, column.form(rows[i][column.at]) + starred(column, row)))
        );
      const caption = words.say(this.caption(composite, effective), { category: view.label, minutes, hour });
      byId("table").replaceChildren(
        el(
          "table",
          {},
          el("caption", {}, caption),
          el("thead", {}, el("tr", {}, heading, ...headings)),
          el("tbody", {}, ...view.rows.map(line))
        ),
        ...this.tableNotes(view, columns).map((note) => el("p", { class: "hint" }, note))
      );
    }

    /* Why the rows of a table do not add up to its last one. */
    tableNotes(view, columns) {
      const { words } = this;
      const has = (key) => columns.some((column) => column.key === key);
      const notes = [];
      if (view.uncounted && has("column_services")) notes.push(words.say("uncounted"));
      if (view.rows.length > 2 && has("column_gaps")) {
        notes.push(words.say("gaps_shared", { district: words.table.district.toLowerCase() }));
      }
      return notes;
    }

    caption(composite, effective) {
      if (effective.hour !== null) return this.of(composite ? "table_caption_composite_hour" : "table_caption_hour");
      if (effective.ranged) return this.of(composite ? "table_caption_composite_sure" : "table_caption_range");
      return composite ? this.of("table_caption_composite") : "table_caption_category";
    }

    compositeColumns(view, effective) {
      const form = (value) => this.words.percent(value === null ? 0 : value);
      const total = qh.countedCategories(this.data, view, effective).length;
      return Array.from({ length: total + 1 }, (_, n) => ({ title: String(n), at: n, form }));
    }

    categoryColumns(effective) {
      const { words, data } = this;
      const whole = (value) => words.number(value);
      const share = (value) => words.percent(value);
      const timed = effective.hour !== null || effective.ranged;
      const hourly = [
        { key: "column_at_least", at: 0, form: share },
        { key: "column_at_most", at: 1, form: share },
        { key: "column_residents_at_least", at: 2, form: whole, people: true },
        { key: "column_residents_at_most", at: 3, form: whole, people: true },
      ];
      const all = [
        { key: "column_services", at: 0, form: whole },
        { key: "column_residents_share", at: SHARE, form: share, people: true },
        { key: "column_residents_beyond", at: BEYOND, form: whole, people: true },
        { key: "column_area_share", at: AREA, form: share },
        { key: "column_median", at: 4, form: (value) => words.minutes(value) },
        { key: "column_gaps", at: 5, form: whole, standard: true },
      ];
      return (timed ? hourly : all)
        .filter((column) => data.residents || !column.people)
        .filter((column) => effective.standard || !column.standard)
        .map((column) => ({ ...column, title: words.say(column.key) }));
    }
  };
})(window.quartHeure);
