// How the pages look: screenshots to look at, and what can be checked without eyes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { AXE, CONFIG, Daemon, OPERATOR, SCREENS, launch, open, shoot } from "./world.mjs";

let daemon, browser, vm;

before(async () => {
  daemon = await new Daemon(CONFIG).start();
  browser = await launch();
  await daemon.until("VMs are ready", async () => (await daemon.count("ready")) === 8);
  for (const [request, pool, owner] of [["build-1", "small", "ann"], ["build-2", "small", "ci/firefox"], ["gpu-1", "scarce", "ann"], ["gpu-2", "scarce", "bob"]]) {
    vm = (await daemon.acquire(request, pool, owner, { task: `task of ${request}` })).lease.vm;
  }
  for (const number of [3, 4, 5]) daemon.wait(`gpu-${number}`, "scarce", "cleo", { priority: number });
  await daemon.until("requests wait", async () => (await daemon.ask("/v1/pools/scarce")).waiting === 3);
  await daemon.ask(`/v1/vms/${vm}/hold`, "POST", { reason: "to look at" });
});

after(async () => {
  await browser?.close();
  await daemon?.end();
});

async function violations(page) {
  return page.evaluate(async () => {
    const found = await window.axe.run(document, { resultTypes: ["violations"] });
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
  });
}

for (const screen of Object.keys(SCREENS)) {
  test(`every page is accessible and fits the screen: ${screen}`, async () => {
    const page = await open(browser, daemon, "", { screen, who: OPERATOR });
    // Past the policy of the page, which takes no script from elsewhere.
    await page.evaluate(readFileSync(AXE, "utf8"));
    const problems = [];
    const pages = { overview: "", vms: "vms", leases: "leases", queue: "queue", providers: "providers", events: "events", pool: "pool/scarce", vm: `vm/${vm}`, request: "request/gpu-3", nowhere: "nowhere" };
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(`${daemon.url}/#/${path}`);
      await page.locator(".page h1").waitFor();
      await page.waitForTimeout(name === "overview" ? 1200 : 500);
      await shoot(page, `${name}-${screen}`);
      problems.push(...(await violations(page)).map((found) => `${name}: ${found}`));
      const [wide, there] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      if (there < wide) problems.push(`${name} is ${wide} wide on a screen of ${there}`);
    }
    await page.goto(`${daemon.url}/#/vm/${vm}`);
    await page.getByRole("button", { name: `Terminate ${vm}` }).click();
    await shoot(page, `dialog-${screen}`);
    problems.push(...(await violations(page)).map((found) => `the dialog: ${found}`));
    assert.deepEqual(problems, []);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
}

test("the switch of colors goes round, and is remembered", async () => {
  const page = await open(browser, daemon, "", { screen: "light", who: OPERATOR });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByRole("button", { name: "Colors: Automatic" }).click();
  await page.getByRole("button", { name: "Colors: Light" }).click();
  await page.getByRole("button", { name: "Colors: Dark" }).waitFor();
  assert.notEqual(await background(), light);
  await page.reload();
  await page.getByRole("button", { name: "Colors: Dark" }).waitFor();
  assert.notEqual(await background(), light);
  await page.context().close();
});
