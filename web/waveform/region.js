// A region that is drawn on the incoming sound: dragged, moved by keys, snapped to beats, played, looked at closer.
// The node's own widgets hold it; this only shows and changes them.

import { api } from "../../../scripts/api.js";
import { coloursOf } from "../colours.js";
import { lifetimeOf } from "../node_lifetime.js";
import { asUndoStep } from "../undo_step.js";
import { leadBefore, partToPlay } from "./audition.js";
import { draw } from "./draw.js";
import { FinePeaks } from "./fine_peaks.js";
import { sourceFile } from "./graph.js";
import { gridOf } from "./grid.js";
import { gripsOf, partAt } from "./grips.js";
import { Lanes, NO_LINES } from "./lanes.js";
import { addButton, allow, keepToLine, light, makePanel, mount, onKey, onExecuted } from "./panel.js";
import { loadWaveform, waveformsIn } from "./peaks.js";
import { Player } from "./player.js";
import { PARTS, between, brief, moved, snapped, within } from "./range.js";
import { mayExtend, noSnapReason, readRange, snapOf, unitOf, viewOf, writeRange } from "./range_widgets.js";
import { translate } from "./messages.js";
import { linesOf } from "./source_lines.js";
import { ZoomControl } from "./zoom_control.js";

const CLICK_DISTANCE = 3; // pixels: less is a click
const STEP = 0.1; // seconds that an arrow moves where nothing snaps
const SHIFT_FACTOR = 10; // times as far with Shift
const SNAPS = /** @type {const} */ (["free", "beat", "bar"]);
const MOVED = /** @type {const} */ ([...PARTS, "position"]); // by the arrows; the last is the play position
const CURSORS = { start: "ew-resize", end: "ew-resize", whole: "grab", new: "crosshair" };

/** @param {any} node */
export function addRegion(node) {
  new RegionWidget(node);
}

/**
 * What the pointer holds, and the page as it was when it took it.
 * @typedef {object} Held
 * @property {import("./range.js").Part | "new"} part
 * @property {number} time seconds
 * @property {number} x pixels
 * @property {boolean} dragged it was no click
 * @property {import("./range.js").Range | null} range
 * @property {import("./range.js").View} view
 * @property {import("./range.js").View} whole
 */

class RegionWidget {
  /** @param {any} node */
  constructor(node) {
    this.node = node;
    const signal = lifetimeOf(node);
    this.panel = keepToLine(makePanel("region", signal));
    this.player = new Player(() => this.show(), signal);
    /** @type {import("./peaks.js").Waveform | null} */
    this.wave = null;
    /** @type {import("./peaks.js").Waveform | null} of the last run */
    this.lastRun = null;
    /** @type {string | null} */
    this.file = null;
    /** @type {typeof MOVED[number]} what the keys move */
    this.part = "start";
    /** @type {number | null} seconds: where Play begins; null: at the start of the region */
    this.position = null;
    this.loops = false;
    this.problem = "";
    this.shown = "";
    /** @type {Held | null} */
    this.held = null;
    const { panel } = this;
    this.fine = new FinePeaks(() => this.show(), signal);
    this.zoom = new ZoomControl(panel, { whole: () => this.whole, centre: () => this.moved, changed: () => this.show() });
    this.playButton = addButton(panel, () => this.togglePlay());
    this.loopButton = addButton(panel, () => this.turnLoop());
    this.zoomButton = addButton(panel, () => this.turnZoom());
    this.snapButton = addButton(panel, () => this.turnSnap());
    this.lines = NO_LINES;
    this.lanes = new Lanes(this);
    this.repaintTitle = "markTitle";
    this.addListeners();
    mount(node, panel, () => this.tick()).region = this;
    onExecuted(node, (output) => {
      this.lastRun = waveformsIn(output, (path) => api.apiURL(path))[0] ?? this.lastRun;
      if (!this.file) this.wave = this.lastRun;
    });
  }

  get seconds() {
    return this.wave?.seconds ?? 0;
  }

  get peaks() {
    const { wave } = this;
    if (!wave) return [];
    const coarse = wave === this.lastRun && this.zoom.closer;
    return (coarse && this.fine.of(wave.url)?.peaks) || wave.peaks;
  }

  get whole() {
    return this.held?.whole ?? viewOf(this.node, this.seconds);
  }

  get view() {
    return this.held?.view ?? this.zoom.view;
  }

  /** @returns {number} seconds: where what the keys move is */
  get moved() {
    const { part, position } = this;
    const { start, end } = this.range ?? { start: 0, end: this.seconds };
    return { start, end, whole: (start + end) / 2, position: position ?? start }[part];
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
    this.lines = NO_LINES;
    this.problem = "";
    this.position = null;
    this.zoom.reset();
    if (!file) return;
    try {
      const wave = await loadWaveform(file, this.panel.signal);
      if (file !== this.file) return;
      this.wave = wave;
      this.readLines(file);
    } catch {
      if (file !== this.file) return;
      this.wave = this.lastRun; // a run may have decoded it
      this.problem = this.lastRun ? "" : "cannotDecode";
    }
  }

  /** @param {string} file */
  async readLines(file) {
    const { signal } = this.panel;
    const lines = await linesOf(file, this.seconds, signal).catch(() => NO_LINES);
    if (file !== this.file || signal.aborted) return;
    this.lines = lines;
    this.show();
  }

  show() {
    const { canvas } = this.panel;
    const { wave, range, player } = this;
    const grid = gridOf(this.node);
    if (player.playing) this.zoom.follow(player.now);
    draw(canvas, {
      peaks: this.peaks,
      seconds: this.seconds,
      view: wave ? this.view : { from: 0, to: 1 },
      range,
      now: player.playing ? player.now : this.position,
      grid: wave ? grid : null,
    });
    this.lanes.put(this.lines, this.seconds);
    this.lanes.show();
    this.showButtons();
    this.showSnap();
    canvas.title = translate("region");
    this.panel.text.textContent = this.panel.text.title = this.sentence();
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", `${translate("region")}. ${this.sentence()}`);
  }

  showButtons() {
    const faces = /** @type {[HTMLButtonElement, string, string][]} */ ([
      [this.playButton, this.player.playing ? "■" : "▶", "playSelection"],
      [this.loopButton, "↻", "loop"],
      [this.zoomButton, "↔", "zoomToRegion"],
    ]);
    for (const [button, face, title] of faces) {
      button.textContent = face;
      button.title = translate(title);
      button.setAttribute("aria-label", translate(title));
      button.dataset.aceStep = title;
      button.disabled = !this.wave;
    }
    light(this.loopButton, this.loops);
    light(this.zoomButton, this.zoom.closer);
  }

  showSnap() {
    const reason = noSnapReason(this.node);
    this.snapButton.dataset.aceStep = "snapTo";
    allow(this.snapButton, !reason);
    this.snapButton.title = translate(reason || "snapTo");
    this.snapButton.textContent = `${translate("snap")}: ${translate(this.snap)}`;
  }

  sentence() {
    if (this.player.failed) return translate("cannotPlay");
    if (!this.wave) return translate(this.problem || "empty");
    const range = this.range;
    if (!range) return translate("mask");
    if (this.part === "position") return `${translate("position")} ${brief(this.moved)}`;
    const length = (range.end - range.start).toFixed(2);
    return `${translate(this.part)} · ${brief(range.start)}–${brief(range.end)} (${length} s)`;
  }

  /** @param {PointerEvent} event @returns {number} seconds */
  timeAt(event) {
    const { left, width } = this.panel.canvas.getBoundingClientRect();
    const { from, to } = this.view;
    return from + ((event.clientX - left) / width) * (to - from);
  }

  /** @param {PointerEvent} event */
  partUnder(event) {
    const { left, width } = this.panel.canvas.getBoundingClientRect();
    const scale = this.panel.canvas.clientWidth / width; // the graph may be enlarged, and the areas with it
    const grips = this.range && gripsOf(this.range, this.view, width * scale);
    return partAt(grips, (event.clientX - left) * scale);
  }

  /** @param {PointerEvent} event */
  grab(event) {
    if (event.button !== 0 || !this.wave) return;
    const { canvas } = this.panel;
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    const part = this.partUnder(event);
    if (this.range) this.part = part === "new" ? "whole" : part;
    const { range, view, whole } = this;
    this.held = { part, time: this.timeAt(event), x: event.clientX, dragged: false, range, view, whole };
    this.show();
  }

  /** @param {PointerEvent} event */
  drag(event) {
    const { held } = this;
    if (!held) {
      this.panel.canvas.style.cursor = this.range ? CURSORS[this.partUnder(event)] : "default";
      return;
    }
    held.dragged ||= Math.abs(event.clientX - held.x) >= CLICK_DISTANCE;
    if (!held.dragged || !held.range) return;
    const time = this.timeAt(event);
    const range =
      held.part === "new"
        ? between(held.time, time, held.whole, this.ruler)
        : moved(held.range, held.part, time - held.time, held.whole, this.ruler);
    this.write(range);
  }

  /** @param {PointerEvent} event */
  release(event) {
    if (!this.held) return;
    const clicked = event.type === "pointerup" && !this.held.dragged;
    const time = this.timeAt(event);
    this.held = null;
    if (clicked) this.place(time);
    else this.show();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it was one of ours */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === " ") this.togglePlay();
    else if (!this.wave) return false;
    else if (this.zoom.press(event.key)) return true;
    else if (!this.range) return false;
    else if (event.key.toLowerCase() === "l") this.turnLoop();
    else if (event.key.toLowerCase() === "z") this.turnZoom();
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
    if (this.part === "position") this.place(snapped(this.moved + delta, this.ruler));
    else {
      const range = /** @type {import("./range.js").Range} */ (this.range);
      const { from, to } = this.whole;
      const room = mayExtend(this.node) ? Math.abs(delta) : 0; // a key may leave what is shown
      this.write(moved(range, this.part, delta, { from: from - room, to: to + room }, this.ruler));
    }
    this.zoom.reveal(this.moved);
    this.show();
  }

  /** @param {number} by */
  choose(by) {
    this.part = MOVED[(MOVED.indexOf(this.part) + by + MOVED.length) % MOVED.length];
    this.zoom.reveal(this.moved);
    this.show();
  }

  /** Put the play position. @param {number} time seconds */
  place(time) {
    this.position = within(time, 0, this.seconds);
    if (this.player.playing) this.play();
    this.show();
  }

  turnLoop() {
    this.loops = !this.loops;
    this.bound();
    this.show();
  }

  turnZoom() {
    if (this.zoom.closer) this.zoom.show(this.whole);
    else if (this.range) this.zoom.showRange(this.range);
  }

  turnSnap() {
    if (noSnapReason(this.node)) return;
    this.node.properties.ace_step_snap = SNAPS[(SNAPS.indexOf(this.snap) + 1) % SNAPS.length];
    if (this.ruler && this.range) {
      const { start, end } = this.range;
      this.write(between(start, end, this.whole, this.ruler));
    }
    this.show();
  }

  /** @param {import("./range.js").Range} range */
  write(range) {
    writeRange(this.node, range, this.seconds);
    this.node.graph?.setDirtyCanvas(true, true);
    this.position = null; // what was chosen last is played
    if (this.loops) this.bound();
    this.show();
  }

  togglePlay() {
    if (this.player.playing) this.player.stop();
    else this.play();
  }

  play() {
    if (!this.wave) return;
    const { from, ...part } = this.partFrom(this.position);
    this.player.play(this.wave.url, from, part);
  }

  /** A line of the lyrics. @param {import("./range.js").Range} part */
  playPart({ start, end }) {
    if (this.wave) this.player.play(this.wave.url, start, { until: end, again: this.loops ? start : null });
  }

  /** @param {import("./range.js").Range} part @returns {string} the name of a message */
  repaintPart(part) {
    if (!this.range) return "mask";
    asUndoStep(() => this.write(part));
    return "regionPut";
  }

  /** What plays goes on, to where it would end by now. */
  bound() {
    const { until, again } = this.partFrom(this.player.now);
    if (this.player.playing) Object.assign(this.player, { until, again });
  }

  /** @param {number | null} position seconds */
  partFrom(position) {
    const range = this.range ?? { start: 0, end: this.seconds };
    const lead = this.loops ? leadBefore(range.start, gridOf(this.node)?.bar) : null;
    return partToPlay(range, this.seconds, position, lead);
  }
}
