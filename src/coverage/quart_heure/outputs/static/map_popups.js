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

  qh.gapPopup = function (words, data, gap) {
    const [least, median, most] = gap.minutes;
    const size = [words.say("area_ha", { n: words.number(gap.area_ha, gap.area_ha < 10 ? 1 : 0) })];
    if (data.residents) size.unshift(words.count("residents_count", gap.residents));
    const minutes =
      median === null
        ? words.say("unreachable")
        : words.say("gap_minutes_value", {
            median: words.number(median),
            min: words.number(least),
            max: most === null ? "∞" : words.number(most),
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
      ])
    );
  };

  /* A street says where a zone is, unless the zone is as large as several districts. */
  qh.placeOf = function (words, gap) {
    if (qh.isLarge(gap)) return qh.districtsOf(words, gap);
    return gap.street || words.say("gap_unnamed");
  };

  qh.servicePopup = function (words, service, category) {
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
