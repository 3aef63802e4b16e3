// One pool.

import { chart, legend } from "./chart.js";
import { h } from "./dom.js";
import { ago, badge, chip, empty, number, since } from "./format.js";
import { samples } from "./history.js";
import { live } from "./live.js";
import { RANGES, choice, drainButton, poolState } from "./overview.js";

const fact = (label, value) => value !== undefined && value !== null && value !== "" && h("div", { key: label }, h("dt", null, label), h("dd", null, value));
export const facts = (...rows) => h("dl", { class: "facts" }, rows.map(([label, value]) => fact(label, value)));

export function limits(all) {
  return h("ul", { class: "limits" }, all.map((limit) =>
    h("li", { key: limit.kind + limit.text }, badge("info", limit.kind.replaceAll("_", " ")), h("span", null, limit.pool && h("b", null, `${limit.pool}: `), limit.text), h("small", null, "for ", since(limit.since)))));
}

function offers(pool) {
  return h("div", { class: "table-wrap", tabindex: 0, role: "region", "aria-label": "Table of the offers" },
    h("table", null,
      h("thead", null, h("tr", null, ["Provider", "Template", "Preference", "Weight", "VMs", "Limit", "Price per hour"].map((name) => h("th", { scope: "col", key: name }, name)))),
      h("tbody", null, pool.offers.map((offer) =>
        h("tr", { key: offer.provider + offer.template }, h("td", null, offer.provider), h("td", { class: "mono" }, offer.template), h("td", null, offer.preference), h("td", null, offer.weight),
          h("td", null, number(offer.total)), h("td", null, offer.max_total ?? "–"), h("td", null, offer.price || "–"))))));
}

export function pool({ name, query }) {
  const pool = live.pools.find((other) => other.name === name);
  if (!pool) return [h("h1", null, name), empty("There is no such pool", "It may have left the configuration.")];
  const range = query.get("range") ?? "hour", { stock } = pool;
  return [
    h("div", { class: "page-head" }, h("h1", null, pool.name), h("div", { class: "badges" }, poolState(pool)), h("div", { class: "spacer" }), choice("range", RANGES, range, "Time of the chart"), drainButton(pool)),
    pool.drain && h("p", { class: "banner warn" }, "Drained for ", since(pool.drain.since), pool.drain.by && ` by ${pool.drain.by}`, pool.drain.reason && `: ${pool.drain.reason}`),
    h("div", { class: "card" }, chart(pool, samples(range, pool.name), { height: 260 }), legend()),
    h("div", { class: "columns" },
      h("section", { class: "card", "aria-labelledby": "stock" }, h("h2", { id: "stock" }, "Stock"),
        facts(["To be ready", stock && `${number(stock.target)}: ${stock.why}`], ["Size", number(pool.size)], ["At most", number(pool.max_total)], ["Ready at least", number(pool.min_ready)],
          ["Asked for", stock && `${stock.arrivals_per_hour.toFixed(1)} VMs an hour`], ["Boot time", stock?.boot_time], ["Schedule changes", stock?.changes_at && ago(stock.changes_at)],
          ["Waiting", pool.waiting ? h("a", { href: "#/queue" }, `${number(pool.waiting)} requests for ${number(pool.wanted)} VMs`) : "nobody"], ["Tries again", pool.retry_at && ago(pool.retry_at)],
          ["Labels", pool.labels.join(", ")], ["Fallback", pool.fallback && h("a", { href: `#/pool/${encodeURIComponent(pool.fallback)}` }, pool.fallback)])),
      h("section", { class: "card", "aria-labelledby": "vms" }, h("h2", { id: "vms" }, "VMs"),
        Object.keys(pool.counts).length ? h("ul", { class: "counts" }, Object.entries(pool.counts).map(([state, value]) =>
          h("li", { key: state }, h("a", { href: `#/vms?pool=${encodeURIComponent(pool.name)}&state=${state}` }, chip(state)), h("b", null, number(value))))) : empty("No VMs"),
        pool.limits.length > 0 && [h("h3", null, "What keeps it from growing"), limits(pool.limits)],
        pool.problem && h("p", { class: "note bad" }, pool.problem))),
    h("section", { "aria-labelledby": "offers" }, h("div", { class: "section-head" }, h("h2", { id: "offers" }, "Offers")), offers(pool)),
  ];
}

