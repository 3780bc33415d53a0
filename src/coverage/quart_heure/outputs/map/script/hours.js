/* Hours of the week: which cells are covered by a place that is open, or perhaps open. */
"use strict";

(function (qh) {
  const DAY = 24;
  const MONDAY = Date.UTC(2024, 0, 1); // a Monday, to ask the language for the names of the days

  const HOURS = 7 * DAY;
  const SURE = 2;

  qh.Hours = class {
    constructor(packed, cells) {
      this.packed = packed || { categories: {} };
      this.cells = cells;
      this.classes = {};
      this.tables = {};
      this.drawn = { key: null, fields: {} };
    }

    async open() {
      const every = Object.entries(this.packed.categories).map(async ([category, one]) => {
        const planes = await qh.unpack(one.classes);
        const half = planes.length / 2;
        this.classes[category] = Uint16Array.from({ length: half }, (_, i) => planes[i] | (planes[half + i] << 8));
        this.tables[category] = await qh.inflate(one.table);
      });
      await Promise.all(every);
      if (this.packed.services) this.services = await qh.unpack(this.packed.services);
      return this;
    }

    has(category) {
      return category in this.packed.categories;
    }

    stateOf(category, hour) {
      return this.packed.categories[category].hours[hour];
    }

    /* 2 for covered for sure, 1 for perhaps, 0 for not. */
    tell(category, hour, cell) {
      const { states } = this.packed.categories[category];
      const number = this.classes[category][cell];
      return number === 0 ? 0 : this.tables[category][(number - 1) * states + this.stateOf(category, hour)];
    }

    /* The same of a service by its place among those of the page: open, perhaps open, closed. */
    tellService(place, hour) {
      return this.services[place * HOURS + hour];
    }

    /* Fields of 0 and 1 for drawing: covered for sure, and covered at most. */
    fields(category, hour) {
      const state = this.stateOf(category, hour);
      const before = this.drawn.fields[category];
      if (before && before.state === state) return before;
      const told = (i) => this.tell(category, hour, i);
      const missing = (i) => this.classes[category][i] === 0 || this.cells.isOff(i);
      const found = {
        state,
        sure: this.cells.filled((i) => (told(i) === SURE ? 1 : 0), missing),
        most: this.cells.filled((i) => (told(i) > 0 ? 1 : 0), missing),
      };
      this.drawn.fields[category] = found;
      return found;
    }

    /* [share at least, share at most, residents at least, residents at most] by row of the table. */
    rows(category, hour) {
      return this.packed.categories[category].rows[this.stateOf(category, hour)];
    }

    /* Shares by number of essential categories open for sure within reach, by row of the table. */
    counts(hour) {
      const { hours, rows } = this.packed.composite;
      return rows[hours[hour]];
    }
  };

  qh.dayName = function (locale, day) {
    const form = new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" });
    return form.format(new Date(MONDAY + day * DAY * 3600e3));
  };

  /* "dimanche 21 septembre", and whether it is a public holiday. */
  qh.dateName = function (words, hours, day) {
    const form = new Intl.DateTimeFormat(words.table.locale, { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });
    const name = form.format(new Date(Date.parse(hours.monday) + day * DAY * 3600e3));
    return hours.holidays.includes(day) ? words.say("holiday", { day: name }) : name;
  };

  qh.hourOf = (day, hour) => day * DAY + hour;

  /* "mardi à 20 h" */
  qh.hourName = function (words, number) {
    const day = qh.dayName(words.table.locale, Math.floor(number / DAY));
    return words.say("hour_of_day", { day, hour: words.say("hour", { n: number % DAY }) });
  };
})(window.quartHeure);
