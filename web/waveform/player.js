// Plays one sound at a time, or a part of it, and tells where it is.

/** @type {Player | null} the one that plays, or did last */
let active = null;

export class Player {
  /**
   * @param {() => void} changed called as it plays and when it ends
   * @param {AbortSignal} signal closes it
   */
  constructor(changed, signal) {
    this.changed = () => signal.aborted || changed();
    this.signal = signal;
    this.sound = new Audio();
    this.sound.preload = "auto";
    this.until = Infinity; // seconds
    /** @type {number | null} seconds: where it goes on from `until`; null: it stops there */
    this.again = null;
    this.failed = false;
    this.sound.addEventListener("ended", () => this.turn(), { signal });
    signal.addEventListener("abort", () => this.close());
  }

  /** @returns {boolean} */
  get playing() {
    return !this.sound.paused;
  }

  /** @returns {number} seconds */
  get now() {
    return this.sound.currentTime;
  }

  /**
   * @param {string} url
   * @param {number} from seconds
   * @param {{until?: number, again?: number | null, volume?: number}} [part] seconds; volume from 0 to 1
   */
  play(url, from, { until = Infinity, again = null, volume = 1 } = {}) {
    if (this.signal.aborted) return;
    if (active !== this) active?.stop();
    active = this;
    this.until = until;
    this.again = again;
    this.load(url);
    this.sound.volume = volume;
    this.sound.currentTime = from;
    this.start();
  }

  async start() {
    try {
      await this.sound.play();
      this.failed = false;
      this.follow();
    } catch (error) {
      // another sound took its place before it began, which is no failure
      this.failed = /** @type {Error} */ (error).name !== "AbortError";
      this.changed();
    }
  }

  /** Plays unless another does. @param {() => void} play */
  playAlone(play) {
    if (!active?.playing) play();
  }

  /** @param {string} url */
  load(url) {
    if (this.sound.getAttribute("src") !== url) this.sound.src = url;
  }

  /** @param {number} time seconds */
  seek(time) {
    this.sound.currentTime = time;
    this.changed();
  }

  stop() {
    this.sound.pause();
    this.changed();
  }

  /** At the end of what is played. */
  turn() {
    if (this.again == null) return this.stop();
    this.sound.currentTime = this.again;
    if (!this.playing) this.start(); // the sound itself had ended
  }

  close() {
    this.sound.pause();
    this.sound.removeAttribute("src");
    if (active === this) active = null;
  }

  follow() {
    if (this.playing && this.now >= this.until) this.turn();
    this.changed();
    if (this.playing) requestAnimationFrame(() => this.follow());
  }
}
