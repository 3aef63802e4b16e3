// All pools at one look, with what needs somebody.

import { button, drain, undrain } from "./actions.js";
import { chart, groups, legend } from "./chart.js";
import { want } from "./app.js";
import { h } from "./dom.js";
import { eventLine } from "./events.js";
import { badge, count, empty, number, poolLink } from "./format.js";
import { samples } from "./history.js";
import { live } from "./live.js";
import { summary } from "./providers.js";

export const RANGES = [["hour", "Last hour"], ["day", "Last day"]];

export function choice(name, options, chosen, label) {
  return h("div", { class: "choice", role: "group", "aria-label": label },
    options.map(([value, text]) => h("button", { key: value, type: "button", "aria-pressed": String(value === chosen), onclick: () => want({ [name]: value }) }, text)));
}

function tile(label, value, text, kind, href) {
  return h("a", { class: `tile ${kind}`, href }, h("span", { class: "tile-label" }, label), h("span", { class: "tile-value" }, number(value)), h("span", { class: "tile-text" }, text));
}

function tiles() {
  const all = { ready: 0, busy: 0, starting: 0, target: 0 };
  let total = 0, trouble = 0;
  for (const pool of live.pools) {
    const each = groups(pool);
    for (const key in all) all[key] += each[key];
    total += Object.values(pool.counts).reduce((sum, value) => sum + value, 0);
    trouble += (pool.counts.check_health_failed ?? 0) + (pool.counts.held ?? 0);
  }
  const oldest = live.queue.reduce((first, { request }) => Math.min(first, Date.parse(request.submitted_at)), Infinity);
  return h("div", { class: "tiles" },
    tile("Ready", all.ready, all.target ? `${number(all.target)} to be ready` : "to be had at once", "k-ready", "#/vms?state=ready"),
    tile("In use", all.busy, count(new Set([...live.leases.values()].map((lease) => lease.owner)).size, "owner"), "k-busy", "#/leases"),
    tile("Starting", all.starting, `${number(total)} VMs in all`, "k-starting", "#/vms?state=spawning,got_ip,check_health"),
    tile("Waiting", live.waiting, live.waiting ? `longest for ${Math.round((live.now() - oldest) / 1000)} s` : "nobody waits", live.waiting ? "k-waiting" : "", "#/queue"),
    tile("To look at", trouble, trouble ? "held, or checks fail" : "nothing held, no check fails", trouble ? "k-bad" : "", "#/vms?state=check_health_failed,held"));
}

export function poolState(pool) {
  return [
    pool.retired && badge("warn", "retired", "It left the configuration"),
    pool.drain && badge("warn", "draining", pool.drain.reason),
    pool.limits.map((limit) => badge("info", limit.kind.replaceAll("_", " "), limit.text)),
    pool.problem && badge("bad", "problem", pool.problem),
  ];
}

export function drainButton(pool) {
  return pool.drain ? button("Undrain", () => undrain(pool), { name: pool.name }) : button("Drain", () => drain(pool), { name: pool.name });
}

function card(pool, range) {
  const now = groups(pool), total = Object.values(pool.counts).reduce((sum, value) => sum + value, 0);
  const figure = (kind, value, label) => h("div", { key: label }, h("dt", null, h("span", { class: `key ${kind}`, "aria-hidden": "true" }), label), h("dd", null, value));
  return h("article", { key: pool.name, class: "card pool", "aria-label": `Pool ${pool.name}` },
    h("div", { class: "card-head" },
      h("h3", null, poolLink(pool.name)), h("div", { class: "badges" }, poolState(pool)), h("div", { class: "spacer" }), drainButton(pool)),
    chart(pool, samples(range, pool.name)),
    h("dl", { class: "figures" },
      figure("g-ready", h("span", null, number(now.ready), now.target > 0 && h("small", null, ` of ${number(now.target)}`)), "Ready"),
      figure("g-busy", number(now.busy), "In use"),
      figure("g-starting", number(now.starting), "Starting"),
      figure("waiting", number(now.waiting), "Waiting"),
      figure("max", h("span", null, number(total), h("small", null, ` of ${number(pool.max_total)}`)), "VMs")),
    pool.limits.length > 0 && h("p", { class: "note" }, pool.limits[0].text),
    pool.problem && h("p", { class: "note bad" }, pool.problem));
}

export function overview({ query }) {
  const range = query.get("range") ?? "hour";
  return [
    h("div", { class: "page-head" }, h("h1", null, "Overview"), h("div", { class: "spacer" }), choice("range", RANGES, range, "Time of the charts")),
    tiles(),
    h("section", { "aria-labelledby": "pools" },
      h("div", { class: "section-head" }, h("h2", { id: "pools" }, "Pools"), h("div", { class: "spacer" }), legend()),
      live.pools.length ? h("div", { class: "grid-pools" }, live.pools.map((pool) => card(pool, range)))
        : empty("No pools yet", "Add one to the configuration, and reload it.")),
    h("div", { class: "columns" },
      h("section", { "aria-labelledby": "providers" }, h("div", { class: "section-head" }, h("h2", { id: "providers" }, "Providers")),
        live.providers.length ? h("div", { class: "stack" }, live.providers.map(summary)) : empty("No providers yet")),
      h("section", { "aria-labelledby": "latest" },
        h("div", { class: "section-head" }, h("h2", { id: "latest" }, "Latest events"), h("div", { class: "spacer" }), h("a", { href: "#/events" }, "All events")),
        live.events.length ? h("ol", { class: "card events brief" }, live.events.slice(0, 9).map((event) => eventLine(event)))
          : empty("Nothing happened yet"))),
  ];
}
