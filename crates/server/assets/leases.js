// Leases by owner.

import { button, release } from "./actions.js";
import { want } from "./app.js";
import { h } from "./dom.js";
import { ago, badge, count, empty, poolLink, requestLink, since, vmLink } from "./format.js";
import { list, memo } from "./list.js";
import { live } from "./live.js";
import { search } from "./vms.js";

const byOwner = memo((version, text) => {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const owners = new Map();
  let leases = 0;
  for (const lease of live.leases.values()) {
    if (!words.every((word) => [lease.owner, lease.vm, lease.pool, lease.task, lease.request].some((value) => value?.toLowerCase().includes(word)))) continue;
    leases++;
    if (!owners.has(lease.owner)) owners.set(lease.owner, []);
    owners.get(lease.owner).push(lease);
  }
  const rows = [];
  // Who has most comes first.
  for (const [owner, theirs] of [...owners].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1))) {
    rows.push({ owner, count: theirs.length, pools: new Set(theirs.map((lease) => lease.pool)).size });
    rows.push(...theirs.sort((a, b) => a.acquired - b.acquired));
  }
  return { rows, owners: owners.size, leases };
});

function cells(row) {
  if (row.count !== undefined) return [h("b", null, row.owner), h("span", { class: "muted" }, `${count(row.count, "lease")} in ${count(row.pools, "pool")}`)];
  const left = row.expires - live.now();
  return [vmLink(row.vm), poolLink(row.pool), row.task ? h("span", { title: row.task }, row.task) : h("span", { class: "muted" }, "–"), h("span", null, since(row.acquired)),
    h("span", { class: left < 30e3 ? "soon" : "" }, left < 0 ? badge("warn", "ending") : ago(row.expires)), requestLink(row.request), h("span", { class: "buttons" }, button("Release", () => release(row), { name: row.vm }))];
}

export function leases({ query }) {
  const text = query.get("q") ?? "";
  const { rows, owners, leases } = byOwner(live.version, text);
  return [
    h("div", { class: "page-head" }, h("h1", null, "Leases"), h("p", { class: "muted", role: "status" }, `${count(leases, "lease")} of ${count(owners, "owner")}`)),
    h("div", { class: "filters" }, search(text, "Find", (value) => want({ q: value }))),
    !live.complete ? h("div", { class: "skeleton tall" })
      : list({
        id: "leases", label: "Leases by owner", columns: ["VM", "Pool", "Task", "For", "Expires", "Request", "Actions"], items: rows, keyOf: (row) => row.id ?? `owner ${row.owner}`,
        kindOf: (row) => (row.count === undefined ? "" : "group"), row: cells, heights: [44, 112],
        none: text ? empty("No lease is like that", "Change what you look for.") : empty("Nobody uses a VM", "Try `vmpool acquire POOL`."),
      }),
  ];
}
