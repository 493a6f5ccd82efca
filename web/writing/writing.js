// Writing aids on Song: rows below its caption and its lyrics, wherever the page shows them. They change the widgets'
// texts as typing would, and hold nothing of their own.

import { lifetimeOf, onTick } from "../node_lifetime.js";
import { CaptionRow } from "./caption_row.js";
import { LyricsRow } from "./lyrics_row.js";
import { textAreasOf } from "./places.js";
import { polishOf } from "./polish.js";
import { putBelow } from "./row.js";

const ROWS = { caption: CaptionRow, lyrics: LyricsRow };

/** @param {any} song the node */
export function addWriting(song) {
  const signal = lifetimeOf(song);
  /** @type {Map<HTMLTextAreaElement, {rows: CaptionRow | LyricsRow, end: AbortController}>} by what they stand below */
  const shown = new Map();
  const show = (/** @type {HTMLTextAreaElement} */ area, /** @type {typeof CaptionRow | typeof LyricsRow} */ Row) => {
    const end = new AbortController();
    const made = shown.get(area) ?? { rows: new Row(song, area, end.signal), end };
    shown.set(area, made);
    putBelow(area, made.rows.row);
    made.rows.tick();
  };
  const drop = (/** @type {HTMLTextAreaElement} */ area) => {
    shown.get(area)?.rows.row.root.remove();
    shown.get(area)?.end.abort();
    shown.delete(area);
  };
  onTick(song, () => {
    for (const area of shown.keys()) if (!area.isConnected) drop(area);
    for (const [name, Row] of Object.entries(ROWS)) for (const area of textAreasOf(song, name)) show(area, Row);
  });
  signal.addEventListener("abort", () => {
    polishOf(song).stop(); // there is nothing left to write its texts to
    [...shown.keys()].forEach(drop);
  });
}
