// Opens every workflow once, from the templates, and once more after it was saved. One after the other the parts of
// this visit look at it: `openAsTemplate` of views.mjs, `look` below, `runTwice` of seeds.mjs, and `run` in those of
// `job.run`. Finds {name: {view, missing, errors, dialogs, problems, boxes, groups, api, again (after save and open),
//   seeds, files (that play), others (players of the page's own that are seen), images, afterwards (what one more
//   Run would send)}}

import { drawn, job, playing, pressRun, prompt, saveAndOpen } from "../../tools/browser/page.mjs";
import { runTwice } from "./seeds.mjs";
import { LAPTOP, openAsTemplate } from "./views.mjs";

const TAKES = ".acestep15-takes";
const LOADING = 60_000; // ms: until a result that is there has been loaded

export async function visit(page) {
  const before = page.viewportSize();
  await page.setViewportSize(LAPTOP);
  const seen = {};
  for (const { name, page: workflow } of job.workflows) {
    page.problems.length = 0;
    const view = await openAsTemplate(page, name, workflow);
    await drawn(page); // older pages do not show all of a template
    const first = await page.evaluate(look);
    const api = await page.evaluate(prompt);
    if (job.pictures) await page.screenshot({ path: `${job.pictures}/${name}.${job.renderer}.png` });
    await page.evaluate(saveAndOpen);
    const again = await page.evaluate(prompt);
    const seeds = await runTwice(page);
    const ran = job.run[name] ? await run(page, job.run[name]) : {};
    const second = await page.evaluate(look);
    const both = (what) => [...new Set([...first[what], ...second[what]])];
    const broken = { missing: both("missing"), errors: both("errors"), dialogs: both("dialogs") };
    seen[name] = { view, ...first, ...broken, problems: [...page.problems], api, again, seeds, ...ran };
  }
  await page.setViewportSize(before);
  await drawn(page);
  return seen;
}

// Sets widgets by name and presses Run; the sound and the pictures that the page then shows.
async function run(page, values) {
  await page.evaluate((values) => {
    for (const widget of window.app.graph.nodes.flatMap((node) => node.widgets ?? []))
      if (widget.name in values) widget.value = values[widget.name];
  }, values);
  await pressRun(page);
  // what is not shown by then is missing from the answer
  await page.waitForFunction(shown, null, { polling: 500, timeout: LOADING }).catch(() => {});
  const afterwards = await page.evaluate(prompt);
  await page.locator(`${TAKES} button`).first().click(); // play
  await playing(page, TAKES);
  const found = await page.evaluate(() => ({
    files: window.app.graph.nodes.flatMap(({ widgets }) => widgets ?? []).flatMap(({ takes }) => {
      const sound = takes?.player.sound;
      return sound ? [{ src: sound.src, duration: sound.duration }] : [];
    }),
    others: [...document.querySelectorAll("audio")].filter((each) => each.parentElement.checkVisibility()).length,
    images: window.app.graph.nodes.flatMap((n) => (n.imgs ?? []).map((image) => image.src)),
  }));
  return { ...found, afterwards };
}

// What follows runs in the page.
function shown() {
  const { nodes } = window.app.graph;
  const takes = nodes.flatMap(({ widgets }) => widgets ?? []).flatMap(({ takes }) => takes?.takes ?? []);
  return takes.length > 0 && nodes.some((node) => node.imgs?.length);
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
    dialogs: [...document.querySelectorAll('[role="dialog"]')].map((d) => d.innerText),
  };
}
