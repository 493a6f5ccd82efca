// The words inside our workflows in the language of the page: titles, notes, groups, and what the Song node
// has for inputs. They are shown only: what is saved or sent is in English again, where the user has not
// changed it, so that a file is the same in every language.

import { app } from "../../scripts/app.js";
import { LABEL } from "./app_mode.js";
import { pageLanguage } from "./waveform/messages.js";

const OURS = "AceStep15";
const NOTES = ["MarkdownNote", "Note"];

/**
 * @typedef {object} Words from tools/docs/make_locales.py
 * @property {Record<string, string>} texts titles, names in an app, and notes line by line, by their English
 * @property {Record<string, string>} stock titles of stock nodes by kind: the page has its own words for them
 * @property {Record<string, string>} labels of a subgraph's inputs and outputs, by their names
 */

/** @type {Map<string, Promise<Words | null>>} by language */
const loaded = new Map();

/** @type {Words | null} those of the workflow that is open */
let shown = null;

/** Whatever is saved or sent of the open workflow is in English. */
export function keepEnglish() {
  const graph = app.rootGraph ?? app.graph;
  const serialize = graph.serialize;
  graph.serialize = function (/** @type {any[]} */ ...given) {
    const workflow = serialize.apply(this, given);
    if (shown) intoEnglish(workflow, shown);
    return workflow;
  };
}

/**
 * Before a workflow is opened.
 * @param {any} workflow as it was saved; it is changed
 */
export async function translateWorkflow(workflow) {
  const words = isOurs(workflow) ? await wordsOf(pageLanguage()) : null;
  if (words) intoWords(workflow, words);
  shown = words;
}

/**
 * @param {any} workflow as it is saved; it is changed
 * @param {Words} words
 */
export function intoWords(workflow, words) {
  const label = (/** @type {any} */ slot) => {
    const said = words.labels[slot.name];
    return said && !slot.label ? { ...slot, label: said } : slot;
  };
  change(workflow, (text) => own(words.texts, text), label);
  for (const sheet of [workflow, ...subgraphsOf(workflow)])
    for (const entry of sheet.nodes ?? []) if (entry.title === words.stock[entry.type]) delete entry.title;
}

/**
 * @param {any} workflow as the page saves it; it is changed
 * @param {Words} words
 */
export function intoEnglish(workflow, words) {
  const english = Object.fromEntries(Object.entries(words.texts).map(([text, said]) => [said, text]));
  const label = (/** @type {any} */ slot) => {
    if (!slot.label || slot.label !== words.labels[slot.name]) return slot;
    const { label: _, ...rest } = slot;
    return rest;
  };
  change(workflow, (text) => own(english, text), label);
}

/** @param {Record<string, string>} table @param {string} text */
function own(table, text) {
  return Object.hasOwn(table, text) ? table[text] : text;
}

/**
 * @param {any} workflow
 * @param {(text: string) => string} say
 * @param {(slot: any) => any} label of a subgraph's input or output
 */
function change(workflow, say, label) {
  const subgraphs = subgraphsOf(workflow);
  const inside = new Set(subgraphs.map(({ id }) => id));
  for (const sheet of [workflow, ...subgraphs]) {
    for (const group of sheet.groups ?? []) group.title = say(group.title);
    for (const entry of sheet.nodes ?? []) {
      changeNode(entry, say);
      if (inside.has(entry.type)) changeSlots(entry, label);
    }
  }
  for (const subgraph of subgraphs) {
    subgraph.name = say(subgraph.name);
    sayLabels(subgraph, say); // the page copies those of its node
    changeSlots(subgraph, label);
  }
}

/** @param {any} entry @param {(text: string) => string} say */
function changeNode(entry, say) {
  if (entry.title) entry.title = say(entry.title);
  sayLabels(entry, say);
  if (entry.properties?.[LABEL]) entry.properties[LABEL] = say(entry.properties[LABEL]);
  const [text, ...rest] = NOTES.includes(entry.type) ? (entry.widgets_values ?? []) : [];
  if (typeof text === "string") entry.widgets_values = [text.split("\n").map(say).join("\n"), ...rest];
}

/** @param {any} place with inputs that an app names @param {(text: string) => string} say */
function sayLabels(place, say) {
  for (const slot of place.inputs ?? []) if (slot.label) slot.label = say(slot.label);
}

/** @param {any} place a subgraph, or an entry of one @param {(slot: any) => any} label */
function changeSlots(place, label) {
  for (const side of ["inputs", "outputs"]) if (place[side]) place[side] = place[side].map(label);
}

/** @param {any} workflow @returns {any[]} */
function subgraphsOf(workflow) {
  return workflow.definitions?.subgraphs ?? [];
}

/** @param {any} workflow @returns {boolean} whether an entry of ours is in it */
function isOurs(workflow) {
  const nodes = [workflow, ...subgraphsOf(workflow)].flatMap((sheet) => sheet.nodes ?? []);
  return nodes.some(({ type }) => String(type).startsWith(OURS));
}

/** @param {string} language @returns {Promise<Words | null>} null: as it was written */
function wordsOf(language) {
  if (!loaded.has(language)) loaded.set(language, load(language));
  return /** @type {Promise<Words | null>} */ (loaded.get(language));
}

/** @param {string} language @returns {Promise<Words | null>} */
async function load(language) {
  if (language === "en") return null;
  const answer = await fetch(new URL(`./words/${language}.json`, import.meta.url));
  return answer.ok ? answer.json() : null;
}
