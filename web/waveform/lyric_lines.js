// Lyrics on a line of time: sections, the lines that are sung, and what is chosen of them. It knows no page.

import { within } from "./range.js";

const SHORTEST = 1; // seconds that a line is given whose end is its start
const TIME = /\[(\d+):(\d+(?:[.:]\d+)?)\]/g; // of an LRC file, before a line; there may be several
const WORD_TIME = /<\d+:\d+(?:[.:]\d+)?>/g;
const TAG = /^\[.*\]$/;

/**
 * As nodes/waveform_ui.py sends it.
 * @typedef {object} Line
 * @property {string} text
 * @property {number} start seconds
 * @property {number} end seconds
 * @property {boolean} sung not a section tag
 */

/** @typedef {import("./range.js").Range & {text: string}} Block */

/** What is chosen of a lane: from one block to another, in either order. @typedef {{lane: number, from: number, to: number}} Choice */

/**
 * Sections above the lines that are sung; a lane in which nothing would lie is left out.
 * @param {Line[]} lines
 * @param {number} seconds of the song
 * @returns {Block[][]}
 */
export function lanesOf(lines, seconds) {
  const tags = lines.filter(({ sung }) => !sung);
  const sections = tags.map(({ text, start }, n) => ({ text: text.replace(/^\[|\]$/g, ""), start, end: tags[n + 1]?.start ?? seconds }));
  const sung = lines.filter((line) => line.sung).map(({ text, start, end }) => ({ text, start, end }));
  return [sections, sung].filter(({ length }) => length).map((blocks) => blocks.map((block) => drawn(block, seconds)));
}

/** @param {Block} block @param {number} seconds @returns {Block} inside the song, and long enough to be heard */
function drawn({ text, start, end }, seconds) {
  const from = within(start, 0, Math.max(0, seconds - SHORTEST));
  return { text, start: from, end: within(end > start ? end : start + SHORTEST, from, seconds) };
}

/**
 * @param {Block[]} blocks
 * @param {number} time seconds
 * @param {number} reach seconds that a pointer may miss a short one by
 * @returns {number} the place of the block that began last at that time, or of the nearest one; -1: none is so near
 */
export function blockAt(blocks, time, reach) {
  const distances = blocks.map(({ start, end }) => Math.max(start - time, time - end, 0));
  const least = Math.min(...distances);
  return least <= reach ? distances.lastIndexOf(least) : -1;
}

/** @param {Block[]} blocks @param {number} place @returns {number} seconds: where a block ends that does not cover the next one */
export function shownUntil(blocks, place) {
  const { start, end } = blocks[place];
  return Math.max(start, Math.min(end, blocks[place + 1]?.start ?? end));
}

/** @param {Block[][]} lanes @param {Choice} choice @returns {Block} all that is chosen, as one */
export function chosenPart(lanes, { lane, from, to }) {
  const blocks = lanes[lane].slice(Math.min(from, to), Math.max(from, to) + 1);
  return { text: blocks.map(({ text }) => text).join(" / "), start: blocks[0].start, end: Math.max(...blocks.map(({ end }) => end)) };
}

/**
 * The next choice when a key goes `by` blocks along a lane.
 * @param {Block[][]} lanes
 * @param {Choice} choice
 * @param {number} by
 * @param {boolean} extends_ the choice, and does not move it
 * @returns {Choice}
 */
export function stepped(lanes, { lane, from, to }, by, extends_) {
  const next = within(to + by, 0, lanes[lane].length - 1);
  return { lane, from: extends_ ? from : next, to: next };
}

/**
 * The choice in another lane: what is sung then, or the section of it.
 * @param {Block[][]} lanes
 * @param {Choice} choice
 * @param {number} by lanes
 * @returns {Choice}
 */
export function turned(lanes, choice, by) {
  const lane = within(choice.lane + by, 0, lanes.length - 1);
  if (lane === choice.lane) return choice;
  const { start, end } = chosenPart(lanes, choice);
  const [middle, blocks] = [(start + end) / 2, lanes[lane]];
  const first = blocks.findIndex((block) => block.end > start);
  const to = by > 0 && first >= 0 ? first : blockAt(blocks, middle, Infinity);
  return { lane, from: to, to };
}

/**
 * The lines of an LRC file, as they lie beside songs; a line ends where the next one begins.
 * @param {string} text
 * @param {number} seconds of the song
 * @returns {Line[]}
 */
export function linesInLrc(text, seconds) {
  const timed = text.split(/\r?\n/).flatMap((line) => {
    const words = line.replace(TIME, "").replace(WORD_TIME, "").trim().replace(/\s+/g, " ");
    return [...line.matchAll(TIME)].map(([, minutes, rest]) => ({ start: Number(minutes) * 60 + Number(rest.replace(":", ".")), text: words }));
  });
  timed.sort((one, other) => one.start - other.start);
  const ended = timed.map(({ start, text }, n) => ({ text, start, end: Math.min(timed[n + 1]?.start ?? seconds, seconds), sung: !TAG.test(text) }));
  return ended.filter(({ text, start }) => text && start < seconds); // an empty one ends the line before it
}
