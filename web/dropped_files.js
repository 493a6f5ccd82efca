// A WAV or M4A of ours opens its workflow when it is dropped on the canvas. The page itself looks for
// workflows in FLAC, MP3, Ogg and MP4: it gets that of a WAV as JSON, and an M4A as an MP4, which has
// the same tags.

import { app } from "../../scripts/app.js";

const GRAPHS = ["workflow", "prompt"]; // of ace_core/audio/tags.py; the page takes the first
const HEAD = 8; // bytes before the content of a chunk: name and size
const RIFF = 12; // bytes before the first chunk

export function openDroppedFiles() {
  const handle = app.handleFile;
  if (!handle) return;
  app.handleFile = async function (/** @type {File} */ file, /** @type {any[]} */ ...given) {
    return handle.call(this, (await withGraph(file)) ?? file, ...given);
  };
}

/** @param {File} file @returns {Promise<File | undefined>} what the page can open in its place */
async function withGraph(file) {
  const name = file.name.replace(/\.\w+$/, "");
  if (/\.wav$/i.test(file.name)) {
    const graph = graphIn(await textOf(await tagOf(file)));
    if (graph) return new File([graph], `${name}.json`, { type: "application/json" });
  } else if (/\.m4a$/i.test(file.name)) {
    const text = await textOf(file);
    if (GRAPHS.some((each) => text.includes(`mdta${each}`)))
      return new File([file], `${name}.mp4`, { type: "video/mp4" });
  }
}

/** @param {Blob} file @returns {Promise<Blob>} the ID3 tag of a WAV; empty where it has none */
async function tagOf(file) {
  for (let place = RIFF; place + HEAD <= file.size; ) {
    const head = new DataView(await file.slice(place, place + HEAD).arrayBuffer());
    const size = head.getUint32(4, true);
    const content = place + HEAD;
    if ((await textOf(file.slice(place, place + 4))) === "id3 ") return file.slice(content, content + size);
    place = content + size + (size % 2);
  }
  return new Blob();
}

/** @param {string} text of an ID3 tag @returns {string | undefined} JSON */
function graphIn(text) {
  for (const name of GRAPHS) {
    const found = text.match(new RegExp(`${name}\0(\\{.*?\\})\0`, "s"));
    if (found) return found[1];
  }
}

/** @param {Blob} blob @returns {Promise<string>} one character a byte */
async function textOf(blob) {
  return new TextDecoder("latin1").decode(await blob.arrayBuffer());
}
