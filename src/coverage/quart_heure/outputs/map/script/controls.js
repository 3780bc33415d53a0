/* The controls of the panel: they read what is chosen, and show what is in effect. */

/** @import { PageData, View } from "./types.js" */
/** @import { Figures } from "./figures.js" */
/** @import { Kind, Switches } from "./layers.js" */
/** @import { Chosen, Effective, Mode } from "./scene.js" */
/** @import { Words } from "./words.js" */

/**
 * What to do when something is chosen.
 * @typedef {object} ControlHandlers
 * @property {(view: string) => void} view
 * @property {(minutes: number) => void} minutes
 * @property {(mode: Mode) => void} mode
 * @property {(hour: number | null) => void} hour
 * @property {(name: Kind, shown: boolean) => void} layer
 * @property {(row: number | null) => void} district
 * @property {() => void} reset
 */

import { categoriesOf, dateName, dayAndHour, hourName, hourOf } from "./hours.js";
import { mark, shapeOf } from "./marks.js";
import { byId, constants, control, el, inputs, part } from "./page.js";
import { categoryViews, isJudged } from "./scene.js";

export class Controls {
  /**
   * @param {PageData} data
   * @param {Words} words
   * @param {ControlHandlers} on
   */
  constructor(data, words, on) {
    this.data = data;
    this.words = words;
    this.on = on;
    this.timed = false;
    this.day = control("day", HTMLSelectElement);
    this.hour = control("hour", HTMLSelectElement);
    this.writeMinutes();
    this.writeHours();
    for (const [view, choice] of this.choices()) {
      part(choice, ".name").prepend(mark(view.colour, shapeOf(data, view.id), "in"));
    }
    this.listen();
  }

  writeMinutes() {
    const { data, words } = this;
    byId("minutes-choices").replaceChildren(
      ...data.thresholds_min.map((minutes) =>
        el(
          "label",
          {},
          el("input", { type: "radio", name: "minutes", value: String(minutes) }),
          el("span", {}, words.say("minutes", { n: words.short(minutes) }))
        )
      )
    );
  }

  writeHours() {
    const { words } = this;
    const { hours } = this.data;
    const shown = hours !== null && Object.keys(categoriesOf(this.data)).length > 0;
    this.timed = shown;
    byId("hours").hidden = !shown;
    if (!shown) return;
    /** @type {(value: number, text: string) => HTMLOptionElement} */
    const option = (value, text) => el("option", { value: String(value) }, text);
    this.day.append(...Array.from({ length: constants.days }, (_, day) => option(day, dateName(words, hours, day))));
    this.hour.append(
      ...Array.from({ length: constants.hours_of_day }, (_, hour) => option(hour, words.say("hour", { n: hour })))
    );
    this.hour.value = "12";
  }

  /* The categories, each with the label that chooses it. */
  choices() {
    return categoryViews(this.data).map((view) => {
      const choice = part(document, '.choice[data-view="' + CSS.escape(view.id) + '"]');
      return /** @type {const} */ ([view, choice]);
    });
  }

  listen() {
    const { on } = this;
    for (const input of inputs("input[name=view]")) input.addEventListener("change", () => on.view(input.value));
    for (const input of inputs("input[name=mode]")) {
      input.addEventListener("change", () => on.mode(input.value === "covered" ? "covered" : "minutes"));
    }
    for (const input of inputs("input[name=minutes]")) {
      input.addEventListener("change", () => on.minutes(Number(input.value)));
    }
    for (const input of inputs("input[data-layer]")) {
      input.addEventListener("change", () => on.layer(layerOf(input), input.checked));
    }
    for (const select of [this.day, this.hour]) select.addEventListener("change", () => on.hour(this.chosenHour()));
    const goTo = control("go-to", HTMLSelectElement);
    goTo.addEventListener("change", () => on.district(goTo.value === "" ? null : Number(goTo.value)));
    const what = control("what", HTMLSelectElement);
    what.append(...this.data.views.map((view) => el("option", { value: view.id }, this.nameOf(view))));
    what.addEventListener("change", () => on.view(what.value));
    byId("reset").addEventListener("click", () => on.reset());
  }

  /**
   * What fits into a choice beside another.
   * @param {View} view
   */
  nameOf(view) {
    return view.kind === "composite" ? this.words.say("composite_short") : view.label;
  }

  chosenHour() {
    return this.day.value === "" ? null : hourOf(Number(this.day.value), Number(this.hour.value));
  }

  /**
   * The shares beside the categories follow the threshold, the hour and the district.
   * @param {Effective} effective
   * @param {Figures} figures
   * @param {Set<string>} touched categories that something is supposed of
   */
  showShares(effective, figures, touched) {
    const { words } = this;
    const last = this.data.rows.length - 1;
    for (const [view, choice] of this.choices()) {
      const range = figures.range(view, effective);
      part(choice, ".share").textContent = !isJudged(view) ? words.say("not_judged") : figures.shareText(view, effective);
      const [least, most] = range.map((end) => end || 0);
      part(choice, ".bar .sure").style.width = least + "%";
      part(choice, ".bar .perhaps").style.width = most - least + "%";
      const [city] = figures.range(view, effective, last);
      part(choice, ".bar").classList.toggle("unknown", range[0] === null);
      part(choice, ".bar .city").hidden = figures.row === last || city === null;
      part(choice, ".bar .city").style.left = (city || 0) + "%";
      // What its facts are good to is told of the whole area as it is, and of the share of the study.
      part(choice, ".facts").hidden = touched.has(view.id) || !effective.standard || figures.row < last;
    }
    const asked = effective.hour === null ? (this.data.views[0].ends ? "share_hint_sure" : "share_hint") : "share_hint_hour";
    const hour = effective.hour === null ? "" : hourName(words, effective.hour);
    const hint = [words.say(figures.of(asked), { minutes: words.short(effective.minutes), hour })];
    if (figures.row < last) hint.push(words.say("share_hint_city", { area: this.data.rows[last] }));
    byId("share-hint").textContent = hint.join("");
  }

  /**
   * Show what is chosen; what has no effect on this view cannot be chosen.
   * @param {Chosen} chosen
   * @param {View} view
   * @param {Effective} effective
   * @param {Switches} switches
   */
  show(chosen, view, effective, switches) {
    /** @type {(name: string, value: string | number) => void} */
    const check = (name, value) => {
      for (const input of inputs("input[name=" + name + "]")) input.checked = input.value === String(value);
    };
    check("view", view.id);
    control("what", HTMLSelectElement).value = view.id;
    control("go-to", HTMLSelectElement).value = chosen.district === null ? "" : String(chosen.district);
    // What is supposed has no opening hours.
    const supposing = this.timed && !this.data.hours;
    byId("hours-supposed").hidden = !supposing;
    this.day.disabled = supposing;
    check("minutes", effective.minutes);
    check("mode", effective.mode);
    const fixed = effective.hour !== null;
    const standard = String(this.data.threshold_min);
    for (const input of inputs("input[name=minutes]")) input.disabled = fixed && input.value !== standard;
    for (const input of inputs("input[name=mode]")) input.disabled = fixed && input.value !== "covered";
    byId("mode").hidden = view.kind === "composite";
    this.day.value = "";
    this.hour.disabled = chosen.hour === null || supposing;
    if (chosen.hour !== null && !supposing) {
      const { day, hour } = dayAndHour(chosen.hour);
      this.day.value = String(day);
      this.hour.value = String(hour);
    }
    for (const input of inputs("input[data-layer]")) input.checked = switches[layerOf(input)];
  }
}

/** @param {HTMLInputElement} input */
const layerOf = (input) => /** @type {Kind} */ (input.dataset.layer);
