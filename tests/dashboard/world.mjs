// A daemon in front of clouds in memory, and a browser that looks at it.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(process.env.VMPOOL_DASHBOARD_NPM + "/");
const { chromium } = require("playwright-core");
export const AXE = require.resolve("axe-core/axe.min.js");
export const SHOTS = process.env.VMPOOL_DASHBOARD_SHOTS;

// A pool with VMs to spare, one that everybody waits for, and one at a provider that makes nothing.
export const CONFIG = `
[providers.berlin]
driver = "dummy"
list_interval = "200ms"
quota = { vms = 40 }

[providers.broken]
driver = "dummy"
list_interval = "200ms"
[providers.broken.options.faults]
fail_create = 1.0
partial_listings = 1.0

[pools.small]
provider = "berlin"
template = "debian-12-small"
size = 6
max_starting = 6

[pools.scarce]
provider = "berlin"
template = "gpu"
size = 2
max_total = 2
max_starting = 2

[pools.hopeless]
provider = "broken"
template = "any"
size = 1
`;

// So much that it is over only if something never comes, on the busiest machine.
const PATIENCE = 120_000;

export class Daemon {
  constructor(config) {
    this.folder = mkdtempSync(join(tmpdir(), "vmpool-dashboard-"));
    this.config = config;
    this.port = 0;
  }

  async start() {
    const head = `[daemon]\nlisten = "127.0.0.1:${this.port}"\nstate_dir = "${join(this.folder, "state")}"\n${process.env.VMPOOL_DASHBOARD_CONFIG ?? ""}\n[access]\nopen_loopback = true\n`;
    writeFileSync(join(this.folder, "vmpool.toml"), head + this.config);
    const options = { stdio: ["ignore", "pipe", process.env.VMPOOL_DASHBOARD_LOG ? "inherit" : "ignore"] };
    this.process = spawn(process.env.VMPOOL_BINARY, ["serve", "--config", join(this.folder, "vmpool.toml")], options);
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    for await (const line of createInterface({ input: this.process.stdout })) {
      const address = line.match(/^listening on (http:\/\/127\.0\.0\.1:(\d+))/);
      if (!address) continue;
      [this.url, this.port] = [address[1], Number(address[2])];
      this.process.stdout.resume();
      return this;
    }
    throw new Error("the daemon ended before it listened");
  }

  async stop() {
    this.process.kill("SIGTERM");
    await this.ended;
  }

  async end() {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async ask(path, method = "GET", body) {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(this.url + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  // Asks for a VM.
  acquire(request, pool, owner, more = {}) {
    return this.ask("/v1/leases", "POST", { request, pool, owner, ttl: "10m", ...more });
  }

  // Waits for a VM as a client does, until the daemon stops or says that there is none.
  async wait(request, pool, owner, more = {}) {
    const answer = await this.acquire(request, pool, owner, { wait: "10m", ...more }).catch(() => null);
    if (answer?.status === "waiting") return this.wait(request, pool, owner, more);
  }

  async until(what, holds) {
    const began = Date.now();
    while (Date.now() - began < PATIENCE) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`not within ${PATIENCE / 1000} s: ${what}`);
  }

  async count(state, pool) {
    return (await this.ask("/v1/pools")).pools.filter((each) => !pool || each.name === pool).reduce((sum, each) => sum + (each.counts[state] ?? 0), 0);
  }
}

export const SCREENS = {
  light: { viewport: { width: 1360, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1360, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: "light", deviceScaleFactor: 2, hasTouch: true, isMobile: true },
  "phone-dark": { viewport: { width: 390, height: 844 }, colorScheme: "dark", deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};

export const launch = () => chromium.launch({ executablePath: process.env.VMPOOL_CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage"] });

// Opens a page whose complaints are kept; `who` stands in for who asks.
export async function open(browser, daemon, path = "", { screen = "light", who } = {}) {
  const context = await browser.newContext({ ...SCREENS[screen], locale: "en-GB", timezoneId: "UTC" });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && page.complaints.push(message.text()));
  page.on("pageerror", (error) => page.complaints.push(String(error.stack)));
  if (process.env.VMPOOL_DASHBOARD_ASSETS) await fromDisk(page, process.env.VMPOOL_DASHBOARD_ASSETS);
  if (who) await page.route("**/v1/whoami", (route) => route.fulfill({ json: who }));
  await page.goto(`${daemon.url}/#/${path}`);
  await page.locator("h1").first().waitFor();
  return page;
}

// For whoever changes the pages: the files as they are on the disk, in place of those in the program.
function fromDisk(page, folder) {
  return page.route(/\/(assets\/.*)?$/, async (route) => {
    const name = new URL(route.request().url()).pathname.replace("/assets/", "").replace(/^\/$/, "index.html");
    const body = readFileSync(join(folder, name));
    await route.fulfill({ response: await route.fetch(), body });
  });
}

export async function shoot(page, name) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

export const OPERATOR = { actor: "token:olga", role: "operator", owner: "olga" };
export const READER = { actor: "token:rita", role: "reader", owner: "rita" };
