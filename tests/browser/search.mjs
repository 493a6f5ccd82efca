// Types each word of `job.words` into the page's search for nodes. Finds {word: [the options that it
// offers, the best first, as they are read]}

import { command, job } from "../../tools/browser/page.mjs";

const SETTLED = { polls: 4, pause: 150, most: 40 }; // options that stay the same so often are all
const CLICKS = { pause: 15_000, most: 6 }; // ms until the search has opened, and how often it is tried

export async function visit(page) {
  await command(page, "Comfy.NewBlankWorkflow");
  const box = await openSearch(page);
  const found = {};
  for (const word of job.words) {
    await box.fill(word);
    found[word] = await settled(page);
  }
  await page.keyboard.press("Escape");
  return found;
}

// A page that is busy between the two clicks takes them for single ones: they are made again.
async function openSearch(page) {
  const { width, height } = await page.locator("#graph-canvas").boundingBox();
  const box = page.getByRole("combobox", { name: "Add a node" });
  for (let tries = 0; tries < CLICKS.most && !(await box.isVisible()); tries++) {
    await page.mouse.dblclick(width * 0.6, height / 2);
    await box.waitFor({ timeout: CLICKS.pause }).catch(() => {});
  }
  return box;
}

async function settled(page) {
  let before = "";
  let now = [];
  for (let same = 0, tries = 0; same < SETTLED.polls && tries < SETTLED.most; tries++) {
    await page.waitForTimeout(SETTLED.pause);
    now = await page.getByRole("option").allInnerTexts();
    same = now.join() === before ? same + 1 : 0;
    before = now.join();
  }
  return now;
}
