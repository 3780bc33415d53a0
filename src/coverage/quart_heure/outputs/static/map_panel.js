/* The panel beside the map: it says in words and figures what the map shows. */
"use strict";

(function (qh) {
  const { el, byId, colours } = qh;

  const LIST_START = 12;

  const kindOf = (service) => (service.left_out ? "left" : service.outside ? "out" : "in");

  qh.Panel = class {
    /* `visit.gap` and `visit.service` are called with what is chosen and the button it is chosen by. */
    constructor(data, words, layers, visit) {
      Object.assign(this, { data, words, layers, visit });
    }

    write(view) {
      this.view = view;
      this.writeSummary(view);
      this.writeLegend(view);
      this.writeGaps(view);
      this.writeServices(view);
      this.writeTable(view);
    }

    viewLabel(view) {
      return view.kind === "composite" ? this.words.say("composite_label") : view.label;
    }

    writeSummary(view) {
      const { words, data } = this;
      const values = { minutes: words.short(data.threshold), gaps: this.gapsInWords(view), n: data.total_word };
      let text;
      if (view.kind === "composite") {
        text = words.say("summary_composite", values);
      } else if (view.counted === 0) {
        text = words.say("summary_none", values);
      } else {
        const city = view.rows.find((row) => row.city);
        const share = city.values[data.residents ? 1 : 3];
        text = words.say(data.residents ? "summary_residents" : "summary_area", {
          ...values,
          share: words.percent(share),
        });
        if (view.withheld) text += " " + words.say("withheld");
      }
      byId("summary").textContent = text;
      byId("now").textContent = this.viewLabel(view);
      byId("now-folded").textContent = this.viewLabel(view);
    }

    gapsInWords(view) {
      const { words } = this;
      const gaps = words.count("gaps_count", view.gaps.length);
      if (!this.data.residents || view.gaps.length === 0) return gaps;
      const people = view.gaps.reduce((sum, gap) => sum + (gap.residents || 0), 0);
      return words.say("gaps_inhabited", { gaps, residents: words.number(people) });
    }

    writeLegend(view) {
      const { words, data } = this;
      const composite = view.kind === "composite";
      const minutes = words.short(data.threshold);
      const values = { minutes, n: data.total_word, ha: words.short(data.gap_ha), category: view.label };
      byId("legend-title").textContent = words.say(composite ? "legend_composite" : "legend_category", values);
      byId("legend-ramp").replaceChildren(
        ...this.rampEntries(view).map(([colour, text]) => el("li", {}, qh.swatch(colour), text))
      );
      const entries = [[qh.swatch(colours.paper), words.say(composite ? "none_near" : "beyond_near", values)]];
      if (view.gaps.length) {
        entries.push([qh.swatch("gap"), words.say(composite ? "beyond_none" : "beyond", values)]);
      }
      entries.push([qh.swatch(colours.offNetwork), words.say("off_network")], ...this.serviceEntries(view));
      byId("legend-list").replaceChildren(
        ...entries.map(([mark, text]) => el("li", {}, mark, el("span", {}, text)))
      );
    }

    /* From little to much, as the eye reads: fewest minutes first, fewest services first. */
    rampEntries(view) {
      const { words } = this;
      const shades = this.layers.levelColours(view);
      if (view.kind === "composite") {
        return shades.map((shade, i) => [shade, words.say("reach_n", { n: i + 1 })]);
      }
      const levels = view.levels.map((level, i) => ({ to: words.short(level.minutes), shade: shades[i] })).reverse();
      return levels.map(({ to, shade }, i) => [
        shade,
        i === 0 ? words.say("within", { minutes: to }) : words.say("between", { from: levels[i - 1].to, to }),
      ]);
    }

    serviceEntries(view) {
      const { words } = this;
      const services = this.layers.servicesOf(view);
      if (services.length === 0) return [];
      if (view.kind === "composite") return [[qh.dot(colours.ink, "in"), words.say("service_any")]];
      const kinds = { in: "service_in", out: "service_out", left: "service_left" };
      return Object.entries(kinds)
        .filter(([kind]) => services.some((service) => kindOf(service) === kind))
        .map(([kind, key]) => [qh.dot(view.colour, kind), words.say(key)]);
    }

    writeGaps(view) {
      const { words, data } = this;
      byId("gaps-title").textContent = words.say("gaps_list", { n: words.number(view.gaps.length) });
      byId("gaps-order").textContent = words.say(data.residents ? "gaps_order" : "gaps_order_area");
      byId("gaps-order").hidden = view.gaps.length === 0;
      const list = byId("gaps-list");
      const more = byId("gaps-more");
      const item = (gap) => el("li", {}, this.gapButton(gap));
      list.replaceChildren(...view.gaps.slice(0, LIST_START).map(item));
      more.hidden = view.gaps.length <= LIST_START;
      more.textContent = words.say("gap_all_shown", { n: words.number(view.gaps.length) });
      more.onclick = () => {
        list.append(...view.gaps.slice(LIST_START).map(item));
        more.hidden = true;
        list.children[LIST_START].querySelector("button").focus();
      };
    }

    /* A line of a list: a mark, a name, and the facts below it. */
    placeButton(mark, name, facts, onclick) {
      return el(
        "button",
        { type: "button", onclick: (event) => onclick(event.currentTarget) },
        mark,
        el(
          "span",
          {},
          el("strong", { dir: "auto" }, name),
          el("span", { class: "facts", dir: "auto" }, facts.filter(Boolean).join(" · "))
        )
      );
    }

    gapButton(gap) {
      const { words, data } = this;
      const size = data.residents
        ? words.count("residents_count", gap.residents)
        : words.say("area_ha", { n: words.number(gap.area_ha, 0) });
      const facts = [qh.isLarge(gap) ? "" : qh.districtsOf(words, gap), size];
      if (gap.minutes[1] !== null) facts.push(words.minutes(gap.minutes[1]));
      const mark = el("span", { class: "rank" }, String(gap.rank));
      return this.placeButton(mark, qh.placeOf(words, gap), facts, (from) => this.visit.gap(gap, from));
    }

    writeServices(view) {
      const { words } = this;
      const services = this.layers.servicesOf(view);
      byId("services-title").textContent = words.say("services_list", { n: words.number(services.length) });
      byId("services-none").hidden = services.length > 0;
      const collator = new Intl.Collator(words.table.locale);
      const ordered = [...services].sort((a, b) => collator.compare(a.name || "", b.name || ""));
      byId("services-list").replaceChildren(
        ...ordered.map((service) => el("li", {}, this.serviceButton(service)))
      );
    }

    serviceButton(service) {
      const { words } = this;
      const category = this.layers.viewOf(service.category);
      const facts = [
        service.address,
        service.left_out ? words.say("not_counted", { reason: service.left_out }) : "",
        this.view.kind === "composite" ? category.label : "",
      ];
      const mark = qh.dot(category.colour, kindOf(service));
      const name = service.name || words.say("unnamed");
      return this.placeButton(mark, name, facts, (from) => this.visit.service(service, from));
    }

    writeTable(view) {
      const { words, data } = this;
      const minutes = words.short(data.threshold);
      const composite = view.kind === "composite";
      const ending = composite && !data.residents ? "_area" : "";
      const caption = composite ? "table_caption_composite" + ending : "table_caption_category";
      const columns = composite ? this.compositeColumns(view) : this.categoryColumns();
      const heading = el("th", { scope: "col" }, el("span", { class: "for-readers" }, words.table.district));
      const headings = columns.map((column) => el("th", { scope: "col" }, column.title));
      const line = (row) =>
        el(
          "tr",
          { class: row.city ? "city" : "" },
          el("th", { scope: "row", dir: "auto" }, row.label),
          ...columns.map((column) => el("td", {}, column.form(row.values[column.at])))
        );
      byId("table").replaceChildren(
        el(
          "table",
          {},
          el("caption", {}, words.say(caption, { category: view.label, minutes })),
          el("thead", {}, el("tr", {}, heading, ...headings)),
          el("tbody", {}, ...view.rows.map(line))
        )
      );
    }

    compositeColumns(view) {
      const form = (value) => this.words.percent(value === null ? 0 : value);
      return Array.from({ length: view.total + 1 }, (_, n) => ({ title: String(n), at: n, form }));
    }

    categoryColumns() {
      const { words, data } = this;
      const whole = (value) => words.number(value);
      const share = (value) => words.percent(value);
      const all = [
        { key: "column_services", at: 0, form: whole },
        { key: "column_residents_share", at: 1, form: share, people: true },
        { key: "column_residents_beyond", at: 2, form: whole, people: true },
        { key: "column_area_share", at: 3, form: share },
        { key: "column_median", at: 4, form: (value) => words.minutes(value) },
        { key: "column_gaps", at: 5, form: whole },
      ];
      return all
        .filter((column) => data.residents || !column.people)
        .map((column) => ({ ...column, title: words.say(column.key) }));
    }
  };
})(window.quartHeure);
