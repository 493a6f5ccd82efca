// Beats and bars over time: at equal distances from the tempo that a widget has, or as they were measured.

import { isWired, upstreamNode, widgetOf } from "./graph.js";
import { onExecuted } from "./panel.js";

/**
 * Lines over time, numbered from 0; before the first and behind the last they go on evenly.
 * @typedef {object} Ruler
 * @property {number} step seconds between them, as a rule
 * @property {(place: number) => number} at the time of a line
 * @property {(time: number) => number} near the number of the nearest line
 */

/** @typedef {{beat: Ruler, bar: Ruler | null}} Grid */
/** @typedef {{beats: number[], bars: number[]}} Measured seconds, rising */

/** @type {WeakMap<any, Measured>} by the node whose run sent them */
const measured = new WeakMap();

/**
 * Keep the beats that a run of the node measures, for the nodes that it is wired to.
 * @param {any} node
 */
export function keepBeats(node) {
  onExecuted(node, (output) => {
    const found = beatsIn(output);
    if (found) measured.set(node, found);
    else measured.delete(node);
  });
}

/**
 * The beats that a node sent after a run, under the key of nodes/beats.py; null: none, or of several.
 * @param {any} output
 * @returns {Measured | null}
 */
export function beatsIn(output) {
  const texts = output?.ace_step_beats ?? [];
  const found = texts.length === 1 ? JSON.parse(texts[0]) : null;
  return found?.beats.length > 1 ? found : null;
}

/**
 * From the beats that are wired to the node, else from its own tempo or that of its song.
 * @param {any} node
 * @returns {Grid | null}
 */
export function gridOf(node) {
  const found = isWired(node, "beats") ? measured.get(upstreamNode(node, "beats")) : null;
  if (found) {
    const bar = found.bars.length > 1 ? measuredRuler(found.bars) : null;
    return { beat: measuredRuler(found.beats), bar };
  }
  const own = widgetOf(node, "by.bpm");
  const song = upstreamNode(node, "song");
  const bpm = own ? own.value : widgetOf(song, "bpm")?.value;
  if (!(bpm > 0)) return null;
  const meter = own
    ? widgetOf(node, "by.time_signature")?.value
    : widgetOf(song, "time_signature")?.value;
  const beats = parseInt(meter, 10) || 4; // "auto", or unknown
  return { beat: evenRuler(60 / bpm), bar: evenRuler((60 / bpm) * beats) };
}

/** @param {number} step seconds @returns {Ruler} */
export function evenRuler(step) {
  return { step, at: (place) => place * step, near: (time) => Math.round(time / step) };
}

/** @param {number[]} times two or more, rising @returns {Ruler} */
export function measuredRuler(times) {
  const last = times.length - 1;
  const step = (times[last] - times[0]) / last;
  const at = (/** @type {number} */ place) => {
    if (place < 0) return times[0] + place * step;
    return place > last ? times[last] + (place - last) * step : times[place];
  };
  const near = (/** @type {number} */ time) => {
    if (time < times[0]) return Math.round((time - times[0]) / step);
    if (time > times[last]) return last + Math.round((time - times[last]) / step);
    const behind = times.findIndex((each) => each >= time);
    if (behind === 0) return 0;
    return time - times[behind - 1] < times[behind] - time ? behind - 1 : behind;
  };
  return { step, at, near };
}
