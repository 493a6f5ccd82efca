// A region that is drawn on the incoming sound: dragged, moved by keys, snapped to beats, played.
// The node's own widgets hold it; this only shows and changes them.

import { api } from "../../../scripts/api.js";
import { coloursOf } from "../colours.js";
import { lifetimeOf } from "../node_lifetime.js";
import { draw } from "./draw.js";
import { sourceFile } from "./graph.js";
import { gridOf } from "./grid.js";
import { addButton, makePanel, mount, onKey, onExecuted } from "./panel.js";
import { loadWaveform, waveformsIn } from "./peaks.js";
import { Player } from "./player.js";
import { PARTS, between, clock, moved, partAt } from "./range.js";
import { mayExtend, readRange, snapOf, unitOf, viewOf, writeRange } from "./range_widgets.js";
import { translate } from "./messages.js";

const GRAB_DISTANCE = 9; // pixels around an end of the range that hold it
const CLICK_DISTANCE = 3; // pixels: less is a click
const STEP = 0.1; // seconds that an arrow moves where nothing snaps
const SHIFT_FACTOR = 10; // times as far with Shift
const SNAPS = /** @type {const} */ (["free", "beat", "bar"]);
const CURSORS = { start: "ew-resize", end: "ew-resize", whole: "grab", new: "crosshair" };

/** @param {any} node */
export function addRegion(node) {
  new RegionWidget(node);
}

class RegionWidget {
  /** @param {any} node */
  constructor(node) {
    this.node = node;
    const signal = lifetimeOf(node);
    this.panel = makePanel("region", signal);
    this.player = new Player(() => this.show(), signal);
    /** @type {import("./peaks.js").Waveform | null} */
    this.wave = null;
    /** @type {import("./peaks.js").Waveform | null} of the last run */
    this.lastRun = null;
    /** @type {string | null} */
    this.file = null;
    /** @type {import("./range.js").Part} what the keys move */
    this.part = "start";
    this.problem = "";
    this.shown = "";
    /** @type {{part: string, time: number, x: number, range: any, view: any} | null} */
    this.held = null;
    this.playButton = addButton(this.panel, () => this.togglePlay());
    this.snapButton = addButton(this.panel, () => this.turnSnap());
    this.addListeners();
    mount(node, this.panel, () => this.tick()).region = this;
    onExecuted(node, (output) => {
      this.lastRun = waveformsIn(output, (path) => api.apiURL(path))[0] ?? this.lastRun;
      if (!this.file) this.wave = this.lastRun;
    });
  }

  get seconds() {
    return this.wave?.seconds ?? 0;
  }

  get view() {
    return this.held?.view ?? viewOf(this.node, this.seconds);
  }

  get range() {
    return this.wave ? readRange(this.node, this.seconds) : null;
  }

  get snap() {
    return this.node.properties.ace_step_snap ?? "free";
  }

  get ruler() {
    return snapOf(this.node, this.snap);
  }

  addListeners() {
    const { canvas, signal } = this.panel;
    canvas.addEventListener("pointerdown", (event) => this.grab(event), { signal });
    canvas.addEventListener("pointermove", (event) => this.drag(event), { signal });
    canvas.addEventListener("pointerup", (event) => this.release(event), { signal });
    canvas.addEventListener("pointercancel", (event) => this.release(event), { signal });
    onKey(this.panel, (event) => this.key(event));
  }

  /** Draw only when something has changed. */
  tick() {
    const file = sourceFile(this.node, "source", (path) => api.apiURL(path));
    if (file !== this.file) this.open(file);
    const { canvas } = this.panel;
    const grid = gridOf(this.node);
    const lines = [grid?.beat, grid?.bar].map((ruler) => ruler && [ruler.at(0), ruler.step]);
    const around = [unitOf(this.node), lines, this.snap, this.range, this.wave?.url];
    const shown = JSON.stringify([...around, this.problem, canvas.clientWidth, canvas.clientHeight, coloursOf(canvas), translate("snap")]);
    if (shown !== this.shown) this.show();
    this.shown = shown;
  }

  /** @param {string | null} file */
  async open(file) {
    this.file = file;
    this.wave = file ? null : this.lastRun;
    this.problem = "";
    if (!file) return;
    try {
      const wave = await loadWaveform(file, this.panel.signal);
      if (file === this.file) this.wave = wave;
    } catch {
      if (file !== this.file) return;
      this.wave = this.lastRun; // a run may have decoded it
      this.problem = this.lastRun ? "" : "cannotDecode";
    }
  }

  show() {
    const { canvas } = this.panel;
    const { wave, range, player } = this;
    const grid = gridOf(this.node);
    draw(canvas, {
      peaks: wave?.peaks ?? [],
      seconds: this.seconds,
      view: wave ? this.view : { from: 0, to: 1 },
      range,
      now: player.playing ? player.now : null,
      grid: wave ? grid : null,
    });
    this.playButton.textContent = player.playing ? "■" : "▶";
    this.playButton.title = translate("playSelection");
    this.playButton.disabled = !wave;
    this.snapButton.hidden = !grid || unitOf(this.node) !== "seconds";
    this.snapButton.textContent = `${translate("snap")}: ${translate(this.snap)}`;
    canvas.title = translate("region");
    this.panel.text.textContent = this.sentence();
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", `${translate("region")}. ${this.sentence()}`);
  }

  sentence() {
    if (this.player.failed) return translate("cannotPlay");
    if (!this.wave) return translate(this.problem || "empty");
    const range = this.range;
    if (!range) return translate("mask");
    const length = (range.end - range.start).toFixed(2);
    return `${clock(range.start)} – ${clock(range.end)} (${length} s) · ${translate(this.part)}`;
  }

  /** @param {PointerEvent} event @returns {number} seconds */
  timeAt(event) {
    const { left, width } = this.panel.canvas.getBoundingClientRect();
    const { from, to } = this.view;
    return from + ((event.clientX - left) / width) * (to - from);
  }

  /** @param {PointerEvent} event */
  partUnder(event) {
    const { width } = this.panel.canvas.getBoundingClientRect();
    const { from, to } = this.view;
    return partAt(this.range, this.timeAt(event), (GRAB_DISTANCE / width) * (to - from));
  }

  /** @param {PointerEvent} event */
  grab(event) {
    if (event.button !== 0 || !this.range) return;
    const { canvas } = this.panel;
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    const part = this.partUnder(event);
    this.part = part === "new" ? "whole" : part;
    this.held = { part, time: this.timeAt(event), x: event.clientX, range: this.range, view: this.view };
    this.show();
  }

  /** @param {PointerEvent} event */
  drag(event) {
    const { held } = this;
    if (!held) {
      this.panel.canvas.style.cursor = this.range ? CURSORS[this.partUnder(event)] : "default";
      return;
    }
    if (Math.abs(event.clientX - held.x) < CLICK_DISTANCE) return;
    const time = this.timeAt(event);
    const range =
      held.part === "new"
        ? between(held.time, time, held.view, this.ruler)
        : moved(held.range, /** @type {any} */ (held.part), time - held.time, held.view, this.ruler);
    this.write(range);
  }

  /** @param {PointerEvent} event */
  release(event) {
    if (!this.held) return;
    const time = this.timeAt(event);
    if (this.player.playing && Math.abs(event.clientX - this.held.x) < CLICK_DISTANCE) this.player.seek(time);
    this.held = null;
    this.show();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it was one of ours */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === " ") this.togglePlay();
    else if (!this.range) return false;
    else if (event.key === "ArrowLeft") this.nudge(-1, event.shiftKey);
    else if (event.key === "ArrowRight") this.nudge(1, event.shiftKey);
    else if (event.key === "ArrowUp") this.choose(-1);
    else if (event.key === "ArrowDown") this.choose(1);
    else return false;
    return true;
  }

  /** @param {number} sign @param {boolean} far */
  nudge(sign, far) {
    const delta = sign * (this.ruler?.step ?? STEP) * (far ? SHIFT_FACTOR : 1);
    const range = /** @type {import("./range.js").Range} */ (this.range);
    const { from, to } = this.view;
    const room = mayExtend(this.node) ? Math.abs(delta) : 0; // a key may leave what is shown
    this.write(moved(range, this.part, delta, { from: from - room, to: to + room }, this.ruler));
  }

  /** @param {number} by */
  choose(by) {
    const place = (PARTS.indexOf(this.part) + by + PARTS.length) % PARTS.length;
    this.part = PARTS[place];
    this.show();
  }

  turnSnap() {
    this.node.properties.ace_step_snap = SNAPS[(SNAPS.indexOf(this.snap) + 1) % SNAPS.length];
    if (this.ruler && this.range) {
      const { start, end } = this.range;
      this.write(between(start, end, this.view, this.ruler));
    }
    this.show();
  }

  /** @param {import("./range.js").Range} range */
  write(range) {
    writeRange(this.node, range, this.seconds);
    this.node.graph?.setDirtyCanvas(true, true);
    this.show();
  }

  togglePlay() {
    if (this.player.playing) return this.player.stop();
    if (!this.wave) return;
    const { start, end } = this.range ?? { start: 0, end: this.seconds };
    const from = Math.max(0, Math.min(start, this.seconds));
    const until = Math.min(end, this.seconds); // there is nothing yet where the song is extended
    this.player.play(this.wave.url, from, until > from ? until : this.seconds);
  }
}
