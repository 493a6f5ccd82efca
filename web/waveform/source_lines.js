// The lyrics in time of a recording: those of a take of the open workflow, or of the LRC file beside it.

import { allNodes } from "../find_node.js";
import { linesInLrc } from "./lyric_lines.js";
import { addressOf } from "./take_store.js";

const ENDING = /\.\w+$/; // of a file's name

/**
 * @param {string} url of the recording
 * @param {number} seconds of it
 * @param {AbortSignal} signal
 * @returns {Promise<import("./lyric_lines.js").Line[]>} none where nobody has timed it
 */
export async function linesOf(url, seconds, signal) {
  const lines = linesOfTake(url);
  if (lines?.length) return lines;
  const beside = lrcAddress(url);
  const answer = beside ? await fetch(beside, { signal }) : null;
  return answer?.ok ? linesInLrc(await answer.text(), seconds) : [];
}

/** @param {string} url */
function linesOfTake(url) {
  const widgets = allNodes().flatMap(({ widgets }) => widgets ?? []);
  const takes = widgets.flatMap(({ takes }) => takes?.takes ?? []);
  return takes.find((/** @type {import("./take_store.js").Take} */ take) => addressOf(take) === url)?.lines;
}

/** @param {string} url @returns {string | null} null: it is no file of ComfyUI's folders */
export function lrcAddress(url) {
  const [path, query] = url.split("?");
  const parts = new URLSearchParams(query);
  const name = parts.get("filename");
  if (!name || !ENDING.test(name)) return null;
  parts.set("filename", name.replace(ENDING, ".lrc"));
  return `${path}?${parts}`;
}
