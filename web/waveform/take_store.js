// The takes of a node, kept by ComfyUI in the user's own folder: a small file for each node that saves. The node
// holds the file's name, so that a workflow has its takes wherever it is opened.

import { api } from "../../../scripts/api.js";
import { cachedNode, followCache } from "./cached_runs.js";
import { FULL, waveformsIn } from "./peaks.js";

export const KEY = "ace_step_takes"; // the property in nodes/take_origin.py
const FOLDER = "acestep15/takes";
const MAX_TAKES = 9; // of a node; older ones without a star go first
const PEAKS = 250; // that are kept of a waveform

/**
 * @typedef {object} Take
 * @property {string} filename
 * @property {string} subfolder
 * @property {string} type
 * @property {number} seconds
 * @property {string} peaks see `lettersOf`
 * @property {number | null} loudness LUFS; null: silence
 * @property {string} caption
 * @property {Record<string, Record<string, number>>} seeds by the node's number and the input
 * @property {import("./peaks.js").Source | null} [source] what it was made of; older lists have none
 * @property {import("./lyric_lines.js").Line[]} [lines] its lyrics in time; older lists have none
 * @property {string} tag of the file as it was saved: another file of its name has another
 * @property {string} name that the user gave it, or empty
 * @property {boolean} star
 */

/** @type {Map<string, Promise<any>>} by key, so that one change follows the other */
const last = new Map();

/** @type {Map<string, (waves: import("./peaks.js").Waveform[]) => void>} nodes of the open workflow, by key */
export const shown = new Map();

/** Keeps the takes of every run, whichever workflow is open when it ends. */
export function keepTakes() {
  followCache();
  api.addEventListener("executed", async ({ detail }) => {
    const waves = takesIn(detail?.output).filter(({ list }) => list);
    const [{ list: sent = "" } = {}] = waves; // one node has sent them
    if (!sent) return;
    const list = (await cachedNode(detail))?.properties?.[KEY] ?? sent;
    const fresh = await Promise.all(waves.map(takeOf));
    await changeTakes(list, (takes) => together(takes, fresh)).catch(() => {});
    shown.get(list)?.(waves);
  });
}

/** @param {any} output of a run @returns {import("./peaks.js").Waveform[]} */
export function takesIn(output) {
  return waveformsIn(output, (path) => api.apiURL(path));
}

/** @returns {string} a key that no other node has */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} key
 * @param {(takes: Take[]) => Take[]} change
 * @returns {Promise<Take[]>} as they are then
 * @throws where the server does not keep them
 */
export function changeTakes(key, change) {
  const before = (last.get(key) ?? Promise.resolve()).catch(() => {});
  const now = before.then(async () => {
    const takes = await read(key);
    const changed = change(takes);
    if (changed !== takes) await api.storeUserData(fileOf(key), { takes: changed });
    return changed;
  });
  last.set(key, now);
  return now;
}

/** @param {string} key @returns {Promise<Take[]>} */
async function read(key) {
  const answer = await api.getUserData(fileOf(key));
  return answer.ok ? ((await answer.json()).takes ?? []) : [];
}

/** @param {string} key */
function fileOf(key) {
  return `${FOLDER}/${key.replace(/\W/g, "")}.json`;
}

/** @param {Take[]} takes @param {Take[]} fresh @returns {Take[]} at most MAX_TAKES; `takes` when none is fresh */
export function together(takes, fresh) {
  const known = new Set(takes.map(identityOf));
  const added = fresh.filter((take) => !known.has(identityOf(take)));
  if (!added.length) return takes;
  const all = [...takes, ...added];
  const spare = Math.max(0, all.length - MAX_TAKES);
  const oldest = [...all].sort((one, other) => Number(one.star) - Number(other.star)).slice(0, spare);
  return all.filter((take) => !oldest.includes(take));
}

/** @param {Take} take @returns {string} the same for the same file only */
export function identityOf({ subfolder, filename, tag }) {
  return `${subfolder}/${filename} ${tag}`;
}

/** @param {import("./peaks.js").Waveform} wave of a run @returns {Promise<Take>} */
export async function takeOf({ filename = "", subfolder = "", type = "output", seconds, peaks, ...rest }) {
  const { loudness = null, caption = "", seeds = {}, source = null, lines = [] } = rest;
  const file = { filename, subfolder, type };
  const tag = (await tagOf(file).catch(() => null)) ?? "";
  return { ...file, seconds, peaks: lettersOf(peaks), loudness, caption, seeds, source, lines, tag, name: "", star: false };
}

/** @typedef {{filename: string, subfolder: string, type: string}} File */

/** @param {File} file @returns {string} the address of its sound */
export function addressOf({ filename, subfolder, type }) {
  return api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type })}`);
}

/** @param {File} file @returns {Promise<string | null>} null: it is not there */
export async function tagOf(file) {
  const answer = await fetch(addressOf(file), { method: "HEAD", cache: "no-store" });
  if (!answer.ok) return null;
  return answer.headers.get("Etag") ?? answer.headers.get("Last-Modified") ?? "";
}

/** @param {number[]} peaks 0 to 255 @returns {string} the loudest of each part as a byte, in base 64 */
function lettersOf(peaks) {
  const count = Math.min(PEAKS, peaks.length);
  const edge = (/** @type {number} */ n) => Math.floor((n * peaks.length) / count);
  const parts = Array.from({ length: count }, (_, n) => Math.max(...peaks.slice(edge(n), edge(n + 1))));
  return btoa(String.fromCharCode(...parts));
}

/** @param {string} letters @returns {number[]} 0 to 255 */
export function peaksIn(letters) {
  return Array.from(atob(letters), (letter) => Math.min(FULL, letter.charCodeAt(0)));
}
