// Opens workflows in ComfyUI's page and tells what became of them: `node driver.mjs job.json`.
//
// job: {url, chromium, modules, renderer: "canvas" | "nodes2", workflows: [{name, page}],
//       run: {name: {widget: value}} of those to run, pictures: folder or null}
// The answer, one JSON on stdout: {name: {missing, errors, problems, boxes, groups, images, dialogs,
//   api, again (after save and open), files}}

import { job, load, pressRun, prompt, reopen, tell } from "./page.mjs";

const LOADING = 60_000; // ms: until a result that is there has been loaded

await tell(visit);

async function visit(page) {
  const seen = {};
  for (const { name, page: workflow } of job.workflows) {
    page.problems.length = 0;
    await load(page, name, workflow);
    const api = await page.evaluate(prompt);
    await reopen(page);
    const again = await page.evaluate(prompt);
    const files = job.run[name] ? await run(page, job.run[name]) : [];
    seen[name] = { ...(await page.evaluate(look)), problems: [...page.problems], api, again, files };
    if (job.pictures) await page.screenshot({ path: `${job.pictures}/${name}.${job.renderer}.png` });
  }
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
  return page.evaluate(() =>
    [...document.querySelectorAll("audio")].map(({ src, duration }) => ({ src, duration })),
  );
}

// What follows runs in the page.
function shown() {
  const sound = [...document.querySelectorAll("audio")].some((player) => player.duration > 0);
  return sound && window.app.graph.nodes.some((node) => node.imgs?.length);
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
