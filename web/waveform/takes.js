// What was saved: a waveform that plays, and other takes at the same moment, all equally loud.
// The takes are those of this visit; nothing of it is saved with the workflow.

import { api } from "../../../scripts/api.js";
import { coloursOf } from "../colours.js";
import { isInApp } from "../app_mode.js";
import { lifetimeOf } from "../node_lifetime.js";
import { draw } from "./draw.js";
import { addButton, light, makePanel, mount, onKey, onExecuted } from "./panel.js";
import { waveformsIn } from "./peaks.js";
import { Player } from "./player.js";
import { clock, within } from "./range.js";
import { translate } from "./messages.js";

const MAX_TAKES = 9; // takes; older ones go first
const STEP = 2; // seconds that an arrow seeks
const SHIFT_FACTOR = 5; // times as far with Shift

/** @param {any} node */
export function addTakes(node) {
  hideOtherPlayer(node);
  new TakesWidget(node);
}

// The page's own player would play the same song beside ours, and send the address of what it plays,
// another one after each run: the node would save the song again. It stays, as the page fills it.
/** @param {any} node */
function hideOtherPlayer(node) {
  const player = node.widgets?.find((/** @type {any} */ { name }) => name === "audioUI");
  if (!player) return;
  player.hidden = true;
  Object.assign(player.options, { hidden: true, canvasOnly: true, serialize: false });
}

/**
 * How loud each take is played, so that all are as loud as the quietest.
 * @param {import("./peaks.js").Waveform[]} takes
 * @returns {number[]} 0 to 1
 */
export function volumes(takes) {
  const known = takes.flatMap(({ loudness }) => (loudness == null ? [] : [loudness]));
  const least = Math.min(...known);
  return takes.map(({ loudness }) => (loudness == null ? 1 : 10 ** ((least - loudness) / 20)));
}

class TakesWidget {
  /** @param {any} node */
  constructor(node) {
    const signal = lifetimeOf(node);
    this.panel = makePanel("takes", signal);
    this.player = new Player(() => this.show(), signal);
    /** @type {import("./peaks.js").Waveform[]} */
    this.takes = [];
    /** @type {HTMLButtonElement[]} */
    this.buttons = [];
    this.chosen = 0;
    this.moment = 0; // seconds, while nothing plays
    this.shown = "";
    this.playButton = addButton(this.panel, () => this.toggle());
    this.addListeners();
    mount(node, this.panel, () => this.tick()).takes = this;
    onExecuted(node, (output) => this.add(waveformsIn(output, (path) => api.apiURL(path))));
  }

  get take() {
    return this.takes[this.chosen];
  }

  get now() {
    return this.player.playing ? this.player.now : this.moment;
  }

  addListeners() {
    const { canvas, signal } = this.panel;
    const seek = (/** @type {PointerEvent} */ event) => {
      if (event.button !== 0 || !this.take) return;
      canvas.focus();
      const { left, width } = canvas.getBoundingClientRect();
      this.seek(((event.clientX - left) / width) * this.take.seconds);
    };
    canvas.addEventListener("pointerdown", seek, { signal });
    onKey(this.panel, (event) => this.key(event));
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it was one of ours */
  key(event) {
    if (!this.take || event.ctrlKey || event.metaKey || event.altKey) return false;
    const step = STEP * (event.shiftKey ? SHIFT_FACTOR : 1);
    if (event.key === " ") this.toggle();
    else if (event.key === "ArrowLeft") this.seek(this.now - step);
    else if (event.key === "ArrowRight") this.seek(this.now + step);
    else if (this.takes[Number(event.key) - 1]) this.choose(Number(event.key) - 1);
    else return false;
    return true;
  }

  /** @param {import("./peaks.js").Waveform[]} waves those of one run, in the order of the batch */
  add(waves) {
    const fresh = waves.filter(({ url }) => this.takes.every((take) => take.url !== url));
    if (!fresh.length) return;
    this.player.stop();
    this.takes = [...this.takes, ...fresh].slice(-MAX_TAKES);
    this.chosen = Math.max(0, this.takes.length - fresh.length);
    this.moment = 0;
    for (const button of this.buttons) button.remove();
    this.buttons = this.takes.map((_, place) => addButton(this.panel, () => this.choose(place)));
    this.show();
    if (isInApp(this.panel.root)) this.player.playAlone(() => this.play(0)); // Run was pressed to hear it
  }

  toggle() {
    if (!this.take) return;
    if (this.player.playing) {
      this.moment = this.player.now;
      this.player.stop();
    } else this.play(this.moment >= this.take.seconds ? 0 : this.moment);
  }

  /** @param {number} from seconds */
  play(from) {
    this.player.play(this.take.url, from, Infinity, volumes(this.takes)[this.chosen]);
  }

  /** @param {number} time seconds */
  seek(time) {
    this.moment = within(time, 0, this.take.seconds);
    if (this.player.playing) this.player.seek(this.moment);
    this.show();
  }

  /** @param {number} place */
  choose(place) {
    const { playing, now } = this.player;
    if (playing) this.moment = now;
    this.chosen = place;
    this.moment = within(this.moment, 0, this.take.seconds);
    if (playing) this.play(this.moment);
    this.show();
  }

  tick() {
    const { canvas } = this.panel;
    const shown = JSON.stringify([canvas.clientWidth, canvas.clientHeight, coloursOf(canvas), translate("take")]);
    if (shown !== this.shown) this.show();
    this.shown = shown;
  }

  show() {
    const { take } = this;
    const { canvas, text } = this.panel;
    if (this.player.playing) this.moment = this.player.now;
    const seconds = take?.seconds ?? 1;
    const now = take ? this.now : null;
    const played = take && now != null ? { start: 0, end: now } : null;
    draw(canvas, { peaks: take?.peaks ?? [], seconds, view: { from: 0, to: seconds }, played, now });
    this.playButton.textContent = this.player.playing ? "■" : "▶";
    this.playButton.title = translate("play");
    this.playButton.disabled = !take;
    this.buttons.forEach((button, place) => {
      button.hidden = this.takes.length < 2;
      button.textContent = String(place + 1);
      button.title = `${translate("take")} ${place + 1}: ${this.takes[place].name}`;
      light(button, place === this.chosen);
    });
    canvas.title = translate("takes");
    canvas.setAttribute("role", "application");
    text.textContent = this.sentence();
    canvas.setAttribute("aria-label", `${translate("takes")}. ${this.sentence()}`);
  }

  sentence() {
    if (this.player.failed) return translate("cannotPlay");
    if (!this.take) return translate("saved");
    return `${clock(this.now)} / ${clock(this.take.seconds)}`;
  }
}
