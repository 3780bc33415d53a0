/* Scenes: how what is chosen is painted, and the legend that says so. */

/** @import { CategoryView, CompositeView, PageData, Paint, View } from "./types.js" */
/** @import { Cells } from "./cells.js" */
/** @import { Hours } from "./hours.js" */
/** @import { Brush, Painting } from "./surface.js" */
/** @import { Words } from "./words.js" */

/** @typedef {"minutes" | "covered"} Mode */
/** @typedef {{ view: string, minutes: number, mode: Mode, hour: number | null, district: number | null }} Chosen `district` is a row of the tables */

/**
 * What is shown in effect: `standard` is the threshold of the study at no hour, `ranged` that with
 * places *perhaps* covered, `zoned` that gaps are those of what is painted, `untimed` that the
 * chosen hour has no effect.
 * @typedef {{ minutes: number, hour: number | null, mode: Mode, standard: boolean, ranged: boolean, zoned: boolean, untimed: boolean }} Effective
 */

/** @typedef {[Paint, string][]} Legend */

/**
 * `ramp` and `list` say what the paints stand for; `title` what they show, if not the view itself.
 * @typedef {Painting & { ramp: Legend, list: Legend, title?: string }} Scene
 */

/**
 * Of one category: the first `sure` paints are of what is covered.
 * @typedef {Scene & { sure: number }} CategoryScene
 */

import { shadesOf } from "./draw.js";
import { categoriesOf } from "./hours.js";
import { constants, palette } from "./page.js";
import { mix, within } from "./surface.js";

const HALF = 0.5;
const MOST_BEYOND = 3; // steps beyond the threshold; what is further is one
const { paints: answers } = palette;

/**
 * What is shown in effect: a choice that a view cannot follow gives way, and is told.
 * @param {PageData} data
 * @param {View} view
 * @param {Chosen} chosen
 * @returns {Effective}
 */
export function effectiveOf(data, view, chosen) {
  const timed = chosen.hour !== null && timedCategories(data, view).length > 0;
  const minutes = timed ? data.threshold_min : chosen.minutes;
  const standard = minutes === data.threshold_min && !timed;
  // What the study asked about leaves some places *perhaps* covered, at its own threshold.
  const ranged = standard && Boolean(view.ends);
  return {
    minutes,
    hour: timed ? chosen.hour : null,
    mode: timed || view.kind === "composite" ? "covered" : chosen.mode,
    standard,
    ranged,
    zoned: !timed && !ranged,
    untimed: chosen.hour !== null && !timed,
  };
}

/**
 * @param {PageData} data
 * @returns {CategoryView[]}
 */
export const categoryViews = (data) => data.views.filter((view) => view.kind === "category");

/**
 * Where no place is known, nothing can be told: unless one is supposed.
 * @param {View} view
 */
export const isJudged = (view) => view.kind === "composite" || !view.unjudged || view.counted > 0;

/** @param {PageData} data */
export const essentials = (data) => categoryViews(data).filter((view) => view.essential);

/**
 * The categories that a view counts at an hour: those that have hours in the page.
 * @param {PageData} data
 * @param {View} view
 */
function timedCategories(data, view) {
  const ids = view.kind === "composite" ? essentials(data).map((one) => one.id) : [view.id];
  return ids.filter((id) => id in categoriesOf(data));
}

/**
 * The categories that a composite counts: all at the threshold of the study, else those that are told.
 * @param {PageData} data
 * @param {CompositeView} view
 * @param {Effective} effective
 */
export function countedCategories(data, view, effective) {
  if (effective.hour !== null) return timedCategories(data, view);
  if (effective.minutes === data.threshold_min) return essentials(data).map((one) => one.id);
  return view.counted_at_all;
}

export class Scenes {
  /**
   * @param {PageData} data
   * @param {Cells} cells
   * @param {Hours} hours
   * @param {Words} words
   */
  constructor(data, cells, hours, words) {
    this.data = data;
    this.cells = cells;
    this.hours = hours;
    this.words = words;
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   * @returns {Scene}
   */
  of(view, effective) {
    if (effective.hour !== null) {
      return view.kind === "composite"
        ? this.countAtHour(view, effective, effective.hour)
        : this.atHour(view, effective.hour);
    }
    if (view.kind === "composite") return this.count(view, effective);
    const scene = effective.mode === "covered" ? this.answers(view, effective) : this.times(view, effective);
    return effective.ranged ? this.withPerhaps(view, scene) : scene;
  }

  /**
   * A class of its own for what is not covered for sure, but perhaps.
   * @param {CategoryView} view
   * @param {CategoryScene} scene
   * @returns {Scene}
   */
  withPerhaps(view, { paints, brush, ramp, list, sure }) {
    const field = this.cells.perhapsField(view.id);
    const { width } = this.cells;
    /** @type {Brush} */
    const hatched = (k, fx, fy) => {
      const n = brush(k, fx, fy);
      return n >= sure && mix(field, k, width, fx, fy) > HALF ? paints.length : n;
    };
    const text = this.words.say("perhaps", { minutes: this.words.short(this.data.threshold_min) });
    const told = [...list];
    told.splice(list.length ? sure : 0, 0, [answers.perhaps, text]);
    return { paints: [...paints, answers.perhaps], brush: hatched, ramp, list: told };
  }

  /**
   * Paints the class of a value: the number of limits that it is beyond.
   * @param {CategoryView} view
   * @param {number[]} limits
   * @param {string} name of the paints
   */
  classes(view, limits, name) {
    const field = this.cells.field(view.id);
    const { width } = this.cells;
    /** @type {Brush} */
    const brush = (k, fx, fy) => {
      const value = mix(field, k, width, fx, fy);
      let n = 0;
      while (n < limits.length && !within(value, limits[n])) n++;
      return n;
    };
    return { brush, rule: [name, view.id, ...limits].join(" "), grids: [field] };
  }

  /**
   * Minutes in steps: the darker, the nearer; the same colour stands for the same minutes.
   * @param {CategoryView} view
   * @param {Effective} effective
   * @returns {CategoryScene}
   */
  times(view, { minutes }) {
    const { words } = this;
    const { thresholds_min: thresholds } = this.data;
    const inside = thresholds.filter((level) => level <= minutes);
    const beyond = [...new Set([...thresholds.filter((level) => level > minutes), 2 * minutes, 3 * minutes])].sort((a, b) => a - b);
    const levels = [...inside, ...beyond.slice(0, MOST_BEYOND)];
    const near = shadesOf(palette.minutes, Math.max(thresholds.length, 2));
    const far = shadesOf(palette.beyond, levels.length - inside.length + 1);
    const shades = [...near.slice(0, inside.length), ...far];
    /** @type {Legend} */
    const ramp = shades.map((fill, i) => {
      const [from, to] = [i ? words.short(levels[i - 1]) : "", i < levels.length ? words.short(levels[i]) : ""];
      const text = words.say(!from ? "ramp_within" : to ? "ramp_between" : "ramp_over", { from, to });
      return [{ fill }, text];
    });
    const paints = ramp.map(([paint]) => paint);
    return { paints, ...this.classes(view, levels, "times " + minutes), ramp, list: [], sure: inside.length };
  }

  /**
   * Covered, borderline, uncovered.
   * @param {CategoryView} view
   * @param {Effective} effective
   * @returns {CategoryScene}
   */
  answers(view, { minutes }) {
    const { borderline } = constants;
    const limits = [1 - borderline, 1, 1 + borderline].map((x) => x * minutes);
    const { covered, nearly_covered: nearlyCovered, nearly_uncovered: nearlyUncovered, uncovered } = answers;
    const paints = [covered, nearlyCovered, nearlyUncovered, uncovered];
    const texts = ["covered", "borderline_covered", "borderline_uncovered", "uncovered"];
    const values = { minutes: this.words.short(minutes) };
    /** @type {Legend} */
    const list = paints.map((paint, i) => [paint, this.words.say("answer_" + texts[i], values)]);
    return { paints, ...this.classes(view, limits, "answers"), ramp: [], list, sure: paints.length / 2 };
  }

  /**
   * A ramp of counts, plain and hatched, with a legend of both; none is painted for a count of 0.
   * @param {number} most
   * @param {string} more what the hatched ones stand for, if there are any
   */
  counts(most, more) {
    const shades = shadesOf(palette.reached, most);
    /** @type {Paint[]} */
    const plain = [{}, ...shades.map((fill) => ({ fill }))];
    const hatched = plain.map(({ fill }) => ({ ...answers.perhaps, fill: fill || palette.paper }));
    /** @type {Legend} */
    const ramp = shades.map((fill, i) => [{ fill }, this.words.say("reach_n", { n: i + 1 })]);
    /** @type {Legend} */
    const list = more ? [[hatched[0], this.words.say(more)]] : [];
    return { paints: [...plain, ...hatched], ramp, list, hatched: plain.length };
  }

  /**
   * How many of the essential services are within reach.
   * @param {CompositeView} view
   * @param {Effective} effective
   * @returns {Scene}
   */
  count(view, effective) {
    const counted = countedCategories(this.data, view, effective);
    const fields = counted.map((id) => this.cells.field(id));
    const { width } = this.cells;
    const { minutes } = effective;
    const insides = counted.map((id) => this.cells.inside(id, minutes));
    const perhaps = effective.ranged ? counted.map((id) => this.cells.perhapsField(id)) : [];
    const most = minutes === this.data.threshold_min ? view.total : counted.length;
    const { paints, ramp, list, hatched } = this.counts(most, perhaps.length ? "perhaps_more" : "");
    /** @type {Brush} */
    const brush = (k, fx, fy) => {
      let n = 0;
      for (let i = 0; i < insides.length; i++) {
        const inside = insides[i][k];
        if (inside === 1 || (inside === 2 && within(mix(fields[i], k, width, fx, fy), minutes))) n++;
      }
      if (!perhaps.length) return n;
      return perhaps.some((field) => mix(field, k, width, fx, fy) > HALF) ? n + hatched : n;
    };
    const rule = ["count", minutes, most, perhaps.length, ...counted].join(" ");
    return { paints, brush, rule, grids: [...fields, ...perhaps], ramp, list };
  }

  /**
   * Sure, perhaps and not, at an hour.
   * @param {CategoryView} view
   * @param {number} hour
   * @returns {Scene}
   */
  atHour(view, hour) {
    const { sure, most } = this.hours.fields(view.id, hour);
    const { width } = this.cells;
    /** @type {Brush} */
    const brush = (k, fx, fy) => {
      if (mix(sure, k, width, fx, fy) > HALF) return 0;
      return mix(most, k, width, fx, fy) > HALF ? 1 : 2;
    };
    const paints = [answers.covered, answers.perhaps, answers.uncovered];
    const texts = ["open_sure", "open_perhaps", "open_not"];
    const values = { minutes: this.words.short(this.data.threshold_min) };
    return { paints, brush, ramp: [], list: paints.map((paint, i) => [paint, this.words.say(texts[i], values)]) };
  }

  /**
   * How many are open for sure within reach; hatched where there are perhaps more.
   * @param {CompositeView} view
   * @param {Effective} effective
   * @param {number} hour
   * @returns {Scene}
   */
  countAtHour(view, effective, hour) {
    const counted = countedCategories(this.data, view, effective);
    const fields = counted.map((id) => this.hours.fields(id, hour));
    const { width } = this.cells;
    const { paints, ramp, list, hatched } = this.counts(counted.length, "open_more");
    /** @type {Brush} */
    const brush = (k, fx, fy) => {
      let [n, more] = [0, 0];
      for (const { sure, most } of fields) {
        if (mix(sure, k, width, fx, fy) > HALF) n++;
        else if (mix(most, k, width, fx, fy) > HALF) more = hatched;
      }
      return n + more;
    };
    return { paints, brush, ramp, list };
  }
}
