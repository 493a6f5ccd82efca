// Lanes below a waveform, on its line of time: sections, and the lines that are sung. A click plays a line, with Shift
// it adds all lines up to there, and a button has what is chosen repainted. Nothing of it is saved.

import { CARD, LIT, coloursOf } from "../colours.js";
import { brushOf } from "./draw.js";
import { blockAt, chosenPart, lanesOf, shownUntil, stepped, turned } from "./lyric_lines.js";
import { translate } from "./messages.js";
import { addBar, addButton, addRoom, allow, makeCanvas, onKey } from "./panel.js";
import { brief } from "./range.js";
import { onWheel } from "./wheel.js";
import { lengthOf } from "./zoom.js";

const LANE = 16; // pixels: height
const BAR = 32; // pixels: height of the button and the text, with the gaps around
const FONT = 11; // pixels
/** @type {import("./lyric_lines.js").Line[]} */
export const NO_LINES = [];
const REACH = 6; // pixels that a click may miss a short line by
const PAPER = 0.12; // of the ink's strength, behind words

/** @typedef {import("./lyric_lines.js").Block} Block */

/**
 * What the lanes belong to.
 * @typedef {object} Song
 * @property {any} node
 * @property {import("./panel.js").Panel} panel
 * @property {import("./zoom_control.js").ZoomControl} zoom
 * @property {import("./range.js").View} view
 * @property {import("./player.js").Player} player
 * @property {() => void} show
 * @property {(part: import("./range.js").Range) => void} playPart
 * @property {(part: import("./range.js").Range) => string} repaintPart answers with the name of a message
 * @property {string} repaintTitle the name of a message: what it does
 */

export class Lanes {
  /** @param {Song} song */
  constructor(song) {
    this.song = song;
    this.lines = NO_LINES;
    this.made = "[]"; // of what the lanes were made of
    /** @type {Block[][]} */
    this.lanes = [];
    /** @type {import("./lyric_lines.js").Choice | null} */
    this.choice = null;
    this.said = ""; // the name of a message
    const { panel } = song;
    const { signal } = panel;
    this.canvas = makeCanvas(`flex:none;width:100%;cursor:pointer;touch-action:none;${CARD}`);
    this.row = addBar(panel);
    this.button = addButton(this.row, () => this.repaint());
    this.row.bar.remove();
    this.canvas.addEventListener("pointerdown", (event) => this.press(event), { signal });
    this.canvas.addEventListener("pointermove", (event) => this.name(event), { signal });
    onKey({ ...panel, canvas: this.canvas }, (event) => this.key(event));
    onWheel({ ...panel, canvas: this.canvas }, (turn) => song.zoom.turn(turn));
  }

  /** @returns {Block | null} */
  get chosen() {
    return this.choice && chosenPart(this.lanes, this.choice);
  }

  /** @param {import("./lyric_lines.js").Line[]} lines @param {number} seconds of the song */
  put(lines, seconds) {
    if (lines === this.lines) return;
    this.lines = lines;
    const made = JSON.stringify(lines.length ? [lines, seconds] : []);
    if (made === this.made) return; // the list of takes was read again
    this.made = made;
    this.lanes = lanesOf(lines, seconds);
    this.choice = null;
    this.said = "";
    const { node, panel } = this.song;
    const height = this.lanes.length * LANE;
    this.canvas.style.height = `${height}px`;
    if (height) {
      panel.canvas.after(this.canvas);
      panel.root.append(this.row.bar);
    } else {
      this.canvas.remove();
      this.row.bar.remove();
    }
    addRoom(node, panel, height && height + BAR);
  }

  show() {
    if (!this.lanes.length) return;
    paint(this.canvas, this);
    const { button, canvas, row, chosen } = this;
    button.textContent = translate("repaintLines");
    button.title = translate(this.song.repaintTitle);
    button.dataset.aceStep = "repaintLines";
    allow(button, chosen != null);
    const part = chosen && `${chosen.text} · ${brief(chosen.start)}–${brief(chosen.end)}`;
    row.text.textContent = row.text.title = this.said ? translate(this.said) : part || translate("chooseLines");
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", `${translate("lanes")}. ${part ?? ""}`);
  }

  /** @param {PointerEvent} event @returns {{lane: number, at: number}} `at` is -1 where nothing is sung */
  under(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const view = this.song.view;
    const second = lengthOf(view) / width; // for each pixel
    const count = this.lanes.length;
    const lane = Math.max(0, Math.min(count - 1, Math.floor(((event.clientY - top) / height) * count)));
    const at = blockAt(this.lanes[lane], view.from + (event.clientX - left) * second, REACH * second);
    return { lane, at };
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (event.button !== 0) return;
    this.canvas.focus();
    const { lane, at } = this.under(event);
    if (at < 0) return this.choose(null);
    const goesOn = event.shiftKey && this.choice?.lane === lane;
    this.choose({ lane, from: goesOn ? /** @type {any} */ (this.choice).from : at, to: at });
    this.play();
  }

  /** The words below the pointer, where there was no room for all. @param {PointerEvent} event */
  name(event) {
    const { lane, at } = this.under(event);
    this.canvas.title = at < 0 ? translate("lanes") : this.lanes[lane][at].text;
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it was one of ours */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const ways = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };
    const way = ways[/** @type {keyof ways} */ (event.key)];
    if (way) this.go(way, event);
    else if (event.key === " ") this.toggle();
    else if (event.key === "Enter") this.repaint();
    else return this.song.zoom.press(event.key);
    return true;
  }

  /** @param {number} way @param {KeyboardEvent} event of an arrow */
  go(way, { key, shiftKey }) {
    const { lanes, choice } = this;
    const across = key === "ArrowLeft" || key === "ArrowRight";
    let next = { lane: lanes.length - 1, from: 0, to: 0 };
    if (choice) next = across ? stepped(lanes, choice, way, shiftKey) : turned(lanes, choice, way);
    this.song.zoom.reveal(lanes[next.lane][next.to].start);
    this.choose(next);
  }

  /** @param {import("./lyric_lines.js").Choice | null} choice */
  choose(choice) {
    this.choice = choice;
    this.said = "";
    this.song.show();
  }

  toggle() {
    if (this.song.player.playing) this.song.player.stop();
    else this.play();
  }

  play() {
    if (this.chosen) this.song.playPart(this.chosen);
  }

  repaint() {
    this.said = this.chosen ? this.song.repaintPart(this.chosen) : "chooseLines";
    this.show();
  }
}

/** @param {HTMLCanvasElement} canvas @param {Lanes} lanes */
function paint(canvas, { lanes, choice, song }) {
  const { brush, width, height } = brushOf(canvas);
  const { paper, ink, accent } = coloursOf(canvas);
  const { from, to } = song.view;
  const x = (/** @type {number} */ time) => ((time - from) / (to - from)) * width;
  brush.fillStyle = paper;
  brush.fillRect(0, 0, width, height);
  brush.font = `${FONT}px sans-serif`;
  brush.textBaseline = "middle";
  lanes.forEach((blocks, lane) =>
    blocks.forEach((block, place) => {
      const inside = choice?.lane === lane && Math.min(choice.from, choice.to) <= place && place <= Math.max(choice.from, choice.to);
      const [left, right] = [x(block.start), x(shownUntil(blocks, place))];
      if (left < width && right > 0) paintBlock(brush, block.text, { left, right, top: lane * LANE }, inside ? LIT : { ink });
    }),
  );
  if (!song.player.playing) return;
  brush.fillStyle = accent;
  brush.fillRect(x(song.player.now) - 1, 0, 2, height);
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {string} text
 * @param {{left: number, right: number, top: number}} place pixels
 * @param {{ink: string, paper?: string}} colours without paper: the ink, thinned
 */
function paintBlock(brush, text, { left, right, top }, { ink, paper }) {
  const begin = Math.max(0, left); // the words stay in sight where the block begins further left
  const wide = Math.max(1, right - left - 1);
  brush.save();
  brush.beginPath();
  brush.rect(left, top, wide, LANE - 1);
  brush.clip();
  brush.globalAlpha = paper ? 1 : PAPER;
  brush.fillStyle = paper ?? ink;
  brush.fillRect(left, top, wide, LANE - 1);
  brush.globalAlpha = 1;
  brush.fillStyle = ink;
  brush.fillText(text, begin + 3, top + LANE / 2);
  brush.restore();
}
