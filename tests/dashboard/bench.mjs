// How long the pages take with 10,000 VMs.

import { Daemon, OPERATOR, launch, open } from "./world.mjs";

const VMS = 10_000;
const ROUNDS = Number(process.env.VMPOOL_DASHBOARD_ROUNDS ?? 7);
const POOLS = 10;
const BUILD = process.env.VMPOOL_BINARY.includes("/debug/") ? "a daemon that is not optimized" : "an optimized daemon";

const config = ["[providers.farm]", 'driver = "dummy"', 'list_interval = "5s"', "max_concurrent = 200"];
for (let pool = 0; pool < POOLS; pool++) {
  const size = VMS / POOLS;
  config.push(`[pools.pool-${pool}]`, 'provider = "farm"', 'template = "small"', `size = ${size}`, `max_starting = ${size}`);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const figures = new Map();
const note = (what, value) => figures.set(what, [...(figures.get(what) ?? []), value]);

const daemon = await new Daemon(config.join("\n")).start();
const browser = await launch();
try {
  const began = Date.now();
  while ((await daemon.count("ready")) < VMS) {
    if (600_000 < Date.now() - began) throw new Error("the VMs are not ready within 10 min");
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  for (let round = 0; round < ROUNDS; round++) {
    const page = await open(browser, daemon, "", { who: OPERATOR });
    await page.waitForFunction(() => performance.getEntriesByName("figures").length);
    // The browser tells of it a while after it was so.
    await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length === 1);
    const painted = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
    note("first contentful paint", painted);
    note("first figures", await page.evaluate(() => performance.getEntriesByName("figures")[0].startTime));
    await page.waitForFunction(() => performance.getEntriesByName("complete").length);
    note("all VMs known", await page.evaluate(() => performance.getEntriesByName("complete")[0].startTime));
    await page.goto(`${daemon.url}/#/vms`);
    await page.locator(".list-vms .row .c0").first().waitFor();
    note("elements", await page.evaluate(() => document.querySelectorAll("*").length));

    const key = await page.evaluate(async () => {
      const input = document.querySelector("input[type=search]");
      const before = performance.now();
      input.value = "pool-7";
      input.dispatchEvent(new Event("input"));
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      return performance.now() - before;
    });
    note("a keystroke", key);

    const scroll = await page.evaluate(async () => {
      const scroller = document.querySelector(".scroller");
      const frames = [];
      for (let step = 1; step <= 20; step++) {
        const before = performance.now();
        scroller.scrollTop = step * 1500;
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        frames.push(performance.now() - before);
      }
      return frames.sort((a, b) => a - b)[10];
    });
    note("a leap in the list, two frames", scroll);

    await page.goto(`${daemon.url}/#/leases`);
    const request = `bench-${round}`;
    const shown = page.locator(".row.group", { hasText: `owner-${round}` }).waitFor();
    const { lease } = await daemon.acquire(request, "pool-1", `owner-${round}`);
    const answered = Date.now();
    await shown;
    note("an event to the screen", Date.now() - answered);
    await daemon.ask(`/v1/leases/${lease.id}`, "DELETE");
    await page.context().close();
  }
  const lines = ["| what | median of the rounds | worst |", "|---|---|---|"];
  for (const [what, values] of figures) {
    const unit = what === "elements" ? "" : " ms";
    lines.push(`| ${what} | ${Math.round(median(values))}${unit} | ${Math.round(Math.max(...values))}${unit} |`);
  }
  console.log(`${VMS.toLocaleString("en")} VMs in ${POOLS} pools, ${ROUNDS} rounds, Chromium ${browser.version().split(".")[0]}, ${BUILD}:\n\n${lines.join("\n")}`);
} finally {
  await browser.close();
  await daemon.end();
}
