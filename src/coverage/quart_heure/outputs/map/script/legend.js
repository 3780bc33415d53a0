/* The legend: it says what is painted, and nothing else. */

/** @import { PageData, View } from "./types.js" */
/** @import { Layers, Switches } from "./layers.js" */
/** @import { Effective, Scene } from "./scene.js" */
/** @import { Words } from "./words.js" */

/** @typedef {[Node, string]} Entry */

import { gapSwatch, ink, swatch } from "./draw.js";
import { hourName } from "./hours.js";
import { kindOf, mark, shapeOf } from "./marks.js";
import { byId, el, palette } from "./page.js";

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
   * @param {Entry[]} [more] what a proposal draws
   */
  write(view, effective, scene, switches, more) {
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
    if (!scene.title) entries.push(...this.beyond(view, effective, values));
    entries.push(...(more || []));
    if (view.gaps.length && switches.gaps) entries.push(this.gap(view, effective, values));
    entries.push([swatch({ fill: palette.off_network }), words.say("off_network")]);
    if (data.cells.water) entries.push([swatch({ fill: palette.scenery.water }), words.say("water")]);
    if (switches.services) entries.push(...this.services(view, effective.hour));
    byId("legend-list").replaceChildren(...entries.map(([sign, text]) => el("li", {}, sign, el("span", {}, text))));
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
   * What is left unpainted. Answers are painted to the last one.
   * @param {View} view
   * @param {Effective} effective
   * @param {Record<string, string>} values
   * @returns {Entry[]}
   */
  beyond(view, effective, values) {
    const composite = view.kind === "composite";
    if (effective.mode === "covered" && !composite) return [];
    const near = effective.standard && !effective.ranged && view.gaps.length > 0;
    if (effective.ranged) return [[swatch({}), this.words.say(composite ? "none_all" : "not_even_perhaps", values)]];
    const key = composite ? (near ? "none_near" : "none_all") : near ? "beyond_near" : "beyond_all";
    return [[swatch({}), this.words.say(key, values)]];
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   * @param {Record<string, string>} values
   * @returns {Entry}
   */
  gap(view, effective, values) {
    const minutes = this.words.short(this.data.threshold_min);
    const filled = view.kind === "composite" ? "beyond_none" : "beyond";
    const painted = effective.standard && !effective.ranged;
    const key = painted ? filled : "beyond_outline";
    return [gapSwatch(painted), this.words.say(key, { ...values, minutes })];
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
    if (composite && hour === null) return [[mark(ink, null, "in"), words.say("service_any")]];
    const colour = composite ? ink : view.colour;
    const shape = composite ? null : shapeOf(data, view.id);
    const present = new Set(services.map((service) => kindOf(service, layers.hours, hour)));
    const kinds = KINDS.filter(([kind]) => present.has(kind));
    return kinds.map(([kind, key]) => [mark(colour, shape, kind), words.say(key)]);
  }
}
