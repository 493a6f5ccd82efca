// Below the caption: words of style, and polishing of caption and lyrics by the language model.

import { addButton, light } from "../waveform/panel.js";
import { difference } from "./difference.js";
import { edit } from "./edit.js";
import { addGroup, toggleMenu } from "./menu.js";
import { meaningOf, translate } from "./messages.js";
import { polishOf } from "./polish.js";
import { isOpen, makeWritingRow } from "./row.js";
import { STYLES, holds, toggled } from "./styles.js";

export class CaptionRow {
  /** @param {any} song the node @param {HTMLTextAreaElement} area @param {AbortSignal} signal */
  constructor(song, area, signal) {
    this.area = area;
    this.row = makeWritingRow("caption", signal);
    this.polish = polishOf(song);
    this.shown = "";
    /** @type {[HTMLButtonElement, string][]} those of the menu that was opened last */
    this.chips = [];
    this.styleButton = addButton(this.row, () => this.showStyles());
    this.polishButton = addButton(this.row, () => this.press());
    this.backButton = addButton(this.row, () => this.polish.back());
    area.addEventListener("input", () => this.tick(), { signal });
  }

  showStyles() {
    toggleMenu(this.styleButton, (menu) => {
      this.chips = Object.entries(STYLES).flatMap(([title, words]) => {
        const group = addGroup(menu, translate(title));
        return words.map((word) => this.addChip(group, word));
      });
      this.lightChips();
    }, this.row.signal);
  }

  /**
   * @param {import("../waveform/panel.js").Row} group
   * @param {string} word
   * @returns {[HTMLButtonElement, string]}
   */
  addChip(group, word) {
    const chip = addButton(group, () => {
      edit(this.area, difference(this.area.value, toggled(this.area.value, word)));
      this.tick();
    });
    chip.textContent = word;
    chip.title = meaningOf(word);
    return [chip, word];
  }

  lightChips() {
    for (const [chip, word] of this.chips) light(chip, holds(this.area.value, word));
  }

  press() {
    if (this.polish.runs) this.polish.stop();
    else void this.polish.run();
  }

  tick() {
    const { runs, said, before } = this.polish;
    const shown = JSON.stringify([this.area.value, runs, said, before != null, isOpen(this.area), translate("style")]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.show();
    this.lightChips();
  }

  show() {
    const { row, styleButton, polishButton, backButton, polish, area } = this;
    const faces = [
      [styleButton, "style", "styles"],
      [polishButton, polish.runs ? "stop" : "polish", polish.runs ? "stops" : "polishes"],
      [backButton, "back", "backs"],
    ];
    for (const [button, face, title] of /** @type {[HTMLButtonElement, string, string][]} */ (faces)) {
      button.textContent = translate(face);
      button.title = translate(title);
      button.disabled = !isOpen(area);
    }
    backButton.hidden = polish.before == null;
    row.text.textContent = row.text.title = polish.runs ? translate("polishing") : polish.said && translate(polish.said);
  }
}
