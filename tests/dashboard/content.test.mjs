// What the pages show is what the API says, and it stays so.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { CONFIG, Daemon, OPERATOR, launch, open } from "./world.mjs";

let daemon, browser;

before(async () => {
  daemon = await new Daemon(CONFIG).start();
  browser = await launch();
  await daemon.until("VMs are ready", async () => (await daemon.count("ready")) === 8);
  await daemon.acquire("build-1", "small", "ann", { task: "kernel" });
  await daemon.acquire("build-2", "small", "ci/firefox");
  await daemon.acquire("gpu-1", "scarce", "ann");
  await daemon.acquire("gpu-2", "scarce", "bob");
  // Both VMs of the pool are taken.
  daemon.wait("gpu-3", "scarce", "cleo");
  await daemon.until("a request waits", async () => (await daemon.ask("/v1/pools")).pools.some((pool) => pool.waiting === 1));
});

after(async () => {
  await browser?.close();
  await daemon?.end();
});

const figure = async (page, pool, name) => {
  const card = page.getByRole("article", { name: `Pool ${pool}` });
  return (await card.locator("dl.figures > div", { hasText: name }).locator("dd").innerText()).replace(/\s+/g, " ");
};

test("the figures of every pool are those of the API", async () => {
  const page = await open(browser, daemon, "", { who: OPERATOR });
  await page.getByRole("article", { name: /^Pool / }).first().waitFor();
  const { pools } = await daemon.ask("/v1/pools");
  assert.equal(await page.getByRole("article", { name: /^Pool / }).count(), pools.length);
  for (const pool of pools) {
    const sum = (...states) => states.reduce((all, state) => all + (pool.counts[state] ?? 0), 0);
    assert.equal(await figure(page, pool.name, "Ready"), pool.stock.target ? `${sum("ready")} of ${pool.stock.target}` : String(sum("ready")));
    assert.equal(await figure(page, pool.name, "In use"), String(sum("in_use", "releasing")));
    assert.equal(await figure(page, pool.name, "Waiting"), String(pool.waiting));
    assert.equal(await figure(page, pool.name, "VMs"), `${Object.values(pool.counts).reduce((all, one) => all + one, 0)} of ${pool.max_total}`);
  }
  const leases = (await daemon.ask("/v1/leases")).leases.length;
  assert.equal(await page.locator(".tile", { hasText: "In use" }).locator(".tile-value").innerText(), String(leases));
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("the VMs are those of the API, each with a bar of its states", async () => {
  const page = await open(browser, daemon, "vms", { who: OPERATOR });
  const { vms } = await daemon.ask("/v1/vms");
  await page.locator(".list-vms .sizer .row").first().waitFor();
  const shown = await page.locator(".list-vms .sizer .row .c0").allInnerTexts();
  const here = vms.filter((vm) => vm.pool !== "hopeless").map((vm) => vm.name);
  assert.deepEqual(shown.filter((name) => !name.startsWith("hopeless")).sort(), here.sort());
  const used = vms.find((vm) => vm.owner === "ann" && vm.pool === "small");
  const bar = page.getByRole("img", { name: new RegExp(`^${used.name}: In use since`) });
  assert.deepEqual(await bar.locator(".part").evaluateAll((parts) => parts.map((part) => part.className.replace("part s-", ""))).then((all) => all.slice(-2)), ["ready", "in_use"]);
  await page.getByLabel("Find").fill("ann");
  await page.waitForFunction(() => document.querySelectorAll(".list-vms .sizer .row").length === 2);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("leases are told by owner, and the queue says why it waits", async () => {
  const page = await open(browser, daemon, "leases", { who: OPERATOR });
  await page.locator(".row.group b").first().waitFor();
  assert.deepEqual(await page.locator(".row.group b").allInnerTexts(), ["ann", "bob", "ci/firefox"]);
  await page.getByRole("link", { name: "Queue" }).click();
  const explained = await daemon.ask("/v1/requests/gpu-3/explain");
  const why = await page.locator(".why").innerText();
  assert.ok(why.includes(explained.limits[0].text), `${why} lacks ${explained.limits[0].text}`);
  await page.getByRole("link", { name: "gpu-3" }).click();
  await page.getByRole("heading", { name: "Why it waits" }).waitFor();
  await page.locator(".events .event", { hasText: "request waiting" }).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a VM's page tells its history as the log has it", async () => {
  const vm = (await daemon.ask("/v1/vms?owner=bob")).vms[0];
  const page = await open(browser, daemon, `vm/${vm.name}`, { who: OPERATOR });
  const { events } = await daemon.ask(`/v1/events?vm=${vm.name}&limit=1000`);
  await page.waitForFunction((count) => document.querySelectorAll(".events .event").length === count, events.length);
  const shown = await page.locator(".events .kind").allInnerTexts();
  assert.deepEqual(shown, events.map((event) => event.kind.replaceAll("_", " ")).reverse());
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a provider whose listings lack nodes is told as such, and the quota as the API has it", async () => {
  const page = await open(browser, daemon, "providers", { who: OPERATOR });
  const broken = page.getByRole("article", { name: "Provider broken" });
  await broken.getByText("failing").waitFor();
  const { problem } = await daemon.ask("/v1/providers/broken");
  assert.equal(await broken.locator(".note.bad").innerText(), problem);
  const quota = (await daemon.ask("/v1/providers/berlin")).quota.vms;
  await page.getByText(`${quota.used} of ${quota.max}`).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("what happens shows without a reload", async () => {
  const page = await open(browser, daemon, "events", { who: OPERATOR });
  const lease = (await daemon.acquire("live-1", "small", "dora")).lease;
  await page.locator(".list-events .row", { hasText: "lease granted" }).filter({ hasText: "dora" }).waitFor();
  await page.goto(`${daemon.url}/#/leases`);
  await page.locator(".row.group", { hasText: "dora" }).waitFor();
  await daemon.ask(`/v1/leases/${lease.id}`, "DELETE");
  await page.locator(".row.group", { hasText: "dora" }).waitFor({ state: "detached" });
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("texts of others are shown as texts", async () => {
  const evil = "<img src=x onerror=document.title='evil'>";
  const lease = (await daemon.acquire("evil-1", "small", "mallory", { task: evil })).lease;
  const page = await open(browser, daemon, "leases", { who: OPERATOR });
  await page.locator(".row.group b").first().waitFor();
  await page.getByText(evil).waitFor();
  assert.equal(await page.locator("img").count(), 0);
  assert.ok(!(await page.title()).includes("evil"));
  await daemon.ask(`/v1/leases/${lease.id}`, "DELETE");
  await page.context().close();
});
