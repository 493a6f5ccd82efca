// Peaks of a sound: what a waveform is drawn from, whatever its length.

/** @typedef {{file: string, start: number}} Source the value of a loader, and its time (s) where a take begins */

/**
 * @typedef {object} Waveform
 * @property {string} url of the sound
 * @property {number} seconds
 * @property {number[]} peaks 0 to 255, evenly over the sound
 * @property {number | null} [loudness] LUFS; null: silence
 * @property {string} [filename]
 * @property {string} [subfolder]
 * @property {string} [type]
 * @property {string} [list] of a take: the key of its node's takes
 * @property {string} [caption] of a take
 * @property {Record<string, Record<string, number>>} [seeds] of a take
 * @property {Source} [source] of a take
 * @property {import("./lyric_lines.js").Line[]} [lines] of a take: its lyrics in time
 */

export const FULL = 255;
const COLUMNS = 1000;
const FINE = 50; // peaks a second, where one looks closer
const RATE = 8000; // Hz: enough for a picture, and ten minutes are 40 MB

/**
 * The waveforms that a node sent after a run, under the key of nodes/waveform_ui.py.
 * @param {any} output
 * @param {(path: string) => string} address
 * @returns {Waveform[]}
 */
export function waveformsIn(output, address) {
  return (output?.ace_step_waveforms ?? []).map((text) => {
    const sent = JSON.parse(text);
    const { filename, subfolder, type } = sent;
    return { ...sent, url: address(`/view?${new URLSearchParams({ filename, subfolder, type })}`) };
  });
}

/**
 * The waveform of a file that no node has processed yet.
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<Waveform>}
 * @throws where the file is not there, this browser cannot decode it or the signal has ended
 */
export async function loadWaveform(url, signal) {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new Error(`${answer.status} ${url}`);
  const context = new OfflineAudioContext(1, 1, RATE);
  const sound = await context.decodeAudioData(await answer.arrayBuffer());
  const channels = Array.from({ length: sound.numberOfChannels }, (_, n) => sound.getChannelData(n));
  const columns = Math.max(COLUMNS, Math.ceil(sound.duration * FINE));
  return { url, seconds: sound.duration, peaks: peaksOf(channels, columns) };
}

/**
 * The loudest peak of a part, or the nearest one where the part is shorter than it.
 * @param {number[]} peaks
 * @param {number} from a place in `peaks`, with its fraction
 * @param {number} to
 * @returns {number} 0 to 255
 */
export function loudest(peaks, from, to) {
  const first = Math.max(0, Math.floor(from));
  const last = Math.min(peaks.length - 1, Math.max(first, Math.ceil(to) - 1));
  let most = 0;
  for (let place = first; place <= last; place++) most = Math.max(most, peaks[place]);
  return most;
}

/**
 * The loudest sample of all channels in each of `columns` parts.
 * @param {Float32Array[]} channels
 * @param {number} columns
 * @returns {number[]} 0 to 255
 */
export function peaksOf(channels, columns) {
  const length = channels[0].length;
  return Array.from({ length: columns }, (_, column) => {
    const start = Math.floor((column * length) / columns);
    const stop = Math.floor(((column + 1) * length) / columns);
    let peak = 0;
    for (const samples of channels)
      for (let n = start; n < stop; n++) peak = Math.max(peak, Math.abs(samples[n]));
    return Math.min(FULL, Math.round(peak * FULL));
  });
}
