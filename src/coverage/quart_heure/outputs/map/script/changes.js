/* Changes as an address and as a scenario file of the command line: written, and read strictly. */

/** @import { Change } from "./supposed.js" */

/**
 * A change as it is written: services by their id.
 * @typedef {{ kind: "add", category: string, lat: number, lng: number, name: string }} WrittenAdd
 * @typedef {{ kind: "close", id: string }} WrittenClose
 * @typedef {{ kind: "move", id: string, lat: number, lng: number }} WrittenMove
 * @typedef {WrittenAdd | WrittenClose | WrittenMove} Written
 */

const MOST = 200;
const LONGEST = 200; // letters of a name

/**
 * @param {Change[]} changes
 * @param {string[]} ids of the services of the page
 * @returns {Written[]}
 */
export const written = (changes, ids) =>
  changes.map((change) => {
    if (change.kind === "close") return { kind: "close", id: ids[change.place] };
    const { lat, lng } = change.at;
    if (change.kind === "move") return { kind: "move", id: ids[change.place], lat, lng };
    return { kind: "add", category: change.category, lat, lng, name: change.name };
  });

/**
 * A name without accents and capitals, as the command line compares them.
 * @param {string} name
 */
const plain = (name) => name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();

/**
 * The position of a service that is called by its id, or by a name that no other one has; else -1.
 * @param {string} called
 * @param {string[]} ids
 * @param {string[]} names
 */
function placeOf(called, ids, names) {
  const place = ids.indexOf(called);
  if (place >= 0) return place;
  const same = names.flatMap((name, n) => (name && plain(name) === plain(called) ? [n] : []));
  return same.length === 1 ? same[0] : -1;
}

/**
 * What is written of services that the page has, in categories that it has; the rest is left out.
 * @param {Written[]} list
 * @param {string[]} ids
 * @param {string[]} names
 * @param {(category: string) => boolean} known
 * @param {(n: number, category: string) => string} named
 * @param {(place: number) => string} categoryOf
 * @returns {{ changes: Change[], left: number }}
 */
export function understood(list, ids, names, known, named, categoryOf) {
  /** @type {Change[]} */
  const changes = [];
  for (const one of list.slice(0, MOST)) {
    if (one.kind === "add") {
      if (!known(one.category)) continue;
      const name = one.name || named(changes.length + 1, one.category);
      changes.push({ kind: "add", category: one.category, at: L.latLng(one.lat, one.lng), name });
      continue;
    }
    const place = placeOf(one.id, ids, names);
    if (place < 0 || !known(categoryOf(place))) continue;
    // A service is closed or moved once.
    if (changes.some((change) => change.kind !== "add" && change.place === place)) continue;
    if (one.kind === "close") changes.push({ kind: "close", place });
    else changes.push({ kind: "move", place, at: L.latLng(one.lat, one.lng) });
  }
  return { changes, left: list.length - changes.length };
}

/* ---- in the address ---- */

/** @param {Written[]} list */
export const toAddress = (list) =>
  list
    .map((one) => {
      if (one.kind === "close") return "-" + encodeURIComponent(one.id);
      const at = one.lat.toFixed(5) + "," + one.lng.toFixed(5);
      return one.kind === "add" ? "+" + encodeURIComponent(one.category) + "@" + at : "=" + encodeURIComponent(one.id) + "@" + at;
    })
    .join(";");

/**
 * @param {string} text
 * @returns {Written[]}
 */
export function fromAddress(text) {
  /** @type {Written[]} */
  const list = [];
  for (const part of text.split(";").slice(0, MOST)) {
    const found = /^([+=-])([^@]+)(?:@(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?))?$/.exec(part);
    if (!found) continue;
    const name = decoded(found[2]);
    const [lat, lng] = [Number(found[3]), Number(found[4])];
    if (found[1] === "-") list.push({ kind: "close", id: name });
    else if (!(Math.abs(lat) <= 85 && Math.abs(lng) <= 180)) continue;
    else if (found[1] === "+") list.push({ kind: "add", category: name, lat, lng, name: "" });
    else list.push({ kind: "move", id: name, lat, lng });
  }
  return list;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/* ---- in a file ---- */

/**
 * A string of TOML: what could end it or break its line is written as a code.
 * @param {string} text
 */
const quoted = (text) =>
  '"' +
  text.replace(/["\\]/g, (sign) => "\\" + sign).replace(/[\p{Cc}\u2028\u2029]/gu, (sign) => "\\u" + sign.charCodeAt(0).toString(16).padStart(4, "0")) +
  '"';

/**
 * A scenario file of the command line.
 * @param {Written[]} list
 * @param {string} name
 */
export function toFile(list, name) {
  const closed = list.flatMap((one) => (one.kind === "close" ? [one.id] : []));
  const lines = ["[[scenario]]", "name = " + quoted(name)];
  if (closed.length) lines.push("close = [" + closed.map(quoted).join(", ") + "]");
  for (const one of list) {
    if (one.kind === "close") continue;
    lines.push("", one.kind === "add" ? "[[scenario.add]]" : "[[scenario.move]]");
    if (one.kind === "add") lines.push("category = " + quoted(one.category), "name = " + quoted(one.name));
    else lines.push("service = " + quoted(one.id));
    lines.push("lat = " + one.lat.toFixed(6), "lon = " + one.lng.toFixed(6));
  }
  return lines.join("\n") + "\n";
}

/**
 * The first scenario of a file, as far as the page can follow it; what it cannot is counted.
 * @param {string} text
 * @returns {{ list: Written[], left: number }}
 */
export function fromFile(text) {
  /** @type {Written[]} */
  const list = [];
  let left = 0;
  let table = "";
  /** @type {Map<string, string | number | string[]>} */
  let values = new Map();
  const end = () => {
    if (table === "scenario") {
      for (const [key, value] of values) {
        if (key === "close" && Array.isArray(value)) list.push(...value.map((id) => /** @type {WrittenClose} */ ({ kind: "close", id })));
        else if (key !== "name" && key !== "description") left++;
      }
    } else if (table) {
      const one = placed(table, values);
      if (one) list.push(one);
      if (!one || values.has("hours")) left++;
    }
    values = new Map();
  };
  let scenarios = 0;
  for (const line of joined(text)) {
    const stripped = line.trim();
    if (!stripped || stripped.startsWith("#")) continue;
    const heading = /^\[\[?\s*([\w.]+)\s*\]?\]\s*(?:#.*)?$/.exec(stripped);
    if (heading) {
      end();
      table = heading[1];
      if (table === "scenario" && ++scenarios > 1) {
        left++;
        table = "";
        break;
      }
      continue;
    }
    const pair = /^([\w-]+)\s*=\s*(.+)$/.exec(stripped);
    const value = pair && valueOf(pair[2]);
    if (!pair || value === null) left++;
    else values.set(pair[1], value);
  }
  end();
  return { list, left };
}

/**
 * The lines of a file, those of a list of several lines as one.
 * @param {string} text
 */
function joined(text) {
  /** @type {string[]} */
  const lines = [];
  let open = false;
  for (const line of text.split(/\r?\n/)) {
    const bare = line.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, "").replace(/#.*$/, "");
    const kept = open || /=\s*\[/.test(bare) ? line.replace(/^((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^"'#])*)#.*$/, "$1") : line;
    if (open) lines[lines.length - 1] += " " + kept.trim();
    else lines.push(kept);
    open = (open || /=\s*\[/.test(bare)) && !bare.includes("]");
  }
  return lines;
}

/**
 * @param {string} table
 * @param {Map<string, string | number | string[]>} values
 * @returns {Written | null}
 */
function placed(table, values) {
  const [lat, lng] = [values.get("lat"), values.get("lon")];
  if (typeof lat !== "number" || typeof lng !== "number" || !(Math.abs(lat) <= 85 && Math.abs(lng) <= 180)) return null;
  if (table === "scenario.add") {
    const [category, name] = [values.get("category"), values.get("name")];
    if (typeof category !== "string") return null;
    return { kind: "add", category, lat, lng, name: typeof name === "string" ? name.slice(0, LONGEST) : "" };
  }
  const id = values.get("service");
  return table === "scenario.move" && typeof id === "string" ? { kind: "move", id, lat, lng } : null;
}

/**
 * A value of TOML: text, a number or a list of texts; null for anything else.
 * @param {string} text
 * @returns {string | number | string[] | null}
 */
function valueOf(text) {
  const stripped = text.trim();
  if (/^[+-]?\d+(\.\d+)?\s*(#.*)?$/.test(stripped)) return Number.parseFloat(stripped);
  const parts = [];
  let rest = stripped.startsWith("[") ? stripped.slice(1).trim() : stripped;
  // A list may end with a comma.
  for (;;) {
    const found = /^(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(,?)\s*/.exec(rest);
    if (!found) break;
    parts.push(found[1] === undefined ? found[2] : unquoted(found[1]));
    rest = rest.slice(found[0].length);
    if (!found[3]) break;
  }
  if (parts.some((part) => part === null)) return null;
  const texts = /** @type {string[]} */ (parts);
  if (!stripped.startsWith("[")) return texts.length === 1 && /^(#.*)?$/.test(rest) ? texts[0] : null;
  return /^\]\s*(#.*)?$/.test(rest) ? texts : null;
}

/** @param {string} text */
function unquoted(text) {
  const signs = /** @type {Record<string, string>} */ ({ n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", '"': '"', "\\": "\\" });
  let wrong = false;
  const found = text.replace(/\\(u[\da-fA-F]{4}|U[\da-fA-F]{8}|.)/g, (_, code) => {
    if (code.length > 1) {
      const point = Number.parseInt(code.slice(1), 16);
      if (point <= 0x10ffff) return String.fromCodePoint(point);
    } else if (code in signs) return signs[code];
    wrong = true;
    return "";
  });
  return wrong ? null : found;
}
