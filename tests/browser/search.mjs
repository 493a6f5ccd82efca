// Types each word of `job.words` into the page's search for nodes. Finds {word: [the options that it
// offers, the best first, as they are read]}

import { job, openSearch } from "../../tools/browser/page.mjs";

const SETTLED = { polls: 4, pause: 150, most: 40 }; // options that stay the same so often are all

export async function visit(page) {
  const box = await openSearch(page);
  const found = {};
  for (const word of job.words) {
    await box.fill(word);
    found[word] = await settled(page);
  }
  await page.keyboard.press("Escape");
  return found;
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
