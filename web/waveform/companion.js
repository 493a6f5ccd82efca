// A second sound beside the one that a player plays, on its clock. Both run, and one of them is heard: the ear can
// go from one to the other without a gap.

const CLOSE = 0.005; // seconds: so far apart they count as together
const FAR = 0.25; // seconds: more is not caught up with, but sought
const CATCH_UP = 1; // of the speed for each second that the silent one is late; more swings where few frames are drawn
const SPEEDS = { least: 0.8, most: 1.2 };

/**
 * @typedef {object} Original
 * @property {string} url
 * @property {number} start seconds of it where the player's sound begins
 */

export class Companion {
  /** @param {import("./player.js").Player} player @param {AbortSignal} signal closes it */
  constructor(player, signal) {
    this.player = player;
    this.sound = new Audio();
    this.sound.preload = "auto"; // it also fails where the file has gone, and `error` says so
    /** @type {Original | null} */
    this.original = null;
    this.wanted = false;
    this.sound.addEventListener("error", () => player.changed(), { signal });
    signal.addEventListener("abort", () => this.close());
  }

  /** @returns {boolean} whether the original is heard, and not the player's own sound */
  get heard() {
    return this.wanted && this.original != null;
  }

  /** Called as the player plays, and when anything changes. */
  follow() {
    const { player, sound, original, heard } = this;
    player.sound.playbackRate = 1;
    player.sound.muted = heard;
    sound.muted = !heard;
    sound.volume = player.sound.volume;
    if (!player.playing || !original) return sound.pause();
    if (sound.getAttribute("src") !== original.url) sound.src = original.url;
    const time = player.now + original.start;
    if (!(0 <= time && time < sound.duration)) return sound.pause(); // nothing of it there, or not loaded yet
    this.keepUp(time);
    if (sound.paused) sound.play().catch(() => {}); // the player says it where nothing can be played
  }

  /** @param {number} time seconds of the original that belong to what the player plays */
  keepUp(time) {
    const { player, sound, heard } = this;
    const late = time - sound.currentTime;
    if (Math.abs(late) > FAR) sound.currentTime = time;
    sound.playbackRate = heard ? 1 : speedFor(late);
    if (heard) player.sound.playbackRate = speedFor(-late); // the one that is silent makes up for it
  }

  close() {
    this.sound.pause();
    this.sound.removeAttribute("src");
  }
}

/** @param {number} late seconds @returns {number} times the usual speed */
export function speedFor(late) {
  if (Math.abs(late) < CLOSE || Math.abs(late) > FAR) return 1;
  return Math.max(SPEEDS.least, Math.min(SPEEDS.most, 1 + CATCH_UP * late));
}
