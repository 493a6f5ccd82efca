// What the page says in each of `job.languages`, the first of which it was opened in. Finds {locale: {labels:
// {title, caption, output, nested}, group, shown (texts of the open workflow), saved (its own words as the page
// saves them)}}

import { again, command, job, load } from "../../tools/browser/page.mjs";

export async function visit(page) {
  const { page: workflow } = job.workflows.find(({ name }) => name === "start_here");
  const found = {};
  for (const locale of job.languages) {
    if (locale !== job.languages[0]) await again(page, { "Comfy.Locale": locale });
    const labelled = await page.evaluate(labels);
    await load(page, "start_here", workflow);
    if (job.pictures) await page.screenshot({ path: `${job.pictures}/start_here.${locale}.${job.renderer}.png` });
    const shown = await page.evaluate(drawnTexts);
    found[locale] = { labels: labelled, shown, saved: await page.evaluate(saved) };
    found[locale].group = await groupOf(page);
  }
  return found;
}

// What the list of templates calls this pack.
async function groupOf(page) {
  await command(page, "Comfy.BrowseTemplates");
  const group = page.getByRole("dialog").getByText("ACE-Step 1.5", { exact: true }).first();
  return group.textContent();
}

// What follows runs in the page.
function labels() {
  const song = window.LiteGraph.createNode("AceStep15Song");
  const region = window.LiteGraph.createNode("AceStep15RegionMask");
  return {
    title: song.constructor.title,
    caption: song.widgets.find(({ name }) => name === "caption").label,
    output: song.outputs[0].localized_name ?? song.outputs[0].label,
    nested: region.widgets.find(({ name }) => name === "by.start").label,
  };
}

// On the canvas and in the elements over it.
function drawnTexts() {
  const brush = CanvasRenderingContext2D.prototype;
  const { fillText } = brush;
  const found = new Set();
  brush.fillText = function (text, ...place) {
    found.add(text);
    return fillText.call(this, text, ...place);
  };
  window.app.canvas.draw(true, true);
  brush.fillText = fillText;
  const place = document.querySelector(".graph-canvas-container").innerText;
  for (const line of place.split("\n")) if (line.trim()) found.add(line.trim());
  return [...found];
}

function saved() {
  const { nodes, groups, definitions } = window.app.graph.serialize();
  const graphs = [{ nodes, groups }, ...definitions.subgraphs];
  const slots = ({ inputs, outputs }) => [...(inputs ?? []), ...(outputs ?? [])];
  const labelled = [...definitions.subgraphs, ...nodes.filter(({ type }) => type === definitions.subgraphs[0].id)];
  return {
    titles: graphs.flatMap((each) => each.nodes.map(({ title }) => title)).filter((title) => title),
    notes: nodes.filter(({ type }) => type === "MarkdownNote").map((note) => note.widgets_values[0]),
    groups: graphs.flatMap((each) => (each.groups ?? []).map(({ title }) => title)),
    names: definitions.subgraphs.map(({ name }) => name),
    labels: labelled.flatMap(slots).flatMap(({ label }) => label ?? []),
  };
}
