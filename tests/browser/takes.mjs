// The takes on Save Audio: `node takes.mjs job.json`, before a restart of the server and after it.
//
// job: what tools/browser/page.py gives, {page: the workflow that is opened, part: "made" | "again"}
// made: {ran, renamed, elsewhere (how many players), back, seeds: {said, sent, drawn}, during, removed, reloaded, saved,
//   cached};
// again: {shown, lost (what is said of each)}; what is shown is {takes: [{file, name, star, seed}], chosen, text, details}

import { again, command, drawn, isOver, job, load, nextRun, pressRun, prompt, tell, waitUntil } from "../../tools/browser/page.mjs";

const TAKES = ".acestep15-takes";
const LOADING = 60_000; // ms: until the takes are as they should be

await tell(async (page) => ({ ...(await (job.part === "made" ? made(page) : afterwards(page))), problems: page.problems }));

async function made(page) {
  const found = {};
  await load(page, "start_here", job.page);
  await page.evaluate(short);
  await pressRun(page);
  await until(page, 1);
  await button(page, "[data-ace-step=star]").click();
  await button(page, "[data-ace-step=rename]").click();
  await page.keyboard.type("the good one");
  await command(page, "Comfy.QueuePrompt"); // a take comes while one writes
  await until(page, 2);
  await page.keyboard.press("Enter");
  found.ran = await page.evaluate(list);
  await button(page, "[data-take]").nth(0).click();
  await page.waitForFunction((area) => document.querySelector(area).innerText.includes("the good one"), TAKES);
  found.renamed = await page.evaluate(list);
  if (job.pictures) await page.screenshot({ path: `${job.pictures}/takes.${job.renderer}.png` });
  await command(page, "Comfy.NewBlankWorkflow");
  await drawn(page);
  found.elsewhere = await page.locator(TAKES).count();
  await back(page);
  found.back = await until(page, 2);
  await button(page, "[data-take]").nth(0).click();
  await button(page, "[data-ace-step=useSeeds]").click();
  found.seeds = { said: await page.evaluate(list), sent: await seedSent(page), drawn: await page.evaluate(songSeed) };
  await page.evaluate(anotherSeed);
  found.during = await duringRun(page);
  await button(page, "[data-take]").nth(1).click();
  await button(page, "[data-ace-step=remove]").click();
  found.removed = await until(page, 2);
  await again(page);
  found.reloaded = await until(page, 2);
  found.saved = await page.evaluate(() => window.app.graph.serialize());
  await load(page, "opened anew", job.page);
  await page.evaluate(short);
  await page.evaluate(anotherSeed); // as in the last run: it is in the cache
  await pressRun(page);
  found.cached = await until(page, 1);
  return found;
}

async function afterwards(page) {
  await load(page, "start_here", job.page);
  const found = { shown: await until(page, 2) };
  found.lost = [];
  for (const place of [0, 1]) {
    await button(page, "[data-take]").nth(place).click();
    await page.waitForTimeout(500);
    found.lost.push((await page.evaluate(list)).text);
  }
  return found;
}

// A run that ends while another workflow is open.
async function duringRun(page) {
  const queued = nextRun(page);
  await page.getByTestId("queue-button").click();
  const run = await queued;
  await command(page, "Comfy.NewBlankWorkflow");
  await waitUntil(page, isOver, run);
  await page.waitForTimeout(500);
  await back(page);
  return until(page, 3);
}

async function back(page) {
  await page.getByText("start_here", { exact: true }).first().click(); // its tab
  await page.waitForFunction(() => window.app.graph.nodes.some(({ subgraph }) => subgraph));
  await drawn(page);
}

async function seedSent(page) {
  const sent = Object.values(await page.evaluate(prompt));
  return sent.find(({ class_type }) => class_type === "AceStep15Sampler").inputs.seed;
}

function button(page, which) {
  return page.locator(`${TAKES} ${which}`);
}

async function until(page, count) {
  const arrived = (count) => window.app.graph.nodes.some(({ widgets }) => widgets?.some(({ takes }) => takes?.takes.length === count));
  await page.waitForFunction(arrived, count, { timeout: LOADING });
  await page.waitForTimeout(300); // and drawn
  return page.evaluate(list);
}

// What follows runs in the page.
function short() {
  const { widgets } = window.app.graph.nodes.find(({ subgraph }) => subgraph);
  widgets.find(({ name }) => name === "seconds").value = 10;
}

function songSeed() {
  const { widgets } = window.app.graph.nodes.find(({ subgraph }) => subgraph);
  return widgets.find(({ name }) => name === "seed").value;
}

function anotherSeed() {
  const { widgets } = window.app.graph.nodes.find(({ subgraph }) => subgraph);
  widgets.find(({ name }) => name === "seed").value = 4711;
}

function list() {
  const { takes } = window.app.graph.nodes.flatMap(({ widgets }) => widgets ?? []).find(({ takes }) => takes);
  const rows = document.querySelectorAll(".acestep15-takes > div > span");
  return {
    takes: takes.takes.map(({ filename, subfolder, name, star, seeds }) => ({
      file: `${subfolder}/${filename}`,
      name,
      star,
      seed: Object.values(seeds)[0].seed,
    })),
    chosen: takes.chosen,
    text: rows[0].textContent,
    details: rows[1]?.textContent ?? "",
  };
}
