// The peaks of a file where one looks closer: what a run sends is enough for the whole, and a second of it is one column.

import { loadWaveform } from "./peaks.js";

export class FinePeaks {
  /** @param {() => void} arrived @param {AbortSignal} signal */
  constructor(arrived, signal) {
    this.arrived = arrived;
    this.signal = signal;
    this.url = "";
    /** @type {import("./peaks.js").Waveform | null} of the file at `url`; null: not read, or it cannot be */
    this.wave = null;
  }

  /**
   * @param {string} url
   * @returns {import("./peaks.js").Waveform | null} once it has been read
   */
  of(url) {
    if (url !== this.url) this.read(url);
    return this.wave;
  }

  /** @param {string} url */
  async read(url) {
    this.url = url;
    this.wave = null;
    const wave = await loadWaveform(url, this.signal).catch(() => null);
    if (!wave || url !== this.url || this.signal.aborted) return;
    this.wave = wave;
    this.arrived();
  }
}
