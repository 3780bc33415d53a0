/* Scenes: how what is chosen is painted, and the legend that says so. */
"use strict";

(function (qh) {
  const colours = qh.colours;
  const BORDERLINE = 0.1;
  const HALF = 0.5;

  const key = (minutes) => String(minutes);

  /* What is shown in effect: a choice that a view cannot follow gives way, and is told. */
  qh.effective = function (data, view, chosen) {
    const hours = data.hours && data.hours.categories;
    const timed = chosen.hour !== null && hours && qh.timedCategories(data, view).length > 0;
    const fixed = timed || (view.kind === "category" && view.withheld);
    const minutes = fixed ? data.threshold : chosen.minutes;
    const standard = minutes === data.threshold && !timed;
    return {
      minutes,
      hour: timed ? chosen.hour : null,
      mode: timed || view.kind === "composite" || view.withheld ? "covered" : chosen.mode,
      standard,
      // What the study asked about leaves some places *perhaps* covered, at its own threshold.
      ranged: standard && Boolean(view.range),
      untimed: chosen.hour !== null && !timed,
    };
  };

  qh.essentials = (data) => data.views.filter((view) => view.essential);

  /* The categories that a view counts at an hour: those that have hours in the page. */
  qh.timedCategories = function (data, view) {
    const hours = (data.hours && data.hours.categories) || {};
    const ids = view.kind === "composite" ? qh.essentials(data).map((one) => one.id) : [view.id];
    return ids.filter((id) => id in hours);
  };

  /* The categories that a composite counts: all at the threshold of the study, else those that are told. */
  qh.countedCategories = function (data, view, effective) {
    if (effective.hour !== null) return qh.timedCategories(data, view);
    if (effective.minutes === data.threshold) return qh.essentials(data).map((one) => one.id);
    return view.counted_at_all;
  };

  qh.figuresAt = (view, minutes) => view.at[key(minutes)];

  qh.Scenes = class {
    constructor(data, cells, hours, words) {
      Object.assign(this, { data, cells, hours, words });
    }

    /* {paints, brush, ramp: [[paint, text]], list: [[paint, text]]}; the first `sure` paints of one
       category are of what is covered. */
    of(view, effective) {
      if (effective.hour !== null) {
        return view.kind === "composite" ? this.countAtHour(view, effective) : this.atHour(view, effective);
      }
      if (view.kind === "composite") return this.count(view, effective);
      const scene = effective.mode === "covered" ? this.answers(view, effective) : this.times(view, effective);
      return effective.ranged ? this.withPerhaps(view, scene) : scene;
    }

    /* A class of its own for what is not covered for sure, but perhaps. */
    withPerhaps(view, { paints, brush, ramp, list, sure }) {
      const field = this.cells.perhapsField(view.id);
      const { width } = this.cells;
      const hatched = (k, fx, fy) => {
        const n = brush(k, fx, fy);
        return n >= sure && qh.mix(field, k, width, fx, fy) > HALF ? paints.length : n;
      };
      const told = [...list];
      told.splice(list.length ? sure : 0, 0, [qh.paints.perhaps, this.words.say("perhaps", { minutes: this.words.short(this.data.threshold) })]);
      return { paints: [...paints, qh.paints.perhaps], brush: hatched, ramp, list: told };
    }

    /* Minutes in steps: the darker, the nearer; the same colour stands for the same minutes. */
    times(view, { minutes }) {
      const { words } = this;
      const levels = this.data.thresholds.filter((level) => level <= minutes);
      const shades = qh.ramp(colours.minutes, Math.max(this.data.thresholds.length, 2));
      const paints = levels.map((_, i) => ({ fill: shades[i] }));
      const field = this.cells.field(view.id);
      const { width } = this.cells;
      const brush = (k, fx, fy) => {
        const value = qh.mix(field, k, width, fx, fy);
        let n = 0;
        while (n < levels.length && !qh.within(value, levels[n])) n++;
        return n;
      };
      const ramp = levels.map((level, i) => {
        const to = words.short(level);
        const text = i === 0 ? words.say("within", { minutes: to }) : words.say("between", { from: words.short(levels[i - 1]), to });
        return [paints[i], text];
      });
      return { paints: [...paints, {}], brush, ramp, list: [], sure: levels.length };
    }

    /* Covered, borderline, uncovered; a category with withheld minutes has no borderline. */
    answers(view, { minutes }) {
      const { words } = this;
      const values = { minutes: words.short(minutes) };
      const limits = view.withheld ? [minutes] : [1 - BORDERLINE, 1, 1 + BORDERLINE].map((x) => x * minutes);
      const paints = view.withheld
        ? [qh.paints.covered, qh.paints.uncovered]
        : [qh.paints.covered, qh.paints.nearlyCovered, qh.paints.nearlyUncovered, qh.paints.uncovered];
      const texts = view.withheld
        ? ["covered", "uncovered"]
        : ["covered", "borderline_covered", "borderline_uncovered", "uncovered"];
      const field = this.cells.field(view.id);
      const { width } = this.cells;
      const brush = (k, fx, fy) => {
        const value = qh.mix(field, k, width, fx, fy);
        let n = 0;
        while (n < limits.length && !qh.within(value, limits[n])) n++;
        return n;
      };
      const list = paints.map((paint, i) => [paint, words.say("answer_" + texts[i], values)]);
      return { paints, brush, ramp: [], list, sure: paints.length / 2 };
    }

    /* How many of the essential services are within reach. */
    count(view, effective) {
      const counted = qh.countedCategories(this.data, view, effective);
      const atThreshold = effective.minutes === this.data.threshold;
      const fields = counted.map((id) => this.cells.field(id));
      const { width } = this.cells;
      const { minutes } = effective;
      const perhaps = effective.ranged ? counted.map((id) => this.cells.perhapsField(id)) : [];
      const levels = fields.length + 1;
      const brush = (k, fx, fy) => {
        let n = 0;
        for (const field of fields) if (qh.within(qh.mix(field, k, width, fx, fy), minutes)) n++;
        return perhaps.some((field) => qh.mix(field, k, width, fx, fy) > HALF) ? n + levels : n;
      };
      const shades = qh.ramp(colours.reached, atThreshold ? view.total : counted.length);
      const plain = [{}, ...shades.map((fill) => ({ fill }))];
      const hatched = plain.map(({ fill }) => ({ ...qh.paints.perhaps, fill: fill || colours.paper }));
      const ramp = shades.map((fill, i) => [{ fill }, this.words.say("reach_n", { n: i + 1 })]);
      const list = perhaps.length ? [[hatched[0], this.words.say("perhaps_more")]] : [];
      return { paints: [...plain, ...hatched], brush, ramp, list };
    }

    /* Sure, perhaps and not, at an hour. */
    atHour(view, { hour }) {
      const { sure, most } = this.hours.fields(view.id, hour);
      const { width } = this.cells;
      const brush = (k, fx, fy) => {
        if (qh.mix(sure, k, width, fx, fy) > HALF) return 0;
        return qh.mix(most, k, width, fx, fy) > HALF ? 1 : 2;
      };
      const paints = [qh.paints.covered, qh.paints.perhaps, qh.paints.uncovered];
      const texts = ["open_sure", "open_perhaps", "open_not"];
      const values = { minutes: this.words.short(this.data.threshold) };
      return { paints, brush, ramp: [], list: paints.map((paint, i) => [paint, this.words.say(texts[i], values)]) };
    }

    /* How many are open for sure within reach; hatched where there are perhaps more. */
    countAtHour(view, effective) {
      const counted = qh.countedCategories(this.data, view, effective);
      const fields = counted.map((id) => this.hours.fields(id, effective.hour));
      const { width } = this.cells;
      const levels = counted.length + 1;
      const brush = (k, fx, fy) => {
        let [n, more] = [0, 0];
        for (const { sure, most } of fields) {
          if (qh.mix(sure, k, width, fx, fy) > HALF) n++;
          else if (qh.mix(most, k, width, fx, fy) > HALF) more = levels;
        }
        return n + more;
      };
      const shades = qh.ramp(colours.reached, counted.length);
      const plain = [{}, ...shades.map((fill) => ({ fill }))];
      const hatched = plain.map(({ fill }) => ({ ...qh.paints.perhaps, fill: fill || colours.paper }));
      const ramp = shades.map((fill, i) => [{ fill }, this.words.say("reach_n", { n: i + 1 })]);
      return { paints: [...plain, ...hatched], brush, ramp, list: [[hatched[0], this.words.say("open_more")]] };
    }
  };
})(window.quartHeure);
