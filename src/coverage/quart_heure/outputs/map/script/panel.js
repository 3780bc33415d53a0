/* The panel beside the map: it says in words and figures what the map shows. */
"use strict";

(function (qh) {
  const { el, byId } = qh;

  const LIST_START = 12;

  qh.Panel = class {
    /* `visit.gap` and `visit.service` are called with what is chosen and the button it is chosen by. */
    constructor(data, words, layers, hours, visit) {
      Object.assign(this, { data, words, layers, visit });
      this.figures = new qh.Figures(data, words, hours);
    }

    write(view, effective) {
      const another = this.view !== view;
      this.view = view;
      this.effective = effective;
      this.writeSummary(view, effective);
      this.figures.write(view, effective);
      if (!another) return; // the lists stay as they were read
      this.writeGaps(view);
      this.writeServices(view);
    }

    viewLabel(view) {
      return view.kind === "composite" ? this.words.say("composite_label") : view.label;
    }

    writeSummary(view, effective) {
      const sentences = [this.figures.sentence(view, effective)];
      if (effective.standard) sentences.push(this.gapsInWords(view) + ".");
      byId("summary").textContent = sentences.filter(Boolean).join(" ");
      const notes = this.notes(view, effective);
      byId("notes").replaceChildren(...notes.map((note) => el("p", {}, note)));
      byId("now").textContent = this.viewLabel(view);
      byId("now-folded").textContent = this.viewLabel(view);
      byId("gaps-order").textContent = this.gapsOrder(effective);
    }

    /* What one has to know to read the map right. */
    notes(view, effective) {
      const { words, data } = this;
      const minutes = words.short(data.threshold);
      const notes = [];
      if (effective.untimed) notes.push(words.say("note_untimed"));
      if (view.range && effective.hour === null && !effective.standard) notes.push(words.say("note_sure", { minutes }));
      if (view.withheld) notes.push(words.say("withheld", { minutes }));
      if (view.rounded) notes.push(words.say("note_rounded", { step: data.round_min }));
      if (view.kind === "composite") {
        const counted = qh.countedCategories(data, view, effective);
        const left = qh.essentials(data).filter((one) => !counted.includes(one.id));
        if (left.length) notes.push(words.say("note_left", { names: left.map((one) => one.label).join(", "), minutes }));
      }
      return notes;
    }

    gapsOrder(effective) {
      const { words, data } = this;
      const order = words.say(data.residents ? "gaps_order" : "gaps_order_area");
      if (effective.standard) return order;
      return words.say("gaps_standard", { minutes: words.short(data.threshold) }) + " " + order;
    }

    gapsInWords(view) {
      const { words } = this;
      const gaps = words.count("gaps_count", view.gaps.length);
      if (!this.data.residents || view.gaps.length === 0) return gaps;
      const people = view.gaps.reduce((sum, gap) => sum + (gap.residents || 0), 0);
      return words.say("gaps_inhabited", { gaps, residents: words.number(people) });
    }

    writeGaps(view) {
      const { words } = this;
      byId("gaps-title").textContent = words.say("gaps_list", { n: words.number(view.gaps.length) });
      byId("gaps-order").hidden = view.gaps.length === 0;
      const list = byId("gaps-list");
      const more = byId("gaps-more");
      const item = (gap) => el("li", {}, this.gapButton(gap));
      list.replaceChildren(...view.gaps.slice(0, LIST_START).map(item));
      more.hidden = view.gaps.length <= LIST_START;
      more.textContent = words.say("gap_all_shown", { n: words.number(view.gaps.length) });
      this.showAll = () => {
        if (!more.hidden) list.append(...view.gaps.slice(LIST_START).map(item));
        more.hidden = true;
      };
      more.onclick = () => {
        this.showAll();
        list.children[LIST_START].querySelector("button").focus();
      };
    }

    /* The line of a gap in the list, in view and with the keyboard. */
    findGap(gap) {
      byId("gaps-title").parentElement.open = true;
      if (gap.rank > LIST_START) this.showAll();
      const button = byId("gaps-list").children[gap.rank - 1].querySelector("button");
      button.scrollIntoView({ block: "center" });
      button.focus({ preventScroll: true });
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
      const median = gap.minutes[1];
      if (median !== null) facts.push(this.view.rounded ? words.say("here_at_most", { n: median }) : words.minutes(median));
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
      const shape = qh.shapeOf(this.data, service.category);
      const mark = qh.mark(category.colour, shape, qh.kindOf(service, null, null));
      const name = service.name || words.say("unnamed");
      return this.placeButton(mark, name, facts, (from) => this.visit.service(service, from));
    }
  };
})(window.quartHeure);
