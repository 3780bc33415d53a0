/* The panel beside the map: it says in words and figures what the map shows. */

/** @import { Gap, PageData, Service, View } from "./types.js" */
/** @import { Gaps, Part } from "./gaps.js" */
/** @import { Hours } from "./hours.js" */
/** @import { Layers } from "./layers.js" */
/** @import { Effective } from "./scene.js" */
/** @import { Words } from "./words.js" */

/**
 * Called with what is chosen, and the button it is chosen by.
 * @typedef {{ gap: (gap: Gap, from: HTMLElement) => void, part: (part: Part, from: HTMLElement) => void, service: (service: Service, from: HTMLElement) => void }} Visit
 */

import { Figures } from "./figures.js";
import { gapName, partName, partPlace, walkTold } from "./gap_words.js";
import { kindOf, mark, shapeOf } from "./marks.js";
import { byId, control, el, part } from "./page.js";
import { countedCategories, essentials, isJudged } from "./scene.js";

const LIST_START = 5;

export class Panel {
  /**
   * @param {PageData} data
   * @param {Words} words
   * @param {Layers} layers
   * @param {Hours} hours
   * @param {Gaps} gaps
   * @param {Visit} visit
   */
  constructor(data, words, layers, hours, gaps, visit) {
    this.data = data;
    this.words = words;
    this.layers = layers;
    this.gaps = gaps;
    this.visit = visit;
    this.figures = new Figures(data, words, hours);
    /** @type {View | null} */
    this.view = null;
    /** @type {Gap[]} */
    this.listed = [];
    /** What the district that is looked at has of them. @type {Part[] | null} */
    this.parts = null;
    /** @type {WeakMap<Service, HTMLElement>} */
    this.serviceLines = new WeakMap();
    /** Those that name their category. @type {WeakMap<Service, HTMLElement>} */
    this.namedLines = new WeakMap();
    this.showAll = () => {};
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   * @param {number} row of the district that is looked at, or the last
   * @param {boolean} supposing
   */
  write(view, effective, row, supposing) {
    const gaps = this.gaps.of(view, effective.minutes);
    const another = this.view !== view || this.listed !== gaps || this.figures.row !== row;
    this.view = view;
    this.listed = gaps;
    this.figures.row = row;
    this.parts = row < this.data.ground.districts.length ? this.gaps.within(view, effective.minutes, row) : null;
    this.writeSummary(view, effective, supposing);
    this.figures.write(view, effective);
    if (!another) return; // the lists stay as they were read
    this.writeGaps(view);
    this.writeServices(view);
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   * @param {boolean} supposing
   */
  writeSummary(view, effective, supposing) {
    const sentences = [this.figures.sentence(view, effective)];
    if (effective.hour === null && isJudged(view)) sentences.push(this.gapsInWords(view, effective));
    byId("summary").textContent = sentences.filter(Boolean).join(" ");
    const notes = this.notes(view, effective, supposing);
    byId("notes").replaceChildren(...notes.map((note) => el("p", {}, note)));
    const label = view.kind === "composite" ? this.words.say("composite_label") : view.label;
    byId("now").textContent = label;
    byId("now-folded").textContent = view.kind === "composite" ? this.words.say("composite_short") : label;
    byId("gaps-order").textContent = this.gapsOrder(effective);
  }

  /**
   * What one has to know to read the map right.
   * @param {View} view
   * @param {Effective} effective
   * @param {boolean} supposing
   */
  notes(view, effective, supposing) {
    const { words, data } = this;
    const minutes = words.short(data.threshold_min);
    const notes = [];
    if (effective.untimed) notes.push(words.say(supposing ? "hours_supposed" : "note_untimed"));
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
    if (effective.hour === null) return order;
    return words.say("gaps_standard", { minutes: words.short(data.threshold_min) }) + " " + order;
  }

  /* What is listed: gaps, or what the district that is looked at has of them. */
  get lines() {
    return this.parts || this.listed;
  }

  /**
   * How many gaps there are, who lives in them, and why others have none either.
   * @param {View} view
   * @param {Effective} effective
   */
  gapsInWords(view, effective) {
    const { words, data, lines } = this;
    const gaps = words.count("gaps_count", lines.length);
    if (!data.residents) return gaps + ".";
    const people = lines.reduce((sum, one) => sum + (one.residents || 0), 0);
    const said = lines.length ? words.say("gaps_inhabited", { gaps, residents: words.count("people_exact", people) }) : gaps;
    if (effective.ranged) return said + ".";
    // Whoever is just beyond, or in a small zone, is in none of them.
    const lacking = Math.round(this.gaps.tally.lack(view, effective.minutes, this.figures.row).people);
    const others = lacking - people;
    if (others < 1) return said + ".";
    const values = { gaps: said, others: words.number(others), ha: words.short(data.gap_ha) };
    return words.say(lines.length ? "gaps_others" : "gaps_only_others", values);
  }

  /** @param {View} view */
  writeGaps(view) {
    const { words, lines } = this;
    byId("gaps-title").textContent = words.say("gaps_list", { n: words.number(lines.length) });
    byId("gaps-order").hidden = lines.length === 0;
    const list = byId("gaps-list");
    const more = byId("gaps-more");
    const items = lines.map((one) => () => el("li", {}, ...("row" in one ? [this.partButton(one, false)] : this.gapLine(view, one))));
    list.replaceChildren(...items.slice(0, LIST_START).map((item) => item()));
    more.hidden = lines.length <= LIST_START;
    more.textContent = words.say("gap_all_shown", { n: words.number(lines.length) });
    this.showAll = () => {
      if (!more.hidden) list.append(...items.slice(LIST_START).map((item) => item()));
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
    const place = this.lines.findIndex((one) => one === gap || ("row" in one && one.gap === gap));
    if (place < 0) return;
    if (place >= LIST_START) this.showAll();
    const button = part(byId("gaps-list").children[place], "button");
    button.scrollIntoView({ block: "center" });
    button.focus({ preventScroll: true });
  }

  /**
   * A line of a list: a mark, a name, and the facts below it.
   * @param {Node | null} sign
   * @param {string} name
   * @param {(string | undefined)[]} facts
   * @param {(from: HTMLElement) => void} onclick
   */
  placeButton(sign, name, facts, onclick) {
    const button = el(
      "button",
      { type: "button", class: sign ? "" : "plainly" },
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

  /**
   * A gap; one of several districts is told by district, too.
   * @param {View} view
   * @param {Gap} gap
   */
  gapLine(view, gap) {
    const { words } = this;
    const facts = [this.sizeOf(gap), walkTold(words, gap.minutes)];
    const rows = this.gaps.rowsOf(gap);
    const [only] = rows.length === 1 ? this.gaps.parts(view, gap) : [];
    const name = only ? partName(words, this.data, only) : gapName(words, this.data, gap, rows);
    const button = this.placeButton(rank(gap), name, facts, (from) => this.visit.gap(gap, from));
    if (rows.length < 2) return [button];
    const district = words.say("district").toLowerCase();
    const summary = el("summary", {}, words.say("gap_by_district", { district, n: rows.length }));
    const items = el("ol", { class: "parts" });
    const details = el("details", { class: "cut" }, summary, items);
    // Long lists are written when somebody looks at them.
    details.addEventListener("toggle", () => {
      if (items.children.length) return;
      items.append(...this.gaps.parts(view, gap).map((one) => el("li", {}, this.partButton(one, true))));
    });
    return [button, details];
  }

  /**
   * What a district has of a gap.
   * @param {Part} one
   * @param {boolean} named whether its district is told
   */
  partButton(one, named) {
    const { words } = this;
    const near = one.discreet ? words.say("gap_nearest_unshown") : one.nearest;
    const facts = [
      this.sizeOf(one),
      walkTold(words, one.minutes),
      near ? words.say("gap_nearest_is", { name: near }) : "",
    ];
    const name = named ? partName(words, this.data, one) : partPlace(words, this.data, one);
    return this.placeButton(named ? null : rank(one.gap), name, facts, (from) => this.visit.part(one, from));
  }

  /** @param {{ residents: number | null, area_ha: number | null }} one */
  sizeOf(one) {
    const { words, data } = this;
    return data.residents
      ? words.count("residents_count", one.residents)
      : words.say("area_ha", { n: words.number(one.area_ha, 0) });
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
    byId("services-list").replaceChildren(...ordered.map((service) => this.serviceLine(service, named)));
  }

  /**
   * The line of a service, written once.
   * @param {Service} service
   * @param {boolean} named
   */
  serviceLine(service, named) {
    const lines = named ? this.namedLines : this.serviceLines;
    const line = lines.get(service) || el("li", {}, this.serviceButton(service, named));
    lines.set(service, line);
    return line;
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

/** @param {Gap} gap */
const rank = (gap) => el("span", { class: "rank" }, String(gap.rank));
