/* The legend: it says what is painted, and nothing else. */

/** @import { Gap, PageData, Service, View } from "./types.js" */
/** @import { Layers, Switches } from "./layers.js" */
/** @import { Effective, Scene } from "./scene.js" */
/** @import { Words } from "./words.js" */

/** @typedef {[sign: Node, text: string, kind?: string]} Entry */

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
    byId("legend-ramp").replaceChildren(...scene.ramp.map(([paint, text]) => el("li", {}, swatch(paint), text)));
    byId("legend-ramp").hidden = scene.ramp.length === 0;
    /** @type {Entry[]} */
    const entries = scene.list.map(([paint, text]) => [swatch(paint), text]);
    if (!scene.title) entries.push(...this.beyond(view, effective, gaps, values));
    entries.push(...(more || []));
    if (gaps.length && switches.gaps) entries.push(this.gap(view, effective, values));
    entries.push([swatch({ fill: palette.off_network }), words.say("off_network")]);
    if (data.cells.water) entries.push([swatch({ fill: palette.scenery.water }), words.say("water")]);
    if (switches.services) entries.push(...this.services(view, effective.hour));
    byId("legend-list").replaceChildren(...entries.map(([sign, text, kind]) => el("li", { class: kind || "" }, sign, el("span", { dir: "auto" }, text))));
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
    return [[swatch({}), this.words.say(near ? "none_near" : "none_all", values)]];
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   * @param {Record<string, string>} values
   * @returns {Entry}
   */
  gap(view, effective, values) {
    const filled = view.kind === "composite" ? "beyond_none" : "beyond";
    const painted = effective.zoned;
    return [gapSwatch(painted), this.words.say(painted ? filled : "beyond_outline", values)];
  }

  /**
   * The mark of each category: told where the choices, which show them too, are out of sight.
   * @param {Service[]} services
   * @returns {Entry[]}
   */
  decoded(services) {
    const there = new Set(services.map((service) => service.category));
    const shown = categoryViews(this.data).filter((view) => there.has(view.id));
    return shown.map((view) => [mark(view.colour, shapeOf(this.data, view.id), "in"), view.label, "decoded"]);
  }

  /**
   * @param {View} view
   * @param {number | null} hour
   * @returns {Entry[]}
   */
  services(view, hour) {
    const { words, data, layers } = this;
    const services = layers.servicesOf(view);
    if (services.length === 0) return [];
    const composite = view.kind === "composite";
    if (composite && hour === null) return [[mark(ink, null, "in"), words.say("service_any")], ...this.decoded(services)];
    const colour = composite ? ink : view.colour;
    const shape = composite ? null : shapeOf(data, view.id);
    const present = new Set(services.map((service) => kindOf(service, layers.hours, hour)));
    const kinds = KINDS.filter(([kind]) => present.has(kind));
    return kinds.map(([kind, key]) => [mark(colour, shape, kind), words.say(key)]);
  }
}
