// Lets the language model rewrite caption and lyrics in their widgets. It runs as a prompt of its own, beside the open
// workflow and ahead of what waits: the song as its widgets are, Format Sample, and two previews that send the texts.

import { api } from "../../../scripts/api.js";
import { allNodes } from "../find_node.js";
import { put } from "../waveform/graph.js";
import { keepStep, rewrite } from "./edit.js";
import { ownersOf, textAreasOf, valueOf } from "./places.js";
import { polishPrompt, settingsOf } from "./polish_prompt.js";

const TEXTS = ["caption", "lyrics"];
const KINDS = { lm: "AceStep15LoadLM", song: "AceStep15Song", format: "AceStep15FormatSample" };
const SEEDS = 2 ** 32;
const FRONT = -1; // of the queue
const ENDS = ["execution_success", "execution_error", "execution_interrupted"];

/** @type {WeakMap<any, Polish>} */
const polishes = new WeakMap();
let runs = 0;

/** @param {any} song the node @returns {Polish} */
export function polishOf(song) {
  const polish = polishes.get(song) ?? new Polish(song);
  polishes.set(song, polish);
  return polish;
}

/** @typedef {Record<string, string>} Texts caption and lyrics, those that were changed */

export class Polish {
  /** @param {any} song */
  constructor(song) {
    this.song = song;
    /** @type {AbortController | null} of the run that goes on */
    this.going = null;
    /** @type {Texts | null} what stood there before */
    this.before = null;
    this.said = ""; // the name of a message
  }

  get runs() {
    return this.going != null;
  }

  async run() {
    const going = (this.going = new AbortController());
    this.said = "";
    try {
      const texts = await this.ask(going.signal);
      if (!texts || going.signal.aborted) return; // stopped when its texts were on their way
      this.write(texts);
      this.said = "polished";
    } catch {
      this.said = "notPolished"; // the page shows why
    } finally {
      if (this.going === going) this.going = null;
      going.abort();
    }
  }

  stop() {
    this.going?.abort();
    this.going = null;
  }

  back() {
    if (this.before) this.write(this.before);
    this.said = "";
  }

  /** @param {AbortSignal} signal @returns {Promise<Texts | null>} null where nothing can be asked, or it was stopped */
  async ask(signal) {
    const inputs = Object.values(KINDS).map((kind) => settingsOf(window.LiteGraph.registered_node_types[kind], nodesOf(kind)));
    const [lm, song, format] = inputs;
    if (!lm.file) {
      this.said = "noModel";
      return null;
    }
    for (const name of Object.keys(song)) song[name] = valueOf(this.song, name) ?? song[name];
    const prefix = `acestep15-polish-${++runs}`;
    const prompt = polishPrompt(prefix, { lm, song, format: { ...format, seed: Math.floor(Math.random() * SEEDS) } });
    const names = song.instrumental ? TEXTS.slice(0, 1) : TEXTS; // its lyrics are not read
    return answered(prefix, names, prompt, signal);
  }

  /** @param {Texts} texts what stood there can be brought back */
  write(texts) {
    this.before = Object.fromEntries(Object.keys(texts).map((name) => [name, valueOf(this.song, name) ?? ""]));
    keepStep();
    for (const [name, text] of Object.entries(texts)) {
      const [area] = textAreasOf(this.song, name);
      const owner = /** @type {import("./places.js").Owner} */ (ownersOf(this.song, name).at(-1));
      if (area) rewrite(area, text);
      else put(owner.node, owner.name, text);
    }
    keepStep();
  }
}

/** @param {string} kind @returns {any[]} the nodes of the open workflow */
function nodesOf(kind) {
  return allNodes().filter(({ comfyClass }) => comfyClass === kind);
}

/**
 * Queue the prompt and wait for the texts of its previews.
 * @param {string} prefix of its nodes
 * @param {string[]} names
 * @param {any} prompt
 * @param {AbortSignal} signal
 * @returns {Promise<Texts | null>} null: it was stopped
 * @throws where it failed
 */
async function answered(prefix, names, prompt, signal) {
  /** @type {Texts} */
  const texts = {};
  const listening = new AbortController();
  /** @type {Map<string, string>} how prompts ended, by id: this one may have before its id is here */
  const ended = new Map();
  let told = () => {};
  const listen = (/** @type {string} */ event, /** @type {(detail: any) => void} */ hear) =>
    api.addEventListener(event, (/** @type {any} */ { detail }) => hear(detail), { signal: listening.signal });
  listen("executed", ({ node, output }) => {
    for (const name of names) if (node === `${prefix}-${name}`) texts[name] = output.text.join("");
  });
  for (const event of ENDS)
    listen(event, ({ prompt_id: id }) => {
      ended.set(id, event);
      told();
    });
  try {
    const { prompt_id: id } = await api.queuePrompt(FRONT, { output: prompt });
    while (!ended.has(id) && !signal.aborted)
      await new Promise((/** @type {(value?: any) => void} */ next) => {
        told = next;
        signal.addEventListener("abort", next, { once: true });
      });
    if (!ended.has(id)) {
      await Promise.all([api.deleteItem("queue", id), api.interrupt(id)]);
      return null;
    }
    if (ended.get(id) !== ENDS[0] || names.some((name) => !(name in texts))) throw new Error(ended.get(id));
    return texts;
  } finally {
    listening.abort();
  }
}
