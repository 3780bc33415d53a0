/* The sentence at the head of the page: who has none of what is shown, and how sure that is. */

/** @import { PageData, View } from "./types.js" */
/** @import { Hours } from "./hours.js" */
/** @import { Effective } from "./scene.js" */
/** @import { Tally } from "./tally.js" */
/** @import { Words } from "./words.js" */

/** @typedef {{ codes: Record<string, Uint8Array> }} Before the changes that are supposed: the minutes of every category */

/** Who has none at least and at most, in per cent and people. @typedef {{ least: number, most: number, all: number }} Lacking */

import { hourName } from "./hours.js";
import { byId, constants } from "./page.js";
import { isJudged } from "./scene.js";

const MILLION = 1e6;
const MOVES = 1; // per cent: less is not told
const { borderline } = constants;

export class Sentence {
  /**
   * @param {PageData} data
   * @param {Words} words
   * @param {Hours} hours
   * @param {Tally} tally
   */
  constructor(data, words, hours, tally) {
    this.data = data;
    this.words = words;
    this.hours = hours;
    this.tally = tally;
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   * @param {number} row of the district that is looked at, or the last
   * @param {Before | null} before where something is supposed
   */
  write(view, effective, row, before) {
    byId("sentence").textContent = this.said(view, effective, row, before);
    byId("doubt").textContent = this.doubts(view, effective, row, before).join(" ");
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   * @param {number} row
   * @param {Before | null} before
   */
  said(view, effective, row, before) {
    const { words } = this;
    if (view.kind === "category" && !isJudged(view)) return words.say("sentence_unjudged", { category: view.label });
    const lacking = this.lacking(view, effective, row);
    const said = this.led(this.claim(view, effective, lacking), effective, row);
    if (!before || lacking.least !== lacking.most) return said;
    const was = this.tally.lack(view, effective.minutes, row, before.codes);
    return said + " " + words.say("sentence_supposed", { share: this.share(was.share || 0) });
  }

  /**
   * @param {View} view
   * @param {Effective} effective
   * @param {number} row
   * @returns {Lacking}
   */
  lacking(view, { minutes, hour, ranged }, row) {
    const all = this.tally.all[row];
    /** @type {(least: number | null, most: number | null) => Lacking} what is covered at least and at most */
    const without = (least, most) => ({ least: 100 - (most ?? 100), most: 100 - (least ?? 0), all });
    if (hour !== null) {
      if (view.kind === "composite") {
        const ends = this.hours.anyOf(hour);
        return without(ends.at_least_pct[row], ends.at_most_pct[row]);
      }
      const ends = this.hours.ends(view.id, hour);
      return without(ends.at_least_pct[row], ends.at_most_pct[row]);
    }
    if (ranged && view.ends) return without(view.ends.at_least_pct[row], view.ends.at_most_pct[row]);
    const { share } = this.tally.lack(view, minutes, row);
    return { least: share || 0, most: share || 0, all };
  }

  /**
   * What is claimed, without where and when.
   * @param {View} view
   * @param {Effective} effective
   * @param {Lacking} lacking
   */
  claim(view, { minutes, hour, ranged }, { least, most, all }) {
    const { words, data } = this;
    const unit = data.residents ? "" : "_area";
    const composite = view.kind === "composite";
    const none = composite ? "" : view.none;
    const values = {
      minutes: words.short(minutes),
      n: data.said.total_word,
      none,
      category: composite ? "" : view.label,
    };
    const kind = composite ? "composite" : none ? "none" : "label";
    if (this.rounded(most) === 0 && most * all < 50) return words.say("claim_nobody_" + (composite ? kind : "none") + unit, values);
    const lack = words.say("claim_" + kind + (hour !== null || ranged ? "_asked" : "") + unit, values);
    const one = this.rounded(least) === this.rounded(most);
    const share = one ? this.share(most) : words.say("share_range", { least: this.whole(least), most: this.share(most) });
    if (!data.residents) return words.say(one ? "claim_area" : "claim_area_range", { share, lack });
    if (one) return words.say("claim_people", { people: this.people((most * all) / 100), share, lack });
    const people = [least, most].map((end) => rounded((end * all) / 100));
    const large = Math.min(...people) >= MILLION;
    const [low, high] = people.map((n) => (large ? words.number(n / MILLION, 1) : words.number(n)));
    return words.say(large ? "claim_range_million" : "claim_range", { low, high, share, lack });
  }

  /**
   * Where and when lead, where they are chosen.
   * @param {string} claim
   * @param {Effective} effective
   * @param {number} row
   */
  led(claim, { hour }, row) {
    const { words, data } = this;
    const place = row < data.rows.length - 1 ? data.places[row] : "";
    const when = hour === null ? "" : hourName(words, hour);
    if (place) return words.say("sentence_place", { place: [place, when].filter(Boolean).join(", "), claim });
    return capital(when ? words.say("sentence_when", { when, claim }) : claim);
  }

  /**
   * What moves the figure, beside it.
   * @param {View} view
   * @param {Effective} effective
   * @param {number} row
   * @param {Before | null} before
   */
  doubts(view, effective, row, before) {
    const { words, tally } = this;
    if (!isJudged(view)) return [];
    const { least, most } = this.lacking(view, effective, row);
    if (effective.hour !== null || effective.ranged) {
      if (this.rounded(least) === this.rounded(most)) return [];
      return [words.say(effective.hour !== null ? "doubt_hours" : "doubt_asked")];
    }
    const [fast, slow] = [1 + borderline, 1 - borderline].map((by) => tally.lack(view, effective.minutes * by, row).share || 0);
    const confirmed = effective.standard && !before ? view.confirmed_pct[row] : null;
    const known = [];
    let [low, high] = [least, most];
    if (slow - least >= MOVES || least - fast >= MOVES) {
      known.push(words.say("doubt_speed", { low: this.whole(fast), high: this.share(slow) }));
      [low, high] = [fast, slow];
    }
    if (confirmed !== null && confirmed !== undefined && 100 - confirmed - least >= MOVES) {
      known.push(words.say("doubt_confirmed", { share: this.share(100 - confirmed) }));
      high = Math.max(high, 100 - confirmed);
    }
    if (!known.length) return [];
    return [words.say("doubt", { low: this.whole(low), high: this.share(high), known: known.join(words.say("doubt_and")) })];
  }

  /**
   * Per cent in whole numbers; what is little is not nothing, nor almost all all.
   * @param {number} share
   */
  whole(share) {
    if (share > 0 && share < 0.5) return "<" + this.words.number(1);
    if (share < 100 && share > 99.5) return ">" + this.words.number(99);
    return this.words.number(Math.round(share));
  }

  /** @param {number} share */
  share(share) {
    return this.words.say("percent", { n: this.whole(share) });
  }

  /** @param {number} share */
  rounded(share) {
    return Math.round(share);
  }

  /**
   * "1,6 million d’habitants": to two digits, for no more is known.
   * @param {number} count
   */
  people(count) {
    const { words } = this;
    const about = rounded(count);
    if (about >= MILLION) {
      const key = words.plurals.select(about / MILLION) === "one" ? "people_million_one" : "people_million";
      return words.say(key, { n: words.number(about / MILLION, 1) });
    }
    return words.count(about < 100 ? "people_exact" : "people_about", about);
  }
}

/**
 * To two digits.
 * @param {number} value
 */
export function rounded(value) {
  if (value < 100) return Math.round(value);
  const step = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.round(value / step) * step;
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1);
