// Opens workflows in ComfyUI's page and tells what became of them: `node driver.mjs job.json`.
//
// job: {url, chromium, modules, renderer: "canvas" | "nodes2", workflows: [{name, page}],
//       run: {name: {widget: value}} of those to run, pictures: folder or null}
// The answer, one JSON on stdout: {name: {missing, errors, problems, boxes, groups, images, dialogs,
//   api, again (after save and open), files}}

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { chromium } = createRequire(job.modules + "/")("playwright-core");
const SETTLE = 1_500; // ms: a few frames of a page drawn without a graphics card
const LOADING = 20_000; // ms: until a result that is there has been loaded
const PATIENCE = 240_000; // ms: this may be a slow machine

const browser = await chromium.launch({
  executablePath: job.chromium,
  args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
try {
  process.stdout.write(JSON.stringify(await visit(await opened())));
} finally {
  await browser.close();
}

async function opened() {
  const page = await browser.newPage({ viewport: { width: 2560, height: 1300 } });
  page.setDefaultTimeout(PATIENCE);
  await page.route("**/*", (route) =>
    route.request().url().startsWith(job.url) ? route.continue() : route.abort(),
  );
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  await page.goto(job.url, { waitUntil: "domcontentloaded" });
  await page.waitForFunction(() => window.app?.graph && window.app.extensionManager?.setting);
  await page.evaluate(async (nodes2) => {
    const setting = window.app.extensionManager.setting;
    await setting.set("Comfy.VueNodes.Enabled", nodes2);
    await setting.set("Comfy.TutorialCompleted", true);
    await setting.set("LiteGraph.Canvas.MinFontSizeForLOD", 0); // words at every zoom
    await setting.set("Comfy.Minimap.Visible", false);
  }, job.renderer === "nodes2");
  await page.reload({ waitUntil: "domcontentloaded" });
  await page.waitForFunction(() => window.app?.graph && window.app.extensionManager?.setting);
  return page;
}

async function visit(page) {
  const seen = {};
  for (const { name, page: workflow } of job.workflows) {
    page.problems.length = 0;
    await page.evaluate(([graph, name]) => window.app.loadGraphData(graph, true, true, name), [
      workflow,
      name,
    ]);
    await drawn(page);
    const api = await page.evaluate(prompt);
    await page.evaluate(saveAndOpen);
    await drawn(page);
    const again = await page.evaluate(prompt);
    const files = job.run[name] ? await run(page, job.run[name]) : [];
    seen[name] = { ...(await page.evaluate(look)), problems: [...page.problems], api, again, files };
    if (job.pictures) await page.screenshot({ path: `${job.pictures}/${name}.${job.renderer}.png` });
  }
  return seen;
}

// Two frames after the view was fitted, and in Nodes 2.0 after each node stands in the document.
async function drawn(page) {
  const expected = await page.evaluate(() => window.app.graph.nodes.length);
  if (job.renderer === "nodes2") {
    await page.waitForFunction(
      (count) => document.querySelectorAll("[data-node-id]").length >= count,
      expected,
    );
  }
  await page.evaluate(() => window.app.extensionManager.command.execute("Comfy.Canvas.FitView"));
  await page.waitForTimeout(SETTLE);
}

// Sets widgets by name and presses Run; the sound and the pictures that the page then shows.
async function run(page, values) {
  await page.evaluate((values) => {
    for (const widget of window.app.graph.nodes.flatMap((node) => node.widgets ?? []))
      if (widget.name in values) widget.value = values[widget.name];
  }, values);
  const queued = page.waitForResponse((answer) => answer.url().endsWith("/prompt"));
  await page.getByTestId("queue-button").click();
  await queued;
  await page.waitForFunction(idle, null, { polling: 500 });
  // what is not shown by then is missing from the answer
  await page.waitForFunction(shown, null, { polling: 500, timeout: LOADING }).catch(() => {});
  return page.evaluate(() =>
    [...document.querySelectorAll("audio")].map(({ src, duration }) => ({ src, duration })),
  );
}

// What follows runs in the page.
async function idle() {
  const { queue_running, queue_pending } = await (await fetch("/queue")).json();
  return queue_running.length + queue_pending.length === 0;
}

function shown() {
  const sound = [...document.querySelectorAll("audio")].some((player) => player.duration > 0);
  return sound && window.app.graph.nodes.some((node) => node.imgs?.length);
}

async function prompt() {
  return (await window.app.graphToPrompt()).output;
}

async function saveAndOpen() {
  await window.app.loadGraphData(JSON.parse(JSON.stringify(window.app.graph.serialize())));
}

// What the page knows of the workflow that is open.
function look() {
  const { app, LiteGraph } = window;
  const nodes = app.graph.nodes;
  const box = (thing) => ({ title: thing.title, box: [...thing.boundingRect] });
  return {
    missing: nodes.filter((n) => !LiteGraph.registered_node_types[n.type]).map((n) => n.type),
    errors: nodes.filter((n) => n.has_errors).map((n) => n.type),
    boxes: nodes.map(box),
    groups: app.graph.groups.map(box),
    images: nodes.flatMap((n) => (n.imgs ?? []).map((image) => image.src)),
    dialogs: [...document.querySelectorAll('[role="dialog"]')].map((d) => d.innerText),
  };
}
