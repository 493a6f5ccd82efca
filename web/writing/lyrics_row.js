// Below the lyrics: buttons that put section tags at the cursor, and how many words there are for the length.

import { addButton } from "../waveform/panel.js";
import { USUAL, counted, judged } from "./density.js";
import { edit } from "./edit.js";
import { addGroup, close, toggleMenu } from "./menu.js";
import { translate } from "./messages.js";
import { valueOf } from "./places.js";
import { isOpen, makeWritingRow } from "./row.js";
import { TAGS, tagged } from "./sections.js";

const FIRST = 3; // tags with a button of their own

export class LyricsRow {
  /** @param {any} song the node @param {HTMLTextAreaElement} area @param {AbortSignal} signal */
  constructor(song, area, signal) {
    this.song = song;
    this.area = area;
    this.row = makeWritingRow("lyrics", signal);
    this.visited = false; // whether there is a cursor that the user has put there
    this.shown = "";
    this.buttons = TAGS.slice(0, FIRST).map((tag) => this.addTag(this.row, tag));
    this.moreButton = addButton(this.row, () => this.showMore());
    this.moreButton.textContent = "+";
    area.addEventListener("focus", () => (this.visited = true), { signal });
    area.addEventListener("input", () => this.tick(), { signal });
  }

  /** @param {import("../waveform/panel.js").Row} row @param {string} tag @returns {HTMLButtonElement} */
  addTag(row, tag) {
    const button = addButton(row, () => this.insert(tag));
    button.textContent = tag;
    button.title = translate("insert", { tag });
    return button;
  }

  showMore() {
    toggleMenu(this.moreButton, (menu) => {
      const group = addGroup(menu, translate("more"));
      for (const tag of TAGS.slice(FIRST)) this.addTag(group, tag);
    }, this.row.signal);
  }

  /** @param {string} tag */
  insert(tag) {
    close();
    const { value, selectionStart } = this.area;
    edit(this.area, tagged(value, this.visited ? selectionStart : value.length, tag));
    this.tick();
  }

  tick() {
    const [seconds, instrumental] = ["seconds", "instrumental"].map((name) => valueOf(this.song, name));
    const shown = JSON.stringify([this.area.value, seconds, instrumental, isOpen(this.area), translate("more")]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.show(Number(seconds), instrumental === true);
  }

  /** @param {number} seconds NaN: not known @param {boolean} instrumental */
  show(seconds, instrumental) {
    const { row, buttons, moreButton, area } = this;
    buttons.forEach((button, n) => (button.title = translate("insert", { tag: TAGS[n] })));
    moreButton.title = translate("more");
    moreButton.setAttribute("aria-label", translate("more"));
    for (const button of [...buttons, moreButton]) button.disabled = !isOpen(area);
    const [text, title] = instrumental ? [translate("instrumental"), ""] : sentences(area.value, seconds);
    row.text.textContent = text;
    row.text.title = title || text;
  }
}

/** @param {string} lyrics @param {number} seconds @returns {string[]} what is said, and more about it */
function sentences(lyrics, seconds) {
  const { words, syllables, characters } = counted(lyrics);
  if (words === 0) return [translate("noWords"), ""];
  const count = translate(characters ? "characters" : "words", { count: words });
  if (!(seconds > 0)) return [`${translate("automatic")} · ${count}`, ""];
  const pace = translate("pace", { rate: (words / seconds).toFixed(1) });
  const { least, most } = USUAL;
  const values = { syllables, seconds, pace: (syllables / seconds).toFixed(1), least, most };
  return [`${translate(judged(syllables, seconds))} · ${count} · ${pace}`, translate("usual", values)];
}
