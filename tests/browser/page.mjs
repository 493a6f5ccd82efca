// A page of ComfyUI in a headless Chromium, in one of its two renderers, for the scripts beside.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

export const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const QUIET = { polls: 8, pause: 100, most: 80 }; // a layout that stays the same so often is done
const PATIENCE = 240_000; // ms: this may be a slow machine
const { chromium } = createRequire(job.modules + "/")("playwright-core");

// Writes what `visit` finds as one JSON to stdout.
export async function tell(visit) {
  const browser = await chromium.launch({
    executablePath: job.chromium,
    args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    process.stdout.write(JSON.stringify(await visit(await opened(browser))));
  } finally {
    await browser.close();
  }
}

async function opened(browser) {
  const page = await browser.newPage({ viewport: { width: 2560, height: 1300 } });
  page.setDefaultTimeout(PATIENCE);
  await page.route("**/*", (route) =>
    route.request().url().startsWith(job.url) ? route.continue() : route.abort(),
  );
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  await page.goto(job.url, { waitUntil: "domcontentloaded" });
  await ready(page);
  await page.evaluate(async (nodes2) => {
    const setting = window.app.extensionManager.setting;
    await setting.set("Comfy.VueNodes.Enabled", nodes2);
    await setting.set("Comfy.TutorialCompleted", true);
    await setting.set("LiteGraph.Canvas.MinFontSizeForLOD", 0); // words at every zoom
    await setting.set("Comfy.Minimap.Visible", false);
  }, job.renderer === "nodes2");
  await again(page);
  return page;
}

export async function again(page) {
  await page.reload({ waitUntil: "domcontentloaded" });
  await ready(page);
}

async function ready(page) {
  await page.waitForFunction(() => window.app?.graph && window.app.extensionManager?.setting);
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
  await page.evaluate(untilStill, QUIET);
}

export async function command(page, name) {
  await page.evaluate((name) => window.app.extensionManager.command.execute(name), name);
}

// Presses Run and waits until the server has done with it.
export async function pressRun(page) {
  const queued = page.waitForResponse(
    (answer) => answer.url().endsWith("/prompt") && answer.request().method() === "POST",
  );
  await page.getByTestId("queue-button").click();
  const { prompt_id: run } = await (await queued).json();
  await page.waitForFunction(isOver, run, { polling: 500 });
}

export async function reopen(page) {
  await page.evaluate(saveAndOpen);
  await drawn(page);
}

// What follows runs in the page.
async function untilStill({ polls, pause, most }) {
  const look = () => {
    const shown = [...document.querySelectorAll("[data-node-id]")];
    const places = window.app.graph.nodes.map((node) => [...node.boundingRect]);
    return JSON.stringify([places, shown.map((each) => each.getBoundingClientRect())]);
  };
  let before = "";
  for (let same = 0, tries = 0; same < polls && tries < most; tries++) {
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next, pause)));
    const now = look();
    same = now === before ? same + 1 : 0;
    before = now;
  }
}

async function isOver(run) {
  return run in (await (await fetch(`/history/${run}`)).json());
}

async function saveAndOpen() {
  await window.app.loadGraphData(JSON.parse(JSON.stringify(window.app.graph.serialize())));
}

export async function prompt() {
  return (await window.app.graphToPrompt()).output;
}
