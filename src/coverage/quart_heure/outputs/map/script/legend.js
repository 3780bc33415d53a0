/* The legend: it says what is painted, and nothing else. */
"use strict";

(function (qh) {
  const { el, byId } = qh;

  const KINDS = {
    in: "service_in",
    out: "service_out",
    open: "service_open_2",
    perhaps: "service_open_1",
    closed: "service_open_0",
    left: "service_left",
  };

  qh.Legend = class {
    constructor(data, words, layers) {
      Object.assign(this, { data, words, layers });
    }

    write(view, effective, scene, switches) {
      const { words, data } = this;
      const values = {
        minutes: words.short(effective.minutes),
        ha: words.short(data.gap_ha),
        category: view.label,
      };
      if (effective.hour !== null) values.hour = qh.hourName(words, effective.hour);
      byId("legend-title").textContent = words.say(this.title(view, effective), values);
      byId("legend-ramp").replaceChildren(
        ...scene.ramp.map(([paint, text]) => el("li", {}, qh.swatch(paint), text))
      );
      byId("legend-ramp").hidden = scene.ramp.length === 0;
      const entries = scene.list.map(([paint, text]) => [qh.swatch(paint), text]);
      entries.push(...this.beyond(view, effective, values));
      if (view.gaps.length && switches.gaps) entries.push(this.gap(view, effective, values));
      entries.push([qh.swatch({ fill: qh.colours.offNetwork }), words.say("off_network")]);
      if (switches.services) entries.push(...this.services(view, effective.hour));
      byId("legend-list").replaceChildren(
        ...entries.map(([mark, text]) => el("li", {}, mark, el("span", {}, text)))
      );
    }

    title(view, effective) {
      const composite = view.kind === "composite";
      if (effective.hour !== null) return composite ? "legend_composite_hour" : "legend_hour";
      if (composite) return "legend_composite";
      return effective.mode === "covered" ? "legend_answers" : "legend_category";
    }

    /* What is left unpainted. Answers are painted to the last one. */
    beyond(view, effective, values) {
      const composite = view.kind === "composite";
      if (effective.mode === "covered" && !composite) return [];
      const near = effective.standard && !effective.ranged && view.gaps.length > 0;
      if (effective.ranged) return [[qh.swatch({}), this.words.say(composite ? "none_all" : "not_even_perhaps", values)]];
      const key = composite ? (near ? "none_near" : "none_all") : near ? "beyond_near" : "beyond_all";
      return [[qh.swatch({}), this.words.say(key, values)]];
    }

    gap(view, effective, values) {
      const minutes = this.words.short(this.data.threshold);
      const filled = view.kind === "composite" ? "beyond_none" : "beyond";
      const painted = effective.standard && !effective.ranged;
      const key = painted ? filled : "beyond_outline";
      return [qh.gapSwatch(painted), this.words.say(key, { ...values, minutes })];
    }

    services(view, hour) {
      const { words, data } = this;
      const services = this.layers.servicesOf(view);
      if (services.length === 0) return [];
      const composite = view.kind === "composite";
      if (composite && hour === null) return [[qh.mark(qh.colours.ink, null, "in"), words.say("service_any")]];
      const colour = composite ? qh.colours.ink : view.colour;
      const shape = composite ? null : qh.shapeOf(data, view.id);
      const present = new Set(services.map((service) => qh.kindOf(service, this.layers.hours, hour)));
      return Object.entries(KINDS)
        .filter(([kind]) => present.has(kind))
        .map(([kind, key]) => [qh.mark(colour, shape, kind), words.say(key)]);
    }
  };
})(window.quartHeure);
