/* The controls of the panel: they read what is chosen, and show what is in effect. */
"use strict";

(function (qh) {
  const { el, byId } = qh;

  const HOURS_OF_DAY = 24;
  const DAYS = 7;

  const all = (selector) => [...document.querySelectorAll(selector)];

  qh.Controls = class {
    /* `on` has what to do: view, minutes, mode, hour, layer, district, reset. */
    constructor(data, words, on) {
      Object.assign(this, { data, words, on });
      this.writeMinutes();
      this.writeHours();
      this.markChoices();
      this.listen();
    }

    writeMinutes() {
      const { data, words } = this;
      byId("minutes-choices").replaceChildren(
        ...data.thresholds.map((minutes) =>
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
      const { data, words } = this;
      const shown = data.hours && Object.keys(data.hours.categories).length > 0;
      byId("hours").hidden = !shown;
      if (!shown) return;
      const option = (value, text) => el("option", { value: String(value) }, text);
      byId("day").append(
        ...Array.from({ length: DAYS }, (_, day) => option(day, qh.dateName(words, data.hours, day)))
      );
      byId("hour").append(
        ...Array.from({ length: HOURS_OF_DAY }, (_, hour) => option(hour, words.say("hour", { n: hour })))
      );
      byId("hour").value = "12";
    }

    markChoices() {
      for (const choice of all(".choice")) {
        const view = this.data.views.find((one) => one.id === choice.dataset.view);
        if (view.kind !== "category") continue;
        choice.querySelector(".name").prepend(qh.mark(view.colour, qh.shapeOf(this.data, view.id), "in"));
      }
    }

    listen() {
      const { on } = this;
      for (const input of all("input[name=view]")) input.addEventListener("change", () => on.view(input.value));
      for (const input of all("input[name=mode]")) input.addEventListener("change", () => on.mode(input.value));
      for (const input of all("input[name=minutes]")) {
        input.addEventListener("change", () => on.minutes(Number(input.value)));
      }
      for (const input of all("input[data-layer]")) {
        input.addEventListener("change", () => on.layer(input.dataset.layer, input.checked));
      }
      for (const id of ["day", "hour"]) byId(id).addEventListener("change", () => on.hour(this.hour()));
      byId("go-to").addEventListener("change", () => on.district(byId("go-to").value));
      byId("reset").addEventListener("click", () => on.reset());
    }

    hour() {
      const day = byId("day").value;
      return day === "" ? null : qh.hourOf(Number(day), Number(byId("hour").value));
    }

    /* The shares beside the categories follow the threshold and the hour. */
    showShares(effective, figures) {
      const { data, words } = this;
      for (const choice of all(".choice")) {
        const view = data.views.find((one) => one.id === choice.dataset.view);
        if (view.kind !== "category") continue;
        const share = figures.share(view, effective);
        choice.querySelector(".share").textContent = figures.shareText(view, effective);
        choice.querySelector("meter").value = share || 0;
      }
      const plain = data.views[0].range ? "share_hint_sure" : "share_hint";
      const key = figures.of(effective.hour === null ? plain : "share_hint_hour");
      const hour = effective.hour === null ? "" : qh.hourName(words, effective.hour);
      byId("share-hint").textContent = words.say(key, { minutes: words.short(effective.minutes), hour });
    }

    /* Show what is chosen; what has no effect on this view cannot be chosen. */
    show(chosen, view, effective, switches) {
      const check = (name, value) => {
        for (const input of all("input[name=" + name + "]")) input.checked = input.value === String(value);
      };
      check("view", view.id);
      check("minutes", effective.minutes);
      check("mode", effective.mode);
      const fixed = effective.hour !== null || Boolean(view.withheld);
      for (const input of all("input[name=minutes]")) input.disabled = fixed && input.value !== String(this.data.threshold);
      byId("mode").hidden = view.kind === "composite";
      const answers = effective.hour !== null || Boolean(view.withheld);
      for (const input of all("input[name=mode]")) input.disabled = answers && input.value !== "covered";
      byId("day").value = chosen.hour === null ? "" : String(Math.floor(chosen.hour / HOURS_OF_DAY));
      if (chosen.hour !== null) byId("hour").value = String(chosen.hour % HOURS_OF_DAY);
      byId("hour").disabled = chosen.hour === null;
      for (const input of all("input[data-layer]")) input.checked = switches[input.dataset.layer];
    }
  };
})(window.quartHeure);
