// Plays a song while it is made, as a user would. Finds {messages (at each event), before, keyed, sounds,
//   autoplays, stopped, again, sent, sentAgain, saved, savedWith, savedAgain, rows, cannotPlay, nested}

import { job, load, pressRun, prompt, reopen } from "../../tools/browser/page.mjs";

const ROW = ".acestep15-audio-preview";
const PLAYING = 30_000; // ms: until the browser has begun to play, or has ended

export async function visit(page) {
  const { page: workflow } = job.workflows.find(({ name }) => name === "text_to_music");
  await load(page, "text_to_music", workflow);
  await page.evaluate(wish);
  const found = { saved: await page.evaluate(values) };
  await pressRun(page);
  await page.waitForFunction(() => window.messages.length === 4);
  found.messages = await page.evaluate(() => window.messages);
  found.before = await page.evaluate(state);
  await page.waitForTimeout(500); // Nodes 2.0 draws it when it can
  if (job.pictures) await page.screenshot({ path: `${job.pictures}/audio_preview.${job.renderer}.png` });
  await page.locator(`${ROW} button`).focus();
  await page.keyboard.press(" ");
  found.keyed = await until(page, "■");
  found.sounds = await page.evaluate(state);
  await until(page, "▶"); // two seconds later
  await page.evaluate(earlier); // as if another had come
  found.autoplays = await stoppedAtOnce(page);
  found.stopped = await page.evaluate(state);
  await page.locator(`${ROW} button`).click(); // it plays again, until another run begins
  await pressRun(page);
  await page.waitForFunction(() => window.messages.length === 8);
  found.again = await page.evaluate(state);
  found.sent = await page.evaluate(prompt);
  found.savedWith = await page.evaluate(values);
  await reopen(page);
  found.sentAgain = await page.evaluate(prompt);
  found.savedAgain = await page.evaluate(values);
  found.rows = await page.locator(ROW).count();
  await page.evaluate(mute);
  await page.evaluate(earlier);
  await page.waitForSelector(`${ROW} button`);
  await page.locator(`${ROW} button`).click();
  await page.waitForTimeout(500);
  found.cannotPlay = (await page.evaluate(state)).text;
  await page.evaluate(() => (HTMLMediaElement.prototype.play = window.played));
  const { page: nested } = job.workflows.find(({ name }) => name === "start_here");
  await load(page, "start_here", nested);
  found.nested = await page.evaluate(inside);
  return found;
}

async function until(page, face) {
  const shown = ([row, face]) => document.querySelector(`${row} button`).textContent === face;
  const waited = page.waitForFunction(shown, [ROW, face], { timeout: PLAYING });
  return waited.then(
    () => true,
    () => false,
  );
}

// Waits until it plays and stops it at that moment: it lasts two seconds only.
async function stoppedAtOnce(page) {
  const stop = (row) => {
    const button = document.querySelector(`${row} button`);
    if (button.textContent !== "■") return false;
    button.click();
    return true;
  };
  const waited = page.waitForFunction(stop, ROW, { timeout: PLAYING });
  return waited.then(
    () => true,
    () => false,
  );
}

// What follows runs in the page.
async function wish() {
  const { api } = await import("/scripts/api.js");
  const nodes = window.app.graph.nodes;
  const of = (kind) => nodes.find(({ comfyClass }) => comfyClass === kind);
  const set = (node, name, value) => (node.widgets.find((each) => each.name === name).value = value);
  set(of("AceStep15Song"), "seconds", 10);
  const sampler = of("AceStep15Sampler");
  set(sampler, "preview_every", 2);
  const socket = sampler.inputs.findIndex(({ name }) => name === "vae");
  of("AceStep15LoadVAE").connect(0, sampler, socket);
  window.messages = [];
  window.previews = [];
  api.addEventListener("acestep15.audio_preview", ({ detail }) => {
    window.previews.push(detail);
    const row = sampler.widgets.find(({ name }) => name === "audio_preview")?.element; // drawn later
    window.messages.push(row?.querySelector("span").textContent ?? "nothing");
    // the next run must not come from the cache
    set(sampler, "seed", 1000 + window.previews.length);
  });
}

async function earlier() {
  const { api } = await import("/scripts/api.js");
  api.dispatchEvent(new CustomEvent("acestep15.audio_preview", { detail: window.previews[0] }));
  window.messages.pop();
  window.previews.pop();
}

// As in a browser that has no such sound.
function mute() {
  window.played = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException("", "NotSupportedError"));
}

// What a sampler inside of a subgraph shows, and whether another node shows anything.
async function inside() {
  const { api } = await import("/scripts/api.js");
  const outer = window.app.graph.nodes.find(({ subgraph }) => subgraph);
  const inner = outer.subgraph.nodes.find(({ comfyClass }) => comfyClass === "AceStep15Sampler");
  const row = (node) => node.widgets?.find(({ name }) => name === "audio_preview")?.element.textContent;
  const detail = { ...window.previews[0], node: `${outer.id}:${inner.id}` };
  for (const node of [detail.node, `${outer.id}:9999`, "script", null])
    api.dispatchEvent(new CustomEvent("acestep15.audio_preview", { detail: { ...detail, node } }));
  const others = [...window.app.graph.nodes, ...outer.subgraph.nodes].filter((each) => each !== inner);
  return { sampler: row(inner), others: others.filter(row).length };
}

function state() {
  const node = window.app.graph.nodes.find(({ comfyClass }) => comfyClass === "AceStep15Sampler");
  const { preview } = node.widgets.find(({ name }) => name === "audio_preview");
  const row = document.querySelector(".acestep15-audio-preview");
  const { left, top, right, bottom } = row.getBoundingClientRect();
  return {
    face: row.querySelector("button").textContent,
    text: row.querySelector("span").textContent,
    label: row.querySelector("button").getAttribute("aria-label"),
    seconds: preview.player.sound.duration,
    played: preview.played,
    newest: window.previews.at(-1).filename,
    autoplay: preview.autoplay,
    box: [left, top, right, bottom],
  };
}

function values() {
  const { nodes } = window.app.graph.serialize();
  return nodes.find(({ type }) => type === "AceStep15Sampler").widgets_values.slice(2);
}
