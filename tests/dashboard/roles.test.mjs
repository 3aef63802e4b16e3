// Who may do what, and what happens when the daemon is not there.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { CONFIG, Daemon, OPERATOR, READER, launch, open } from "./world.mjs";

let daemon, browser;

before(async () => {
  daemon = await new Daemon(CONFIG).start();
  browser = await launch();
  await daemon.until("VMs are ready", async () => (await daemon.count("ready")) === 8);
});

after(async () => {
  await browser?.close();
  await daemon?.end();
});

const VERBS = /^(Hold|Unhold|Release|Terminate|Drain|Undrain|Cancel|Accept loss)/;

test("readers see no buttons that change anything", async () => {
  const lease = (await daemon.acquire("reader-1", "small", "ann")).lease;
  const page = await open(browser, daemon, "", { who: READER });
  for (const path of ["", "vms", "leases", "queue", "providers", "pool/small", `vm/${lease.vm}`]) {
    await page.goto(`${daemon.url}/#/${path}`);
    await page.locator(".page h1").waitFor();
    if (path === "vms") await page.locator(".list-vms .row .c0").first().waitFor();
    assert.equal(await page.getByRole("button", { name: VERBS }).count(), 0, path);
  }
  assert.ok(await page.getByText("token:rita · reader").isVisible());
  await daemon.ask(`/v1/leases/${lease.id}`, "DELETE");
  await page.context().close();
});

test("an operator holds, releases and terminates with a confirmation, and nothing happens without it", async () => {
  const lease = (await daemon.acquire("operator-1", "small", "ann")).lease;
  const page = await open(browser, daemon, `vm/${lease.vm}`, { who: OPERATOR });
  await page.getByRole("button", { name: `Terminate ${lease.vm}` }).click();
  await page.getByRole("dialog", { name: `Terminate ${lease.vm}?` }).getByRole("button", { name: "Cancel" }).click();
  assert.equal((await daemon.ask(`/v1/vms/${lease.vm}`)).state, "in_use");
  await page.getByRole("button", { name: `Hold ${lease.vm}` }).click();
  await page.getByLabel("Reason, for the event log").fill("odd disk");
  await page.getByLabel("For how long").fill("never");
  await page.getByRole("dialog").getByRole("button", { name: "Hold" }).click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await page.getByLabel("For how long").fill("2h");
  await page.getByRole("dialog").getByRole("button", { name: "Hold" }).click();
  await page.getByText(`${lease.vm} is held`).waitFor();
  assert.equal((await daemon.ask(`/v1/vms/${lease.vm}`)).hold.reason, "odd disk");
  await page.getByRole("button", { name: `Release ${lease.vm}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Release" }).click();
  await daemon.until("the VM is held", async () => (await daemon.ask(`/v1/vms/${lease.vm}`)).state === "held");
  await page.locator(".page-head .s-held").waitFor();
  await page.getByRole("button", { name: `Terminate ${lease.vm}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Terminate" }).click();
  await page.getByText("This VM is gone").waitFor();
  await page.context().close();
});

test("an operator drains a pool and lets it work again", async () => {
  const page = await open(browser, daemon, "", { who: OPERATOR });
  await page.getByRole("button", { name: "Drain scarce" }).click();
  await page.getByLabel("Reason, for the event log").fill("new rack");
  // Enter confirms.
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Undrain scarce" }).waitFor();
  assert.equal((await daemon.ask("/v1/pools/scarce")).drain.reason, "new rack");
  await page.getByRole("button", { name: "Undrain scarce" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Undrain" }).click();
  await page.getByRole("button", { name: "Drain scarce", exact: true }).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("everything can be reached with the keyboard", async () => {
  const page = await open(browser, daemon, "vms", { who: OPERATOR });
  await page.locator(".list-vms .row .c0").first().waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  const first = page.locator(".list-vms .sizer .row[aria-rowindex='2'] a").first();
  await first.focus();
  await page.keyboard.press("ArrowDown");
  const row = await page.evaluate(() => document.activeElement.closest(".row").getAttribute("aria-rowindex"));
  assert.equal(row, "3");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "History" }).waitFor();
  await page.context().close();
});

test("a token of a reader shows everything and changes nothing, and one of a user is told that it may not look", async () => {
  const tokens = {};
  for (const role of ["reader", "user"]) tokens[role] = (await daemon.ask("/v1/tokens", "POST", { name: `of-${role}`, role })).secret;
  const page = await open(browser, daemon, "queue");
  // Without a token everybody may do everything here; what is shown counts.
  await page.evaluate(() => sessionStorage.setItem("vmpool-token", "vmpool_0_wrong"));
  await page.reload();
  await page.getByText("the token is not one of ours").waitFor();
  await page.getByLabel("Token").fill(tokens.user);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("the dashboard is for readers, operators and admins").waitFor();
  await page.getByLabel("Token").fill(tokens.reader);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("token:of-reader · reader").waitFor();
  await page.goto(`${daemon.url}/#/vms`);
  await page.locator(".list-vms .row .c0").first().waitFor();
  assert.equal(await page.getByRole("button", { name: VERBS }).count(), 0);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.locator(".top").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem("vmpool-token")), null);
  await page.context().close();
});

test("a lost connection is told, the figures stay, and a restart is found again", async () => {
  const page = await open(browser, daemon, "", { who: OPERATOR });
  await page.getByRole("article", { name: "Pool small" }).waitFor();
  await daemon.stop();
  await page.getByText("Connection lost").waitFor();
  assert.ok(await page.getByRole("article", { name: "Pool small" }).isVisible());
  await daemon.start();
  await page.getByText("Connection lost").waitFor({ state: "detached" });
  await daemon.acquire("again-1", "small", "eve", { wait: "10s" });
  await page.locator(".events .event", { hasText: "eve" }).first().waitFor();
  await page.context().close();
});
