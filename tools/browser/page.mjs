// A page of ComfyUI in a headless Chromium, in one of its two renderers: what every script imports.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

export const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const QUIET = { polls: 8, pause: 50, most: 240 }; // what stays the same so often, with every answer there, is done
export const PLAYING = 30_000; // ms: until the browser has begun to play
const SETTINGS = {
  "Comfy.VueNodes.Enabled": job.renderer === "nodes2",
  "Comfy.TutorialCompleted": true,
  "LiteGraph.Canvas.MinFontSizeForLOD": 0, // words at every zoom
  "Comfy.Minimap.Visible": false,
};
const ARGUMENTS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", // nothing but this server is reached
];
const WELCOME = 4_000; // ms: until the page would have greeted
const PATIENCE = 120_000; // ms: this may be a slow machine
const CLICKS = { pause: 15_000, most: 6 }; // ms until the search has opened, and how often it is tried
const POLLING = 200; // ms
const { chromium } = createRequire(job.modules + "/")("playwright-core");

// Writes what `visit` finds as one JSON to stdout.
export async function tell(visit) {
  const browser = await chromium.launch({
    executablePath: job.chromium,
    args: ARGUMENTS,
  });
  try {
    process.stdout.write(JSON.stringify(await visit(await opened(browser))));
  } finally {
    await browser.close();
  }
}

async function opened(browser) {
  const page = await newPage(browser, { width: 1600, height: 900 });
  await again(page, SETTINGS);
  return page;
}

// A page of one who was never here, with a list of its `problems`; `again` opens it.
export async function newPage(browser, viewport) {
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(PATIENCE);
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(error.stack ?? String(error)));
  return page;
}

// Opens the page, or opens it once more, with settings of its own: two pages share one server.
export async function again(page, settings = {}) {
  await page.addInitScript(withSettings, settings);
  await page.goto(job.url, { waitUntil: "domcontentloaded" });
  await page.waitForFunction(hasOpened);
}

export async function load(page, name, workflow) {
  await page.evaluate(([graph, name]) => window.app.loadGraphData(graph, true, true, name), [
    workflow,
    name,
  ]);
  await drawn(page);
}

// When the view was fitted and nothing moves any more; in Nodes 2.0 each node stands in the document.
export async function drawn(page) {
  const expected = await page.evaluate(() => window.app.graph.nodes.length);
  if (job.renderer === "nodes2") {
    await page.waitForFunction(
      (count) => document.querySelectorAll("[data-node-id]").length >= count,
      expected,
    );
  }
  await command(page, "Comfy.Canvas.FitView");
  await still(page);
}

// When the server has answered, and neither the view nor a node moves any more.
export async function still(page) {
  await page.evaluate(untilStill, QUIET);
}

export async function command(page, name) {
  await page.evaluate((name) => window.app.extensionManager.command.execute(name), name);
}

// Presses Run and waits until the server has done with it.
export async function pressRun(page) {
  const queued = nextRun(page);
  await page.getByTestId("queue-button").click();
  await waitUntil(page, isOver, await queued);
}

// The id of the run that is queued next: asked for before what queues it.
export async function nextRun(page) {
  const answer = await page.waitForResponse(
    (answer) => answer.url().endsWith("/prompt") && answer.request().method() === "POST",
  );
  return (await answer.json()).prompt_id;
}

// Asks an async function until its answer is true: `waitForFunction` takes its promise for one.
export async function waitUntil(page, ask, argument) {
  const last = Date.now() + PATIENCE;
  while (!(await page.evaluate(ask, argument))) {
    if (Date.now() > last) throw new Error(`${ask.name} was not true within ${PATIENCE / 1000} seconds`);
    await page.waitForTimeout(POLLING);
  }
}

// Whether the player in `area` begins to play.
export async function playing(page, area) {
  const begun = (area) => document.querySelector(`${area} button`).textContent === "■";
  const waited = page.waitForFunction(begun, area, { timeout: PLAYING });
  return waited.then(
    () => true,
    () => false,
  );
}

export async function reopen(page) {
  await page.evaluate(saveAndOpen);
  await drawn(page);
}

// Opens the page's search for nodes in a new workflow. A page that is busy between the two clicks takes them for single
// ones: they are made again.
export async function openSearch(page) {
  await command(page, "Comfy.NewBlankWorkflow");
  const { width, height } = await page.locator("#graph-canvas").boundingBox();
  const box = page.getByRole("combobox", { name: "Add a node" });
  for (let tries = 0; tries < CLICKS.most && !(await box.isVisible()); tries++) {
    await page.mouse.dblclick(width * 0.6, height / 2);
    await box.waitFor({ timeout: CLICKS.pause }).catch(() => {});
  }
  return box;
}

// Newer pages greet whoever opens the first app of all.
export async function skipWelcome(page) {
  const skip = page.getByRole("button", { name: "Skip", exact: true });
  await skip.click({ timeout: WELCOME }).catch(() => {});
}

// What follows runs in the page.
function hasOpened() {
  // its own first workflow is there: nothing comes over the next
  return window.app?.extensionManager?.workflow?.activeWorkflow?.activeState;
}

function withSettings(settings) {
  const first = !window.ownSettings;
  window.ownSettings = { ...window.ownSettings, ...settings };
  if (!first) return;
  const ask = window.fetch;
  window.unanswered = 0;
  window.fetch = async (address, options) => {
    window.unanswered += 1;
    const answer = await ask(address, options).finally(() => (window.unanswered -= 1));
    const { pathname } = new URL(address.url ?? address, window.location.href);
    const reads = (options?.method ?? "GET") === "GET" && pathname.endsWith("/settings");
    if (!reads || !answer.ok) return answer;
    return Response.json({ ...(await answer.json()), ...window.ownSettings });
  };
}

async function untilStill({ polls, pause, most }) {
  const look = () => {
    const { canvas, graph } = window.app;
    const shown = [...document.querySelectorAll("[data-node-id]")];
    const places = graph.nodes.map((node) => [...node.boundingRect]);
    const view = [canvas.ds.scale, ...canvas.ds.offset];
    return JSON.stringify([view, places, shown.map((each) => each.getBoundingClientRect())]);
  };
  let before = "";
  for (let same = 0, tries = 0; same < polls && tries < most; tries++) {
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next, pause)));
    const now = look();
    same = now === before && !window.unanswered ? same + 1 : 0;
    before = now;
  }
}

export async function isOver(run) {
  return run in (await (await fetch(`/history/${run}`)).json());
}

export async function saveAndOpen() {
  await window.app.loadGraphData(JSON.parse(JSON.stringify(window.app.graph.serialize())));
}

export async function prompt() {
  return (await window.app.graphToPrompt()).output;
}
