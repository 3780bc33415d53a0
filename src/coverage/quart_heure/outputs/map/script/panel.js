/* The panel beside the map: it says in words and figures what the map shows. */

/** @import { Gap, PageData, Service, View } from "./types.js" */
/** @import { Hours } from "./hours.js" */
/** @import { Layers } from "./layers.js" */
/** @import { Effective } from "./scene.js" */
/** @import { Words } from "./words.js" */

/**
 * Called with what is chosen, and the button it is chosen by.
 * @typedef {{ gap: (gap: Gap, from: HTMLElement) => void, service: (service: Service, from: HTMLElement) => void }} Visit
 */

import { Figures } from "./figures.js";
import { kindOf, mark, shapeOf } from "./marks.js";
import { byId, control, el, part } from "./page.js";
import { districtsOf, isLarge, placeOf } from "./popups.js";
import { countedCategories, essentials } from "./scene.js";

const LIST_START = 12;

export class Panel {
  /**
   * @param {PageData} data
   * @param {Words} words
   * @param {Layers} layers
   * @param {Hours} hours
   * @param {Visit} visit
   */
  constructor(data, words, layers, hours, visit) {
    this.data = data;
    this.words = words;
    this.layers = layers;
    this.visit = visit;
    this.figures = new Figures(data, words, hours);
    /** @type {View | null} */
    this.view = null;
    this.showAll = () => {};
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   */
  write(view, effective) {
    const another = this.view !== view;
    this.view = view;
    this.writeSummary(view, effective);
    this.figures.write(view, effective);
    if (!another) return; // the lists stay as they were read
    this.writeGaps(view);
    this.writeServices(view);
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   */
  writeSummary(view, effective) {
    const sentences = [this.figures.sentence(view, effective)];
    if (effective.standard) sentences.push(this.gapsInWords(view) + ".");
    byId("summary").textContent = sentences.filter(Boolean).join(" ");
    const notes = this.notes(view, effective);
    byId("notes").replaceChildren(...notes.map((note) => el("p", {}, note)));
    const label = view.kind === "composite" ? this.words.say("composite_label") : view.label;
    byId("now").textContent = label;
    byId("now-folded").textContent = label;
    byId("gaps-order").textContent = this.gapsOrder(effective);
  }

  /**
   * What one has to know to read the map right.
   * @param {View} view
   * @param {Effective} effective
   */
  notes(view, effective) {
    const { words, data } = this;
    const minutes = words.short(data.threshold_min);
    const notes = [];
    if (effective.untimed) notes.push(words.say("note_untimed"));
    if (view.ends && effective.hour === null && !effective.standard) notes.push(words.say("note_sure", { minutes }));
    if (view.kind === "category" && view.anchored) notes.push(words.say("note_anchored"));
    if (view.kind === "composite") {
      const counted = countedCategories(data, view, effective);
      const left = essentials(data).filter((one) => !counted.includes(one.id));
      if (left.length) notes.push(words.say("note_left", { names: left.map((one) => one.label).join(", "), minutes }));
    }
    return notes;
  }

  /** @param {Effective} effective */
  gapsOrder(effective) {
    const { words, data } = this;
    const order = words.say(data.residents ? "gaps_order" : "gaps_order_area");
    if (effective.standard) return order;
    return words.say("gaps_standard", { minutes: words.short(data.threshold_min) }) + " " + order;
  }

  /** @param {View} view */
  gapsInWords(view) {
    const { words } = this;
    const gaps = words.count("gaps_count", view.gaps.length);
    if (!this.data.residents || view.gaps.length === 0) return gaps;
    const people = view.gaps.reduce((sum, gap) => sum + (gap.residents || 0), 0);
    return words.say("gaps_inhabited", { gaps, residents: words.number(people) });
  }

  /** @param {View} view */
  writeGaps(view) {
    const { words } = this;
    byId("gaps-title").textContent = words.say("gaps_list", { n: words.number(view.gaps.length) });
    byId("gaps-order").hidden = view.gaps.length === 0;
    const list = byId("gaps-list");
    const more = byId("gaps-more");
    /** @param {Gap} gap */
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
      part(list.children[LIST_START], "button").focus();
    };
  }

  /**
   * The line of a gap in the list, in view and with the keyboard.
   * @param {Gap} gap
   */
  findGap(gap) {
    control("gaps-details", HTMLDetailsElement).open = true;
    if (gap.rank > LIST_START) this.showAll();
    const button = part(byId("gaps-list").children[gap.rank - 1], "button");
    button.scrollIntoView({ block: "center" });
    button.focus({ preventScroll: true });
  }

  /**
   * A line of a list: a mark, a name, and the facts below it.
   * @param {Node} sign
   * @param {string} name
   * @param {(string | undefined)[]} facts
   * @param {(from: HTMLElement) => void} onclick
   */
  placeButton(sign, name, facts, onclick) {
    const button = el(
      "button",
      { type: "button" },
      sign,
      el(
        "span",
        {},
        el("strong", { dir: "auto" }, name),
        el("span", { class: "facts", dir: "auto" }, facts.filter(Boolean).join(" · "))
      )
    );
    button.addEventListener("click", () => onclick(button));
    return button;
  }

  /** @param {Gap} gap */
  gapButton(gap) {
    const { words, data } = this;
    const size = data.residents
      ? words.count("residents_count", gap.residents)
      : words.say("area_ha", { n: words.number(gap.area_ha, 0) });
    const facts = [isLarge(gap) ? "" : districtsOf(words, gap), size];
    const { median } = gap.minutes;
    if (median !== null) facts.push(words.minutes(median));
    const sign = el("span", { class: "rank" }, String(gap.rank));
    return this.placeButton(sign, placeOf(words, gap), facts, (from) => this.visit.gap(gap, from));
  }

  /** @param {View} view */
  writeServices(view) {
    const { words } = this;
    const services = this.layers.servicesOf(view);
    byId("services-title").textContent = words.say("services_list", { n: words.number(services.length) });
    byId("services-none").hidden = services.length > 0;
    const collator = new Intl.Collator(words.locale);
    const ordered = [...services].sort((a, b) => collator.compare(a.name || "", b.name || ""));
    const named = view.kind === "composite";
    byId("services-list").replaceChildren(...ordered.map((service) => el("li", {}, this.serviceButton(service, named))));
  }

  /**
   * @param {Service} service
   * @param {boolean} named whether its category is told
   */
  serviceButton(service, named) {
    const { words, layers } = this;
    const category = layers.categoryOf(service);
    const facts = [
      service.address,
      service.left_out ? words.say("not_counted", { reason: service.left_out }) : "",
      named ? category.label : "",
    ];
    const shape = shapeOf(this.data, service.category);
    const sign = mark(category.colour, shape, kindOf(service, layers.hours, null));
    const name = service.name || words.say("unnamed");
    return this.placeButton(sign, name, facts, (from) => this.visit.service(service, from));
  }
}
