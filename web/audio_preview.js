// Audio previews: two seconds of the song while the sampler runs. The server sends an event for each,
// the node plays it. Nothing plays before the user starts it in that run, and nothing is saved.

import { api } from "../../scripts/api.js";
import { nodeAt } from "./find_node.js";
import { lifetimeOf } from "./node_lifetime.js";
import { addButton, light, makeFit, makeRow, mount } from "./waveform/panel.js";
import { Player } from "./waveform/player.js";
import { brief } from "./waveform/range.js";
import { translate } from "./waveform/messages.js";

const EVENT = "acestep15.audio_preview"; // of nodes/audio_preview.py
const NAME = "audio_preview";
const HEIGHT = 44; // pixels, with the margins of the page

/**
 * @typedef {object} Preview the excerpt of a step
 * @property {string} node its id, with those of the subgraphs around it before it: 3:12
 * @property {number} step
 * @property {number} steps
 * @property {number} start seconds
 * @property {number} end seconds
 * @property {string} filename
 * @property {string} subfolder
 * @property {string} type
 */

export function addAudioPreviews() {
  api.addEventListener(EVENT, ({ detail }) => {
    const node = nodeAt(detail.node);
    if (node?.comfyClass !== "AceStep15Sampler") return; // of a script, or another workflow
    const existing = node.widgets?.find((/** @type {any} */ { name }) => name === NAME);
    if (existing) existing.preview.add(detail);
    else new AudioPreview(node, detail);
  });
}

class AudioPreview {
  /** @param {any} node @param {Preview} preview */
  constructor(node, preview) {
    this.preview = preview;
    this.played = "";
    this.autoplay = false; // whether newer ones are played as they come
    this.shown = "";
    const signal = lifetimeOf(node);
    this.row = makeRow("audio-preview", signal);
    this.player = new Player(() => this.changed(), signal);
    this.button = addButton(this.row, () => this.toggle());
    this.button.addEventListener("keydown", (event) => event.stopPropagation()); // Space is its own
    api.addEventListener("execution_start", () => this.begin(), { signal });
    mount(node, this.row, () => this.tick(), NAME, HEIGHT).preview = this;
    makeFit(node);
    this.show();
  }

  /** @param {Preview} preview */
  add(preview) {
    this.preview = preview;
    this.changed();
  }

  begin() {
    this.autoplay = false;
    this.show();
  }

  toggle() {
    this.autoplay = !this.player.playing;
    if (this.autoplay) this.play();
    else this.player.stop();
  }

  play() {
    const { filename, subfolder, type } = this.preview;
    this.played = filename;
    this.player.play(api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type })}`), 0);
  }

  changed() {
    const newer = this.played !== this.preview.filename;
    if (this.autoplay && newer && !this.player.playing) this.play();
    this.show();
  }

  tick() {
    if (this.shown !== this.sentence()) this.show();
  }

  show() {
    const { playing } = this.player;
    this.button.textContent = playing ? "■" : "▶";
    this.button.title = translate("playPreview");
    this.button.setAttribute("aria-label", `${translate("playPreview")}. ${this.sentence()}`);
    light(this.button, this.autoplay);
    this.row.text.textContent = this.shown = this.sentence();
  }

  sentence() {
    if (this.player.failed) return translate("cannotPlay");
    const { step, steps, start, end } = this.preview;
    return translate("previewStep", { step, steps, start: brief(start), end: brief(end) });
  }
}
