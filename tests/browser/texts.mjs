// Runs a song whose lyrics are not read, and one whose are. Finds {noted, drawn, mended, again, saved, savedWith,
//   rows, links: [text, answer of its address] of saved files, problems}: noted, mended and again are
//   {texts: by kind of node, own: texts of the page on our nodes}

import { job, load, pressRun, reopen } from "../../tools/browser/page.mjs";

export async function visit(page) {
  const { page: workflow } = job.workflows.find(({ name }) => name === "text_to_music");
  await load(page, "text_to_music", workflow);
  await page.evaluate(count);
  const seconds = job.renderer === "nodes2" ? 10.2 : 10; // the other's results are in the cache
  await page.evaluate(wish, [true, seconds]);
  const found = { saved: await page.evaluate(values) };
  await runOf(page, 1);
  found.noted = await page.evaluate(texts);
  found.drawn = await page.evaluate(box);
  found.savedWith = await page.evaluate(values);
  if (job.pictures) await page.screenshot({ path: `${job.pictures}/texts.${job.renderer}.png` });
  await page.evaluate(wish, [false, seconds]);
  await runOf(page, 2);
  found.mended = await page.evaluate(texts);
  await runOf(page, 3); // everything is in the cache
  found.again = await page.evaluate(texts);
  await reopen(page);
  found.rows = await page.locator(".acestep15-node-text").count();
  found.links = await page.evaluate(links, await page.evaluate(save));
  return found;
}

async function runOf(page, number) {
  await pressRun(page);
  await page.waitForFunction((number) => window.ended === number, number); // the page knows it, too
}

// What follows runs in the page.
async function count() {
  const { api } = await import("/scripts/api.js");
  window.ended = 0;
  api.addEventListener("execution_success", () => (window.ended += 1));
}

function wish([instrumental, seconds]) {
  const of = (kind) => window.app.graph.nodes.find(({ comfyClass }) => comfyClass === kind);
  const set = (kind, name, value) =>
    (of(kind).widgets.find((each) => each.name === name).value = value);
  set("AceStep15Song", "seconds", seconds);
  set("AceStep15Song", "lyrics", "[Verse]\nla la");
  set("AceStep15Song", "instrumental", instrumental);
  set("AceStep15Sampler", "control_after_generate", "fixed"); // a run that is repeated is in the cache
}

function texts() {
  const ours = window.app.graph.nodes.filter(({ comfyClass }) => comfyClass?.startsWith("AceStep15"));
  const named = (node, name) => node.widgets?.find((each) => each.name === name);
  const shown = ours.filter((node) => named(node, "node_text"));
  return {
    texts: Object.fromEntries(
      shown.map((node) => [node.comfyClass, named(node, "node_text").element.textContent]),
    ),
    own: ours.filter((node) => named(node, "$$node-text-preview")).length,
  };
}

// A file, and the output of a node that saved two of them.
async function save() {
  const body = new FormData();
  body.append("image", new Blob(["tone"]), "drums #1.flac");
  body.append("type", "output");
  body.append("subfolder", "audio/stems_1");
  body.append("overwrite", "true");
  const { api } = await import("/scripts/api.js");
  const { name, subfolder, type } = await (await api.fetchApi("/upload/image", { method: "POST", body })).json();
  const text = `Folder: output/${subfolder}\n${name}: -14 LUFS\nbass.flac: -20 LUFS`;
  return { ace_step_text: [text], audio: [{ filename: name, subfolder, type }] };
}

async function links(output) {
  const node = window.LiteGraph.createNode("AceStep15SaveStems");
  window.app.graph.add(node);
  node.onExecuted(output);
  const { element } = node.widgets.find(({ name }) => name === "node_text");
  const found = [...element.querySelectorAll("a")];
  const answers = await Promise.all(found.map(({ href }) => fetch(href)));
  return found.map((link, n) => [link.textContent, link.download, answers[n].status, element.textContent]);
}

function box() {
  const rows = [...document.querySelectorAll(".acestep15-node-text")];
  const row = rows.find(({ textContent }) => textContent.includes("lyrics"));
  if (!row) return [0, 0];
  const { left, top, right, bottom } = row.getBoundingClientRect();
  return [right - left, bottom - top];
}

function values() {
  const { nodes } = window.app.graph.serialize();
  return nodes.map(({ id, widgets_values }) => [id, widgets_values ?? []]);
}
