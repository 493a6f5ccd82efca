// The wheel over a waveform. Over the rest of the page it zooms or moves the graph, and so does a turn that began
// there, when the graph has brought a waveform under the pointer; with Ctrl (a pinch) it is the page's everywhere.

import { app } from "../../../scripts/app.js";
import { isInApp } from "../app_mode.js";

const PAUSE = 300; // ms: the wheel rested so long between two turns
const LINE = 16; // pixels that a wheel counting in lines means with one

/**
 * @param {import("./panel.js").Panel} panel
 * @param {(turn: {across: number, down: number, x: number}) => boolean} turned in pixels; whether it was used
 */
export function onWheel({ canvas, signal }, turned) {
  let [last, ours] = [-Infinity, false];
  const rolled = (/** @type {WheelEvent} */ event) => {
    if (event.timeStamp - last > PAUSE) ours = event.target === canvas;
    last = event.timeStamp;
    if (!ours || event.target !== canvas || event.ctrlKey || event.metaKey) return;
    if (isInApp(canvas) && document.activeElement !== canvas) return; // the list of an app is scrolled
    if (!turned(turnOf(event))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  // before the page, which takes the wheel on its way down to the canvas
  window.addEventListener("wheel", rolled, { capture: true, passive: false, signal });
  canvas.addEventListener("wheel", (event) => isInApp(canvas) || handOn(event), { passive: false, signal });
}

/**
 * The classic canvas does not see what happens on the elements above it.
 * @param {WheelEvent} event
 */
function handOn(event) {
  event.preventDefault(); // the browser would zoom all of the page
  event.stopPropagation();
  app.canvas.canvas.dispatchEvent(new WheelEvent(event.type, event));
}

/** @param {WheelEvent} event */
function turnOf(event) {
  const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE;
  const { left, width } = /** @type {HTMLElement} */ (event.target).getBoundingClientRect();
  const [across, down] = [event.deltaX * unit, event.deltaY * unit];
  const x = (event.clientX - left) / width;
  return event.shiftKey ? { across: across || down, down: 0, x } : { across, down, x };
}
