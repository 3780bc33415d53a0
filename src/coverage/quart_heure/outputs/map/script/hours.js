/* Hours of the week: which cells are covered by a place that is open, or perhaps open. */

/** @import { CategoryHours, PackedHours, PageData, Service } from "./types.js" */
/** @import { Cells } from "./cells.js" */
/** @import { Words } from "./words.js" */

/**
 * Fields of 0 and 1 for drawing: covered for sure, and covered at most.
 * @typedef {{ state: number, sure: Float32Array, most: Float32Array }} HourFields
 */

import { inflate, unpack, unpackEach, unpackNumbers } from "./cells.js";
import { constants } from "./page.js";

const MONDAY = Date.UTC(2024, 0, 1); // a Monday, to ask the language for the names of the days
const DAY_MS = 24 * 3600e3;

const DAY = constants.hours_of_day;
export const HOURS = constants.days * DAY;

/**
 * The categories that have hours in the page.
 * @param {PageData} data
 */
export const categoriesOf = (data) => (data.hours ? data.hours.categories : {});

export class Hours {
  /**
   * @param {PageData} data
   * @param {Cells} cells
   * @param {Record<string, Uint32Array>} classes
   * @param {Record<string, Uint8Array>} tables
   * @param {Uint8Array} services
   */
  constructor(data, cells, classes, tables, services) {
    /** @type {Record<string, CategoryHours>} */
    this.categories = categoriesOf(data);
    this.composite = (data.hours && data.hours.composite) || null;
    this.cells = cells;
    this.classes = classes;
    this.tables = tables;
    this.services = services;
    this.places = new Map(data.services.map((service, place) => [service, place]));
    /** @type {Record<string, HourFields>} */
    this.drawn = {};
  }

  /**
   * @param {PageData} data
   * @param {Cells} cells
   */
  static async open(data, cells) {
    const categories = categoriesOf(data);
    const [classes, tables] = await Promise.all([
      unpackEach(categories, (one) => unpackNumbers(one.classes)),
      unpackEach(categories, (one) => inflate(one.table)),
    ]);
    const services = data.hours && data.hours.services ? await unpack(data.hours.services) : new Uint8Array();
    return new Hours(data, cells, classes, tables, services);
  }

  /** @param {string} category */
  has(category) {
    return category in this.categories;
  }

  /**
   * @param {string} category
   * @param {number} hour
   */
  stateOf(category, hour) {
    return this.categories[category].hours[hour];
  }

  /**
   * Whether a cell is covered: `sure`, `perhaps` or 0.
   * @param {string} category
   * @param {number} hour
   * @param {number} cell
   */
  tell(category, hour, cell) {
    const states = this.categories[category].ends.length;
    const number = this.classes[category][cell];
    return number === 0 ? 0 : this.tables[category][(number - 1) * states + this.stateOf(category, hour)];
  }

  /**
   * The same of a service.
   * @param {Service} service
   * @param {number} hour
   */
  tellService(service, hour) {
    const place = this.places.get(service);
    return place === undefined ? 0 : this.services[place * HOURS + hour];
  }

  /**
   * @param {string} category
   * @param {number} hour
   * @returns {HourFields}
   */
  fields(category, hour) {
    const state = this.stateOf(category, hour);
    const before = this.drawn[category];
    if (before && before.state === state) return before;
    /** @param {number} cell */
    const told = (cell) => this.tell(category, hour, cell);
    /** @param {number} cell */
    const missing = (cell) => this.classes[category][cell] === 0 || this.cells.isOff(cell);
    this.drawn[category] = {
      state,
      sure: this.cells.filled((i) => (told(i) === constants.sure ? 1 : 0), missing),
      most: this.cells.filled((i) => (told(i) > 0 ? 1 : 0), missing),
    };
    return this.drawn[category];
  }

  /**
   * What is covered for sure and at most, by row of the table.
   * @param {string} category
   * @param {number} hour
   */
  ends(category, hour) {
    return this.categories[category].ends[this.stateOf(category, hour)];
  }

  /**
   * Shares by number of essential categories open for sure within reach, by row of the table.
   * @param {number} hour
   */
  shares(hour) {
    return this.composite ? this.composite.shares_pct[this.composite.hours[hour]] : [];
  }

  /**
   * Shares with at least one of them, for sure and at most, by row of the table.
   * @param {number} hour
   */
  anyOf(hour) {
    const most = this.composite ? this.composite.any_at_most_pct[this.composite.hours[hour]] : [];
    return { at_least_pct: this.shares(hour).map(([none]) => 100 - (none || 0)), at_most_pct: most };
  }
}

/**
 * @param {string} locale
 * @param {number} day
 */
function dayName(locale, day) {
  const form = new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" });
  return form.format(new Date(MONDAY + day * DAY_MS));
}

/**
 * "dimanche 21 septembre", and whether it is a public holiday.
 * @param {Words} words
 * @param {PackedHours} hours
 * @param {number} day
 */
export function dateName(words, hours, day) {
  const form = new Intl.DateTimeFormat(words.locale, { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });
  const name = form.format(new Date(Date.parse(hours.monday || "") + day * DAY_MS));
  return hours.holidays.includes(day) ? words.say("holiday", { day: name }) : name;
}

/**
 * @param {number} day
 * @param {number} hour
 */
export const hourOf = (day, hour) => day * DAY + hour;

/** @param {number} number */
export const dayAndHour = (number) => ({ day: Math.floor(number / DAY), hour: number % DAY });

/**
 * "mardi à 20 h"
 * @param {Words} words
 * @param {number} number
 */
export function hourName(words, number) {
  const { day, hour } = dayAndHour(number);
  return words.say("hour_of_day", { day: dayName(words.locale, day), hour: words.say("hour", { n: hour }) });
}
