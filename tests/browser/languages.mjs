// What a node says in each of `job.languages`; the last one stays. Finds {locale: {title, caption, output,
// nested, group}}

import { again, command, job } from "../../tools/browser/page.mjs";

export async function visit(page) {
  const found = {};
  for (const locale of job.languages) {
    await again(page, { "Comfy.Locale": locale });
    found[locale] = await page.evaluate(labels);
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
