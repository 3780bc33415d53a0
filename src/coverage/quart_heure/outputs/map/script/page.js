/* The page: its elements, and the data that stand in it. */

/** @import { PageData } from "./types.js" */

/** @typedef {string | Node | null} Child */

/**
 * Text is only ever set as text: no value of the data is read as HTML.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | ((event: Event) => void)>} [options] attributes; "on…" listens
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, options, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(options || {})) {
    if (typeof value !== "string") node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className = value;
    else node.setAttribute(key, value);
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

/**
 * An element of the page, which has all that the script asks for.
 * @template {Element} T
 * @param {T | null} node
 * @returns {T}
 */
function there(node) {
  if (node === null) throw new Error("An element of the page is missing.");
  return node;
}

/** @param {string} id */
export const byId = (id) => there(document.getElementById(id));

/**
 * The same, of a kind that has more to it than others.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 */
export function control(id, kind) {
  const node = byId(id);
  if (!(node instanceof kind)) throw new Error("#" + id + " is another kind of element.");
  return node;
}

/**
 * The first element within another that a selector names.
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {HTMLElement}
 */
export const part = (parent, selector) => there(parent.querySelector(selector));

/** @param {string} selector */
export const inputs = (selector) => /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll(selector)]);

/** @type {PageData} */
export const pageData = JSON.parse(byId("data").textContent || "");

export const constants = pageData.constants;
export const palette = pageData.palette;
