// Two seconds of the song while the sampler makes it: the server tells of each, the node plays it.
// Nothing is heard before it was asked for in that run, and nothing of it is saved.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { lifeOf } from "./life.js";
import { addButton, light, makeRow, mount } from "./waveform/panel.js";
import { Player } from "./waveform/player.js";
import { clock } from "./waveform/range.js";
import { say } from "./waveform/words.js";

const EVENT = "acestep15.heard"; // of nodes/hearing.py
const NAME = "hearing";
const HEIGHT = 44; // pixels, with the margins of the page

/**
 * @typedef {object} Guess what the song sounds like at a step
 * @property {string} node its id, with those of the subgraphs around it before it: 3:12
 * @property {number} step
 * @property {number} steps
 * @property {number} start seconds
 * @property {number} end seconds
 * @property {string} filename
 * @property {string} subfolder
 * @property {string} type
 */

export function playWhatIsTold() {
  api.addEventListener(EVENT, ({ detail }) => {
    const node = nodeAt(detail.node);
    if (node?.comfyClass !== "AceStep15Sampler") return; // of a script, or another workflow
    const shown = node.widgets?.find((/** @type {any} */ { name }) => name === NAME);
    if (shown) shown.hearing.add(detail);
    else new Hearing(node, detail);
  });
}

/** @param {string | null} id @returns {any} a node, or undefined */
function nodeAt(id) {
  let graph = app.rootGraph ?? app.graph;
  let node;
  for (const part of String(id).split(":")) {
    node = graph?.getNodeById(part);
    graph = node?.subgraph;
  }
  return node;
}

class Hearing {
  /** @param {any} node @param {Guess} guess */
  constructor(node, guess) {
    this.guess = guess;
    this.played = "";
    this.follows = false; // whether newer ones are played as they come
    this.seen = "";
    const signal = lifeOf(node);
    this.row = makeRow(NAME, signal);
    this.player = new Player(() => this.changed(), signal);
    this.button = addButton(this.row, () => this.toggle());
    this.button.addEventListener("keydown", (event) => event.stopPropagation()); // Space is its own
    api.addEventListener("execution_start", () => this.begin(), { signal });
    mount(node, this.row, () => this.tick(), NAME, HEIGHT).hearing = this;
    node.setSize([node.size[0], Math.max(node.size[1], node.computeSize()[1])]);
    node.setDirtyCanvas(true, true);
    this.show();
  }

  /** @param {Guess} guess */
  add(guess) {
    this.guess = guess;
    this.changed();
  }

  begin() {
    this.follows = false;
    this.show();
  }

  toggle() {
    this.follows = !this.player.playing;
    if (this.follows) this.play();
    else this.player.stop();
  }

  play() {
    const { filename, subfolder, type } = this.guess;
    this.played = filename;
    this.player.play(api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type })}`), 0);
  }

  changed() {
    const newer = this.played !== this.guess.filename;
    if (this.follows && newer && !this.player.playing) this.play();
    this.show();
  }

  tick() {
    if (this.seen !== this.sentence()) this.show();
  }

  show() {
    const { playing } = this.player;
    this.button.textContent = playing ? "■" : "▶";
    this.button.title = say("listen");
    this.button.setAttribute("aria-label", `${say("listen")}. ${this.sentence()}`);
    light(this.button, this.follows);
    this.row.text.textContent = this.seen = this.sentence();
  }

  sentence() {
    if (this.player.failed) return say("unheard");
    const { step, steps, start, end } = this.guess;
    return say("guess", { step, steps, start: brief(start), end: brief(end) });
  }
}

/** @param {number} seconds @returns {string} 12 as 0:12, and 12.5 as 0:12.5 */
function brief(seconds) {
  return clock(seconds).replace(/\.?0+$/, "");
}
