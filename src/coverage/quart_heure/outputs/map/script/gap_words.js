/* Words for gaps and their parts: where they are, and how far one walks there. */

/** @import { Gap, GapMinutes, PageData } from "./types.js" */
/** @import { Part } from "./gaps.js" */
/** @import { Words } from "./words.js" */

const NAMED = 3; // districts or quarters; the others are counted

/**
 * The usual walk and the longest: neither stands for the other.
 * @param {Words} words
 * @param {GapMinutes} minutes
 */
export function walkTold(words, { median, max }) {
  if (median === null) return max === null ? "" : words.say("walk_longest", { max: words.number(Math.ceil(max - 1e-6)) });
  if (max === null) return words.say("walk_no_end", { median: words.number(median) });
  const [usual, longest] = [median, max].map((one) => words.number(Math.ceil(one - 1e-6)));
  return usual === longest ? words.say("walk_one", { median: usual }) : words.say("walk", { median: usual, max: longest });
}

/**
 * Some names, and how many more there are.
 * @param {Words} words
 * @param {string[]} names
 * @param {string} more
 */
function listed(words, names, more) {
  const left = names.length - NAMED;
  const named = names.slice(0, NAMED).join(", ");
  return left > 0 ? named + words.count(more, left) : named;
}

/**
 * Where a part lies within its district.
 * @param {Words} words
 * @param {PageData} data
 * @param {Part} part
 */
export function partPlace(words, data, part) {
  if (part.whole && part.row < data.ground.districts.length) return words.say("part_whole", { place: data.places[part.row] });
  const quarters = part.quarters.map(({ name, whole }) => (whole ? words.say("quarter_whole", { name }) : name));
  return listed(words, quarters, "quarters_more") || part.street || words.say("gap_unnamed");
}

/**
 * The same with the name of the district.
 * @param {Words} words
 * @param {PageData} data
 * @param {Part} part
 */
export function partName(words, data, part) {
  const place = partPlace(words, data, part);
  const district = data.rows[part.row];
  return part.whole || !district ? place : words.say("part_name", { district, place });
}

/**
 * Where a gap is: by its quarters, or by its districts where it has several.
 * @param {Words} words
 * @param {PageData} data
 * @param {Gap} gap
 * @param {Part[]} parts
 */
export function gapName(words, data, gap, parts) {
  if (parts.length === 1) return partName(words, data, parts[0]);
  if (!parts.length) return listed(words, gap.districts, "districts_more") || gap.street || words.say("gap_unnamed");
  const names = parts.map((part) => {
    const district = data.rows[part.row] || words.say("here_no_district");
    return part.whole ? words.say("quarter_whole", { name: district }) : district;
  });
  return listed(words, names, "districts_more");
}
