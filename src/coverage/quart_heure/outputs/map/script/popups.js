/* What the map says of a gap and of a service. */
"use strict";

(function (qh) {
  const el = qh.el;

  const DISTRICTS_NAMED = 4;

  function details(pairs) {
    const list = el("dl");
    for (const [term, value] of pairs) {
      if (value) list.append(el("dt", {}, term), el("dd", { dir: "auto" }, value));
    }
    return list;
  }

  qh.isLarge = (gap) => gap.districts.length > DISTRICTS_NAMED;

  /* The districts of a zone; a large one touches many. */
  qh.districtsOf = function (words, gap) {
    const named = gap.districts.slice(0, DISTRICTS_NAMED).join(", ");
    const more = gap.districts.length - DISTRICTS_NAMED;
    return more > 0 ? named + words.say("districts_more", { n: more }) : named;
  };

  /* `rounded` is whether minutes are rounded up for discretion; `here` is what is known of the place
     that was clicked; `onList` leads back to the list. */
  qh.gapPopup = function (words, data, { gap, rounded }, here, onList) {
    const [least, median, most] = gap.minutes;
    const size = [words.say("area_ha", { n: words.number(gap.area_ha, gap.area_ha < 10 ? 1 : 0) })];
    if (data.residents) size.unshift(words.count("residents_count", gap.residents));
    const minutes =
      median === null
        ? words.say(qh.asked(data) ? "unreachable_sure" : "unreachable")
        : words.say(rounded ? "gap_minutes_rounded" : "gap_minutes_value", {
            median: words.number(median),
            min: words.number(least),
            max: most === null ? "∞" : words.number(most),
            step: data.round_min,
          });
    const nearest = gap.discreet ? words.say("gap_nearest_unshown") : gap.nearest;
    return el(
      "div",
      { class: "popup", tabindex: "-1" },
      el("h2", { dir: "auto" }, words.say("gap_title", { rank: gap.rank, place: qh.placeOf(words, gap) })),
      details([
        [words.say("gap_where"), qh.isLarge(gap) ? "" : qh.districtsOf(words, gap)],
        [words.say("gap_size"), size.join(" · ")],
        [words.say("gap_minutes"), minutes],
        [words.say("gap_nearest"), nearest],
        [words.say("gap_cause"), words.table.cause_words[gap.cause] || gap.cause],
        [words.say("gap_opens"), gap.opens && qh.momentTold(words, gap.opens)],
      ]),
      el("button", { type: "button", class: "link", onclick: onList }, words.say("gap_in_list")),
      here
    );
  };

  /* A street says where a zone is, unless the zone is as large as several districts. */
  qh.placeOf = function (words, gap) {
    if (qh.isLarge(gap)) return qh.districtsOf(words, gap);
    return gap.street || words.say("gap_unnamed");
  };

  /* The district that holds a place, by the ray that leaves it westwards; null outside all. */
  qh.districtHolding = function (districts, { lat, lng }) {
    const crosses = ([y, x], [nextY, nextX]) =>
      y > lat !== nextY > lat && lng > x + ((nextX - x) * (lat - y)) / (nextY - y);
    const inside = (rings) =>
      rings.reduce((found, ring) => {
        const hits = ring.filter((at, i) => crosses(at, ring[(i + 1) % ring.length])).length;
        return found !== (hits % 2 === 1);
      }, false);
    return districts.find((district) => qh.polygon(district.shape).some(inside)) || null;
  };

  /* Whether the study asked for an hour or a person: minutes are then to what is sure. */
  qh.asked = (data) => Boolean(data.views[0].range);

  /* A moment of the local clock, in words. */
  qh.momentTold = function (words, iso) {
    const form = { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", timeZone: "UTC" };
    return new Intl.DateTimeFormat(words.table.locale, form).format(new Date(iso + "Z"));
  };

  /* Minutes as they are told: rounded up, so that 15 never stands for more than 15. */
  qh.minutesTold = function (words, cells, { minutes, place }) {
    if (minutes === Infinity) return words.say("here_unreachable");
    if (minutes === null) return words.say("here_over", { n: words.number(cells.furthest) });
    const told = words.number(Math.ceil(minutes - 1e-6));
    return words.say(place === -1 ? "here_at_most" : "minutes", { n: told });
  };

  /* Minutes from a place to the nearest service of each category, and which one it is.
     `place` is {title, cell, hour}; `visit(service)` is called with the one that is chosen. */
  qh.placePopup = function (words, { data, cells, hours }, place, visit) {
    const categories = data.views.filter((view) => view.kind === "category");
    const hourly = place.hour !== null;
    const line = (view) => {
      const told = cells.tell(view.id, place.cell);
      const service = told.place === null || told.place === -1 ? null : data.services[told.place];
      const name = service && (service.name || words.say("unnamed"));
      const near = told.minutes !== null && told.minutes <= data.threshold;
      const which = service
        ? el("button", { type: "button", class: "link", dir: "auto", onclick: () => visit(service) }, name)
        : told.place === -1
          ? words.say("here_unshown")
          : "";
      const perhaps = !hourly && cells.isPerhaps(view.id, place.cell);
      const state = hourly && hours.has(view.id) ? hours.tell(view.id, place.hour, place.cell) : null;
      return el(
        "tr",
        { class: near ? "near" : "" },
        el("th", { scope: "row", dir: "auto" }, view.label, el("span", { class: "which" }, which)),
        el("td", {}, perhaps ? words.say("here_perhaps", { n: words.short(data.threshold) }) : qh.minutesTold(words, cells, told)),
        hourly ? el("td", {}, state === null ? words.table.unknown : words.say("here_state_" + state)) : ""
      );
    };
    if (cells.isOff(place.cell)) {
      const off = el("p", {}, words.say("here_off_network"));
      return el("section", {}, el("h2", { dir: "auto" }, place.title), off);
    }
    const heading = (text) => el("th", { scope: "col" }, text);
    const open = hourly ? heading(words.say("here_open", { hour: qh.hourName(words, place.hour) })) : "";
    return el(
      "section",
      {},
      el("h2", { dir: "auto" }, place.title),
      el(
        "table",
        { class: "here" },
        el("caption", {}, words.say(qh.asked(data) && !hourly ? "here_caption_sure" : "here_caption")),
        el("thead", {}, el("tr", {}, heading(words.say("here_nearest")), heading(words.say("here_minutes")), open)),
        el("tbody", {}, ...categories.map(line))
      )
    );
  };

  /* `at` is {hour, state} of the hour that is shown, both null where hours play no part. */
  qh.servicePopup = function (words, service, category, at) {
    const source = [service.source, service.source_date].filter(Boolean).join(" – ");
    const notes = [];
    if (service.left_out) notes.push(words.say("not_counted", { reason: service.left_out }));
    else if (service.outside) notes.push(words.say("outside"));
    return el(
      "div",
      { class: "popup", tabindex: "-1" },
      el("h2", { dir: "auto" }, service.name || words.say("unnamed")),
      el("p", { class: "kind" }, category),
      ...notes.map((note) => el("p", { class: "note" }, note)),
      details([
        [words.say("address"), service.address],
        [words.say("hours"), service.hours || words.say("hours_unknown")],
        ...(at.hour === null
          ? []
          : [[words.say("open_at", { hour: qh.hourName(words, at.hour) }), words.say("here_state_" + at.state)]]),
        [words.say("access"), service.access],
        [words.say("audience"), service.audience],
        [words.say("capacity"), service.capacity],
        [words.say("operator"), service.operator],
        [words.say("status"), service.status],
      ]),
      source ? el("p", { class: "source", dir: "auto" }, words.say("source_line", { source })) : ""
    );
  };
})(window.quartHeure);
