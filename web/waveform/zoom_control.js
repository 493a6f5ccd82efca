// Which part of its sound a panel shows: wheel and keys change it, and it follows what plays.

import { onWheel } from "./wheel.js";
import { around, followed, inside, lengthOf, panned, revealed, zoomed } from "./zoom.js";

const HALF = 300; // pixels of the wheel that halve what is shown, or double it
const KEYS = { "+": 0.5, "=": 0.5, "-": 2, _: 2 }; // what is shown then, of what was

/** @typedef {import("./range.js").View} View */

/**
 * @typedef {object} Shown
 * @property {() => View} whole
 * @property {() => number} centre seconds: where keys zoom to
 * @property {() => void} changed
 */

export class ZoomControl {
  /** @param {import("./panel.js").Panel} panel @param {Shown} shown */
  constructor(panel, shown) {
    this.shown = shown;
    /** @type {View | null} null: the whole */
    this.part = null;
    this.before = 0; // seconds: what played last
    onWheel(panel, (turn) => this.turn(turn));
  }

  get view() {
    const whole = this.shown.whole();
    return this.part ? inside(this.part, whole) : whole;
  }

  get closer() {
    return this.part != null;
  }

  reset() {
    this.part = null;
  }

  /** @param {View} view */
  show(view) {
    const whole = this.shown.whole();
    this.part = lengthOf(view) < lengthOf(whole) ? view : null;
    this.shown.changed();
  }

  /** @param {import("./range.js").Range} range */
  showRange(range) {
    this.show(around(range, this.shown.whole()));
  }

  /** @param {{across: number, down: number, x: number}} turn @returns {boolean} */
  turn({ across, down, x }) {
    const whole = this.shown.whole();
    if (!(lengthOf(whole) > 0)) return false;
    const { view } = this;
    const at = view.from + x * lengthOf(view);
    if (Math.abs(across) <= Math.abs(down)) this.show(zoomed(view, whole, 2 ** (down / HALF), at));
    else if (this.closer) this.show(panned(view, whole, (across / HALF) * lengthOf(view)));
    return this.closer || Math.abs(across) <= Math.abs(down);
  }

  /** @param {string} key @returns {boolean} whether it was one of ours */
  press(key) {
    const whole = this.shown.whole();
    const factor = KEYS[/** @type {keyof KEYS} */ (key)];
    if (key !== "0" && !factor) return false;
    const centre = this.shown.centre();
    this.show(factor ? zoomed(revealed(this.view, whole, centre), whole, factor, centre) : whole);
    return true;
  }

  /** @param {number} time seconds */
  reveal(time) {
    if (this.part) this.part = revealed(this.view, this.shown.whole(), time);
  }

  /** @param {number} now seconds: the play position */
  follow(now) {
    if (this.part) this.part = followed(this.view, this.shown.whole(), this.before, now);
    this.before = now;
  }
}
