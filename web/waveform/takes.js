// What was saved: a waveform that plays, and other takes at the same moment, all equally loud. They stay with the
// workflow, see take_store.js; what is removed here leaves the list, and its file stays.

import { api } from "../../../scripts/api.js";
import { coloursOf } from "../colours.js";
import { isInApp } from "../app_mode.js";
import { allNodes } from "../find_node.js";
import { lifetimeOf } from "../node_lifetime.js";
import { Companion } from "./companion.js";
import { draw } from "./draw.js";
import { FinePeaks } from "./fine_peaks.js";
import { recordingAddress } from "./graph.js";
import { Lanes, NO_LINES } from "./lanes.js";
import { addBar, addButton, allow, askIn, light, makePanel, mount, onKey, onExecuted } from "./panel.js";
import { Player } from "./player.js";
import { clock, within } from "./range.js";
import { putSeeds, seedText } from "./seeds.js";
import { KEY, addressOf, changeTakes, identityOf, newKey, peaksIn, shown } from "./take_store.js";
import { tagOf, takeOf, takesIn, together } from "./take_store.js";
import { repaintPart } from "./repaint_part.js";
import { useAsSource } from "./use_as_source.js";
import { translate } from "./messages.js";
import { ZoomControl } from "./zoom_control.js";

const HEIGHT = 146; // pixels, with the margins of the page
const STEP = 2; // seconds that an arrow seeks
const SHIFT_FACTOR = 5; // times as far with Shift

/** @param {any} node */
export function addTakes(node) {
  hideOtherPlayer(node);
  keepOwnKey(node);
  new TakesWidget(node);
}

// The page's own player would play the same song beside ours, and send the address of what it plays,
// another one after each run: the node would save the song again. It stays, as the page fills it.
/** @param {any} node */
function hideOtherPlayer(node) {
  const player = node.widgets?.find((/** @type {any} */ { name }) => name === "audioUI");
  if (!player) return;
  player.hidden = true;
  Object.assign(player.options, { hidden: true, canvasOnly: true, serialize: false });
}

/**
 * How loud each take is played, so that all are as loud as the quietest.
 * @param {{loudness: number | null}[]} takes LUFS
 * @returns {number[]} 0 to 1
 */
export function volumes(takes) {
  const known = takes.flatMap(({ loudness }) => (loudness == null ? [] : [loudness]));
  const least = Math.min(...known);
  return takes.map(({ loudness }) => (loudness == null ? 1 : 10 ** ((least - loudness) / 20)));
}

// A copy of a node in the same workflow gets a list of its own.
/** @param {any} node */
function keepOwnKey(node) {
  node.properties[KEY] = newKey();
  const configured = node.onConfigure;
  node.onConfigure = function (/** @type {any[]} */ ...given) {
    configured?.apply(this, given);
    const taken = allNodes().filter((each) => each !== this);
    if (taken.some(({ properties }) => properties?.[KEY] === this.properties[KEY])) this.properties[KEY] = newKey();
  };
}

/** @typedef {import("./take_store.js").Take} Take */

/** @param {Take | undefined} take @returns {import("./companion.js").Original | null} */
function originalOf(take) {
  if (!take?.source) return null;
  const { file, start } = take.source;
  return { url: recordingAddress(file, (path) => api.apiURL(path)), start };
}

class TakesWidget {
  /** @param {any} node */
  constructor(node) {
    const signal = lifetimeOf(node);
    this.node = node;
    this.panel = makePanel("takes", signal);
    this.panel.root.style.height = `${HEIGHT - 20}px`;
    this.player = new Player(() => this.show(), signal);
    /** @type {Take[]} */
    this.takes = [];
    /** @type {Set<string>} identities of takes whose file has gone, or is another one */
    this.lost = new Set();
    this.key = "";
    this.arrive = (/** @type {import("./peaks.js").Waveform[]} */ waves) => void this.add(waves);
    this.restored = Promise.resolve();
    this.problem = "";
    /** @type {number[]} of the chosen take */
    this.peaks = [];
    /** @type {HTMLButtonElement[]} */
    this.buttons = [];
    this.chosen = 0;
    this.moment = 0; // seconds, while nothing plays
    this.shown = "";
    this.companion = new Companion(this.player, signal);
    this.fine = new FinePeaks(() => this.show(), signal);
    this.originalPeaks = new FinePeaks(() => this.show(), signal);
    const whole = () => ({ from: 0, to: this.take?.seconds ?? 0 });
    this.zoom = new ZoomControl(this.panel, { whole, centre: () => this.now, changed: () => this.show() });
    this.playButton = addButton(this.panel, () => this.toggle());
    this.originalButton = addButton(this.panel, () => this.turnOriginal());
    this.details = addBar(this.panel);
    this.starButton = addButton(this.details, () => this.changeTake(this.take, ({ star }) => ({ star: !star })));
    this.seedButton = addButton(this.details, () => this.useSeeds());
    this.sourceButton = addButton(this.details, () => this.makeSource());
    this.nameButton = addButton(this.details, () => this.rename());
    this.removeButton = addButton(this.details, () => this.remove());
    this.lanes = new Lanes(this);
    this.repaintTitle = "repaintTitle";
    this.addListeners();
    mount(node, this.panel, () => this.tick(), "waveform", HEIGHT).takes = this;
    // what names its list comes through the store
    onExecuted(node, (output) => this.add(takesIn(output).filter(({ list }) => !list)));
    signal.addEventListener("abort", () => this.leave());
  }

  get take() {
    return this.takes[this.chosen];
  }

  get now() {
    return this.player.playing ? this.player.now : this.moment;
  }

  get view() {
    return this.take ? this.zoom.view : { from: 0, to: 1 };
  }

  addListeners() {
    const { canvas, signal } = this.panel;
    const seek = (/** @type {PointerEvent} */ event) => {
      if (event.button !== 0 || !this.take) return;
      canvas.focus();
      const { left, width } = canvas.getBoundingClientRect();
      const { from, to } = this.zoom.view;
      this.seek(from + ((event.clientX - left) / width) * (to - from));
    };
    canvas.addEventListener("pointerdown", seek, { signal });
    onKey(this.panel, (event) => this.press(event));
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it was one of ours */
  press(event) {
    if (!this.take || event.ctrlKey || event.metaKey || event.altKey) return false;
    const step = STEP * (event.shiftKey ? SHIFT_FACTOR : 1);
    if (event.key === " ") this.toggle();
    else if (event.key === "ArrowLeft") this.seek(this.now - step);
    else if (event.key === "ArrowRight") this.seek(this.now + step);
    else if (event.key.toLowerCase() === "o") this.turnOriginal();
    else if (this.zoom.press(event.key)) return true;
    else if (this.takes[Number(event.key) - 1]) this.choose(Number(event.key) - 1);
    else return false;
    return true;
  }

  /** The takes of the workflow that was opened. @param {string} key */
  async restore(key) {
    const takes = await changeTakes(key, (kept) => kept).catch(() => []);
    if (key !== this.key) return;
    this.put(takes, takes.length - 1);
    const tags = await Promise.all(takes.map((take) => tagOf(take).catch(() => take.tag)));
    if (key !== this.key) return;
    this.lost = new Set(takes.filter(({ tag }, n) => tags[n] == null || (tag && tags[n] !== tag)).map(identityOf));
    this.show();
  }

  /** @param {import("./peaks.js").Waveform[]} waves those of one run, in the order of the batch */
  async add(waves) {
    if (!waves.length) return;
    this.open(); // a run may end before the node is drawn
    await this.restored;
    const fresh = await Promise.all(waves.map(takeOf));
    const known = new Set(this.takes.map(identityOf));
    const takes = await this.change((kept) => together(kept, fresh));
    const first = takes.findIndex((take) => !known.has(identityOf(take)));
    if (first < 0 || this.panel.signal.aborted) return;
    this.player.stop();
    this.moment = 0;
    this.put(takes, first);
    if (isInApp(this.panel.root)) this.player.playAlone(() => this.play(0)); // Run was pressed to hear it
  }

  /**
   * @param {(takes: Take[]) => Take[]} change
   * @returns {Promise<Take[]>} as they are then; where the server keeps none, for this visit
   */
  async change(change) {
    try {
      const takes = await changeTakes(this.key, change);
      this.problem = "";
      return takes;
    } catch {
      this.problem = "notKept";
      return change(this.takes);
    }
  }

  /** @param {(takes: Take[]) => Take[]} change */
  async changeShown(change) {
    const { key } = this;
    const takes = await this.change(change);
    if (key !== this.key) return;
    const chosen = this.take && identityOf(this.take); // another one, where it was chosen meanwhile
    const place = takes.findIndex((take) => identityOf(take) === chosen);
    this.put(takes, place < 0 ? Math.min(this.chosen, takes.length - 1) : place);
  }

  /**
   * @param {Take} changed it may not be the chosen one any more
   * @param {(take: Take) => Partial<Take>} marks
   */
  changeTake(changed, marks) {
    const identity = identityOf(changed);
    const one = (/** @type {Take} */ take) => (identityOf(take) === identity ? { ...take, ...marks(take) } : take);
    return this.changeShown((takes) => takes.map(one));
  }

  rename() {
    const { take } = this; // a run may end while one writes
    askIn(this.details, take.name, (name) => this.changeTake(take, () => ({ name })));
  }

  remove() {
    this.player.stop();
    const removed = identityOf(this.take);
    return this.changeShown((kept) => kept.filter((take) => identityOf(take) !== removed));
  }

  useSeeds() {
    this.problem = putSeeds(this.take.seeds) ? "seedsPut" : "noSeeds";
    this.show();
  }

  makeSource() {
    this.problem = useAsSource(this.take);
    this.show();
  }

  /** @param {Take[]} takes @param {number} place the one to show */
  put(takes, place) {
    this.takes = takes;
    for (const button of this.buttons) button.remove();
    this.buttons = takes.map((_, n) => addButton(this.panel, () => this.choose(n)));
    this.chosen = Math.max(0, place);
    this.peaks = this.take ? peaksIn(this.take.peaks) : [];
    this.show();
  }

  toggle() {
    if (!this.take) return;
    if (this.player.playing) {
      this.moment = this.player.now;
      this.player.stop();
    } else this.play(this.moment >= this.take.seconds ? 0 : this.moment);
  }

  /** @param {number} from seconds @param {number} [until] seconds */
  play(from, until = Infinity) {
    this.player.play(addressOf(this.take), from, { until, volume: volumes(this.takes)[this.chosen] });
  }

  /** @param {import("./range.js").Range} part */
  playPart({ start, end }) {
    this.play(start, end);
  }

  /** @param {import("./range.js").Range} part @returns {string} the name of a message */
  repaintPart(part) {
    return this.lost.has(identityOf(this.take)) ? "lost" : repaintPart(this.take, part);
  }

  turnOriginal() {
    if (!this.companion.original) return;
    this.companion.wanted = !this.companion.heard;
    this.show();
  }

  /** @param {number} time seconds */
  seek(time) {
    this.moment = within(time, 0, this.take.seconds);
    this.player.until = Infinity; // of a line that was played
    if (this.player.playing) this.player.seek(this.moment);
    this.show();
  }

  /** @param {number} place */
  choose(place) {
    const { playing, now } = this.player;
    if (playing) this.moment = now;
    this.chosen = place;
    this.peaks = peaksIn(this.take.peaks);
    this.problem = "";
    this.moment = within(this.moment, 0, this.take.seconds);
    if (playing) this.play(this.moment);
    this.show();
  }

  open() {
    const key = this.node.properties[KEY];
    if (key === this.key) return;
    this.leave();
    this.key = key;
    shown.set(key, this.arrive);
    this.restored = this.restore(key);
  }

  leave() {
    if (shown.get(this.key) === this.arrive) shown.delete(this.key);
  }

  tick() {
    this.open();
    const { canvas } = this.panel;
    const shown = JSON.stringify([canvas.clientWidth, canvas.clientHeight, coloursOf(canvas), translate("take")]);
    if (shown !== this.shown) this.show();
    this.shown = shown;
  }

  show() {
    const { take } = this;
    const { canvas, text } = this.panel;
    if (this.player.playing) this.moment = this.player.now;
    this.companion.original = originalOf(take);
    this.companion.follow();
    const now = take ? this.now : null;
    const played = take && now != null ? { start: 0, end: now } : null;
    if (now != null) this.zoom.follow(now);
    draw(canvas, { ...this.heard(), view: this.view, played, now });
    this.lanes.put(take?.lines ?? NO_LINES, take?.seconds ?? 0);
    this.lanes.show();
    this.playButton.textContent = this.player.playing ? "■" : "▶";
    this.playButton.title = translate("play");
    this.playButton.disabled = !take;
    this.buttons.forEach((button, place) => {
      const { name, filename, star } = this.takes[place];
      button.dataset.take = String(place + 1);
      button.hidden = this.takes.length < 2;
      button.textContent = `${place + 1}${star ? "★" : ""}`;
      button.title = `${translate("take")} ${place + 1}: ${name || filename}`;
      light(button, place === this.chosen);
    });
    this.showOriginal();
    this.showDetails();
    canvas.title = translate("takes");
    canvas.setAttribute("role", "application");
    text.textContent = this.sentence();
    canvas.setAttribute("aria-label", `${translate("takes")}. ${this.sentence()}`);
  }

  /** What is drawn: that which is heard, as closely as one looks. */
  heard() {
    const { take, peaks, companion } = this;
    if (!take) return { peaks: [], seconds: 1 };
    const original = companion.heard ? companion.original : null;
    const wave = original && this.originalPeaks.of(original.url);
    if (wave) return { ...wave, begin: -original.start };
    const fine = this.zoom.closer ? this.fine.of(addressOf(take)) : null;
    return { peaks: fine?.peaks ?? peaks, seconds: take.seconds };
  }

  showOriginal() {
    const { originalButton: button, companion } = this;
    button.hidden = !this.takes.some(({ source }) => source);
    button.dataset.aceStep = "original";
    button.textContent = translate("original");
    light(button, companion.heard);
    if (!companion.heard) allow(button, companion.original != null);
    button.title = translate(companion.original ? "hearOriginal" : "noOriginal");
  }

  showDetails() {
    const { take, details } = this;
    details.bar.style.visibility = take ? "visible" : "hidden";
    if (!take) return;
    const faces = [
      [this.starButton, take.star ? "★" : "☆", "star"],
      [this.seedButton, translate("seeds"), "useSeeds"],
      [this.sourceButton, translate("source"), "useAsSource"],
      [this.nameButton, "✎", "rename"],
      [this.removeButton, "✕", "remove"],
    ];
    for (const [button, face, title] of /** @type {[HTMLButtonElement, string, string][]} */ (faces)) {
      button.dataset.aceStep = title;
      button.textContent = face;
      button.title = translate(title);
      button.setAttribute("aria-label", translate(title));
    }
    light(this.starButton, take.star);
    this.sourceButton.disabled = this.lost.has(identityOf(take));
    this.seedButton.disabled = !Object.keys(take.seeds).length;
    const seeds = seedText(take.seeds);
    const facts = [take.name || take.filename, seeds && `${translate("seed")} ${seeds}`, take.caption];
    details.text.textContent = details.text.title = facts.filter(Boolean).join(" · ");
  }

  sentence() {
    if (!this.take) return translate(this.problem || "saved");
    if (this.lost.has(identityOf(this.take))) return translate("lost");
    if (this.player.failed) return translate("cannotPlay");
    if (this.problem) return translate(this.problem);
    if (this.companion.heard && this.companion.sound.error) return translate("lost");
    const heard = this.companion.heard ? `${translate("original")} · ` : "";
    return `${heard}${clock(this.now)} / ${clock(this.take.seconds)}`;
  }
}
