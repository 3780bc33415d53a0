/* How people type an address: without accents, cut short, with a number or an arrondissement. */

/** What is often cut short, and what it stands for; none is a word of its own. */
const SHORT = new Map(
  Object.entries({
    all: "allee",
    arr: "arrondissement",
    ardt: "arrondissement",
    av: "avenue",
    ave: "avenue",
    bd: "boulevard",
    bld: "boulevard",
    blvd: "boulevard",
    boul: "boulevard",
    car: "carrefour",
    ch: "chemin",
    che: "chemin",
    chee: "chaussee",
    cite: "cite",
    col: "colonel",
    cdt: "commandant",
    cr: "cours",
    crs: "cours",
    dr: "docteur",
    fbg: "faubourg",
    fg: "faubourg",
    gal: "general",
    gen: "general",
    hop: "hopital",
    imp: "impasse",
    lt: "lieutenant",
    mal: "marechal",
    nd: "notre",
    pas: "passage",
    pass: "passage",
    psg: "passage",
    pdt: "president",
    pl: "place",
    pte: "porte",
    qu: "quai",
    r: "rue",
    rpt: "rond",
    rte: "route",
    sq: "square",
    st: "saint",
    ste: "sainte",
    univ: "universite",
  })
);

const ARTICLES = new Set(["a", "au", "aux", "d", "de", "des", "du", "et", "l", "la", "le", "les", "of", "the"]);

const ORDINAL = /^0*(\d{1,3})(?:er|ere|e|eme|ieme|nd|nde|st|rd|th)$/;

/**
 * Without accents, capitals and signs, as people type.
 * @param {string} text
 */
export const folded = (text) =>
  text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/œ/g, "oe")
    .replace(/æ/g, "ae")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

/**
 * A word in its long form: 18ème is 18e.
 * @param {string} word
 */
function long(word) {
  const ordinal = ORDINAL.exec(word);
  return ordinal ? ordinal[1] + "e" : SHORT.get(word) || word;
}

/**
 * The words that count, in their long form.
 * @param {string} text
 */
export function keyOf(text) {
  const words = folded(text).split(" ").filter(Boolean);
  const telling = words.filter((word) => !ARTICLES.has(word));
  return (telling.length ? telling : words).map(long).join(" ");
}

/**
 * Whether a text has every word of a query as the beginning of one of its own, as it is typed or in
 * its long form.
 * @param {string} key
 * @returns {(text: string) => boolean}
 */
export function matcher(key) {
  const words = key.split(" ").map((word) => {
    const typed = [...SHORT].filter(([, whole]) => whole === word).map(([short]) => short);
    return [word, ...typed].map((one) => " " + one);
  });
  return (text) => words.every(([whole, ...typed]) => text.includes(whole) || typed.some((one) => text.includes(one + " ")));
}

/**
 * A query without the number of a house, which no map here knows; null where there is none.
 * @param {string} query
 */
export function withoutNumber(query) {
  const found = /^\s*\d{1,4}(?:\s?(?:bis|ter|quater|[a-d]))?[\s,]+(?=\S)/i.exec(query);
  return found ? query.slice(found[0].length) : null;
}

/**
 * The number by which people call a district, such as 18 of "18e" and of "Lyon 3e Arrondissement" 3.
 * @param {string} label
 */
export function numberOf(label) {
  const found = /^(?:\D*\s)?0*(\d{1,2})(?:er|ere|e|eme)?(?: arr.*)?$/.exec(folded(label));
  return found ? found[1] : "";
}
