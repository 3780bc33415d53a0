/* The legend: it says what is painted, and nothing else. */

/** @import { Gap, PageData, Paint, Service, View } from "./types.js" */
/** @import { Layers, Switches } from "./layers.js" */
/** @import { Kind } from "./marks.js" */
/** @import { Effective, Scene } from "./scene.js" */
/** @import { Words } from "./words.js" */

/** @typedef {{ sign: () => Node, key: string, text: string, kind?: string }} Entry `key` tells the sign from others */

import { gapSwatch, ink, swatch } from "./draw.js";
import { hourName } from "./hours.js";
import { kindOf, mark, shapeOf } from "./marks.js";
import { byId, el, palette } from "./page.js";
import { categoryViews } from "./scene.js";

const KINDS = /** @type {const} */ ([
  ["in", "service_in"],
  ["out", "service_out"],
  ["open", "service_open"],
  ["perhaps", "service_perhaps"],
  ["closed", "service_closed"],
  ["left", "service_left"],
]);

export class Legend {
  /**
   * @param {PageData} data
   * @param {Words} words
   * @param {Layers} layers
   */
  constructor(data, words, layers) {
    this.data = data;
    this.words = words;
    this.layers = layers;
    /** Lines that are written, to be used again. @type {Map<string, HTMLElement[]>} */
    this.lines = new Map();
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   * @param {Scene} scene
   * @param {Switches} switches
   * @param {Gap[]} gaps
   * @param {Entry[]} [more] what a proposal draws
   */
  write(view, effective, scene, switches, gaps, more) {
    const { words, data } = this;
    const values = {
      minutes: words.short(effective.minutes),
      ha: words.short(data.gap_ha),
      category: view.kind === "composite" ? "" : view.label,
      hour: effective.hour === null ? "" : hourName(words, effective.hour),
    };
    byId("legend-title").textContent = scene.title || words.say(this.title(view, effective), values);
    const written = this.lines;
    this.lines = new Map();
    /** @type {(key: string, line: () => HTMLElement) => HTMLElement} */
    const line = (key, make) => {
      const found = written.get(key)?.pop() || make();
      this.lines.set(key, [...(this.lines.get(key) || []), found]);
      return found;
    };
    byId("legend-ramp").replaceChildren(
      ...scene.ramp.map(([paint, text]) => line("ramp " + JSON.stringify([paint, text]), () => el("li", {}, swatch(paint), text)))
    );
    byId("legend-ramp").hidden = scene.ramp.length === 0;
    /** @type {Entry[]} */
    const entries = scene.list.map(([paint, text]) => painted(paint, text));
    if (!scene.title) entries.push(...this.beyond(view, effective, gaps, values));
    entries.push(...(more || []));
    if (gaps.length && switches.gaps) entries.push(this.gap(view, effective, values));
    entries.push(painted({ fill: palette.off_network }, words.say("off_network")));
    if (data.cells.water) entries.push(painted({ fill: palette.scenery.water }, words.say("water")));
    if (switches.services) entries.push(...this.services(view, effective.hour));
    const said = entries.map(({ sign, key, text, kind }) =>
      line(JSON.stringify([key, text, kind]), () => el("li", { class: kind || "" }, sign(), el("span", { dir: "auto" }, text)))
    );
    byId("legend-list").replaceChildren(...said);
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   */
  title(view, effective) {
    const composite = view.kind === "composite";
    if (effective.hour !== null) return composite ? "legend_composite_hour" : "legend_hour";
    if (composite) return "legend_composite";
    return effective.mode === "covered" ? "legend_answers" : "legend_category";
  }

  /**
   * What is left unpainted. Minutes and answers are painted to the last one.
   * @param {View} view
   * @param {Effective} effective
   * @param {Gap[]} gaps
   * @param {Record<string, string>} values
   * @returns {Entry[]}
   */
  beyond(view, effective, gaps, values) {
    if (view.kind !== "composite") return [];
    const near = effective.zoned && gaps.length > 0;
    return [painted({}, this.words.say(near ? "none_near" : "none_all", values))];
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   * @param {Record<string, string>} values
   * @returns {Entry}
   */
  gap(view, effective, values) {
    const filled = view.kind === "composite" ? "beyond_none" : "beyond";
    const { zoned } = effective;
    return { sign: () => gapSwatch(zoned), key: "gap " + zoned, text: this.words.say(zoned ? filled : "beyond_outline", values) };
  }

  /**
   * The mark of each category: told where the choices, which show them too, are out of sight.
   * @param {Service[]} services
   * @returns {Entry[]}
   */
  decoded(services) {
    const there = new Set(services.map((service) => service.category));
    const shown = categoryViews(this.data).filter((view) => there.has(view.id));
    return shown.map((view) => ({ ...this.marked(view.colour, view.id, "in", view.label), kind: "decoded" }));
  }

  /**
   * @param {View} view
   * @param {number | null} hour
   * @returns {Entry[]}
   */
  services(view, hour) {
    const { words, layers } = this;
    const services = layers.servicesOf(view);
    if (services.length === 0) return [];
    const composite = view.kind === "composite";
    if (composite && hour === null) return [this.marked(ink, null, "in", words.say("service_any")), ...this.decoded(services)];
    const colour = composite ? ink : view.colour;
    const category = composite ? null : view.id;
    const present = new Set(services.map((service) => kindOf(service, layers.hours, hour)));
    const kinds = KINDS.filter(([kind]) => present.has(kind));
    return kinds.map(([kind, key]) => this.marked(colour, category, kind, words.say(key)));
  }

  /**
   * @param {string} colour
   * @param {string | null} category whose shape it has, null for a circle
   * @param {Kind} kind
   * @param {string} text
   * @returns {Entry}
   */
  marked(colour, category, kind, text) {
    const sign = () => mark(colour, category === null ? null : shapeOf(this.data, category), kind);
    return { sign, key: ["mark", colour, category, kind].join(" "), text };
  }
}

/**
 * @param {Paint} paint
 * @param {string} text
 * @returns {Entry}
 */
const painted = (paint, text) => ({ sign: () => swatch(paint), key: JSON.stringify(paint), text });
