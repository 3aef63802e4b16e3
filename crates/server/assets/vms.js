// All VMs with their lives, and one VM with its history.

import { vmButtons } from "./actions.js";
import { eventsFrom, get } from "./api.js";
import { redraw, want } from "./app.js";
import { h } from "./dom.js";
import { eventLine } from "./events.js";
import { STATES, ago, badge, chip, count, empty, number, poolLink, since, vmLink, words } from "./format.js";
import { CHOICES, axis, bar, lifeLegend, shownTime } from "./life.js";
import { isNarrow, list, memo } from "./list.js";
import { live } from "./live.js";
import { choice } from "./overview.js";
import { facts } from "./pool.js";

const sorted = memo(() => [...live.vms.values()].sort((a, b) => (a.name < b.name ? -1 : 1)));

const filtered = memo((all, pool, states, text) => {
  const wanted = new Set(states ? states.split(",") : []), words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((vm) => (!pool || vm.pool === pool) && (!wanted.size || wanted.has(vm.state))
    && words.every((word) => [vm.name, vm.owner, vm.address, vm.provider, vm.lease, vm.problem].some((value) => value?.toLowerCase().includes(word))));
});

export function select(label, value, options, choose) {
  return h("label", { class: "field inline" }, h("span", null, label),
    h("select", { value, onchange: (event) => choose(event.target.value) }, options.map(([key, text]) => h("option", { value: key, key }, text))));
}

export function search(value, label, choose) {
  return h("label", { class: "field inline grow" }, h("span", null, label), h("input", { type: "search", value, autocomplete: "off", spellcheck: "false", oninput: (event) => choose(event.target.value) }));
}

function cells(vm, length) {
  const state = h("span", { class: "state" }, chip(vm.state), vm.suspect && badge("bad", "suspect", vm.suspect), vm.held_until !== undefined && vm.state !== "held" && badge("warn", "to be held"));
  const who = vm.lease ? h("span", { title: vm.owner }, vm.owner) : vm.owner ? h("span", { class: "muted", title: "Used last by" }, vm.owner) : h("span", { class: "muted" }, "–");
  return [vmLink(vm.name), poolLink(vm.pool), state, since(vm.since), bar(vm, length), who, h("span", { class: "buttons" }, vmButtons(vm))];
}

export function vms({ query }) {
  const [pool, states, text] = ["pool", "state", "q"].map((key) => query.get(key) ?? "");
  const found = filtered(sorted(live.version), pool, states, text), length = shownTime(query, found);
  const known = [["", "All"], ...STATES.map((state) => [state, words(state)])];
  const options = !states || STATES.includes(states) ? known : [...known, [states, states.split(",").map(words).join(", ")]];
  return [
    h("div", { class: "page-head" }, h("h1", null, "VMs"), h("p", { class: "muted", role: "status" }, found.length === live.vms.size ? number(found.length) : `${number(found.length)} of ${number(live.vms.size)}`)),
    h("div", { class: "filters" },
      search(text, "Find", (value) => want({ q: value })),
      select("Pool", pool, [["", "All"], ...live.pools.map(({ name }) => [name, name])], (value) => want({ pool: value })),
      select("State", states, options, (value) => want({ state: value })),
      choice("time", CHOICES, String(length), "Time of the bars")),
    !isNarrow() && lifeLegend(),
    !live.complete ? h("div", { class: "skeleton tall" })
      : list({
        id: "vms", label: "VMs", columns: ["Name", "Pool", "State", "For", [h("span", { class: "sr" }, "States over time"), axis(length)], "Owner", "Actions"], items: found, keyOf: (vm) => vm.name,
        row: (vm) => cells(vm, length), heights: [46, live.canOperate() ? 126 : 92],
        none: live.vms.size ? empty("No VM is like that", "Change what you look for.") : empty("No VMs", "The pools make them as they are needed."),
      }),
  ];
}

// The details and the past of the VM that is looked at.
let seen = { name: null };

function look(name) {
  if (seen.name === name && (seen.version === live.version || performance.now() - seen.at < 1000)) return;
  const before = seen.name === name ? seen : { name };
  seen = { ...before, name, version: live.version, at: performance.now() };
  const mine = seen, path = `/v1/vms/${encodeURIComponent(name)}`;
  get(path).then((vm) => Object.assign(mine, { vm, missing: false }), () => Object.assign(mine, { missing: true })).then(redraw);
  const known = live.vms.get(name);
  const from = before.events?.length ? Date.parse(before.events.at(-1).at) : known ? known.created : 0;
  eventsFrom(from, live.health.cursor, `&vm=${encodeURIComponent(name)}`, () => true).then(
    ({ events, complete }) => {
      const first = events[0]?.cursor ?? Infinity;
      Object.assign(mine, { events: [...(before.events ?? []).filter((event) => event.cursor < first), ...events], complete });
    },
    (error) => (mine.problem = error.message),
  ).then(redraw);
}

export function vm({ name, query }) {
  look(name);
  const row = live.vms.get(name), full = seen.vm;
  const length = shownTime(query, row ? [row] : []);
  return [
    h("div", { class: "page-head" }, h("h1", { class: "mono" }, name), row && chip(row.state), h("div", { class: "spacer" }), row && h("span", { class: "buttons" }, vmButtons(row))),
    !row && live.complete && h("p", { class: "banner warn" }, "This VM is gone. What the log still tells of it is below."),
    full?.suspect && h("p", { class: "banner bad" }, "Suspect: ", full.suspect),
    full?.problem && h("p", { class: "banner warn" }, full.problem),
    row && h("section", { class: "card", "aria-label": "Its states over time" },
      h("div", { class: "section-head" }, h("h2", null, "Life"), h("div", { class: "spacer" }), choice("time", CHOICES, String(length), "Time of the bar")),
      bar(row, length, "tall"), axis(length), lifeLegend()),
    row && full && h("section", { class: "card", "aria-label": "Facts" },
      facts(["Pool", poolLink(full.pool)], ["Provider", full.provider], ["Template", full.template], ["State for", since(full.since)], ["Made", ago(full.created_at)], ["Node", full.node_id && h("span", { class: "mono" }, full.node_id)],
        ["Node state", full.node_state && `${full.node_state}${full.raw_state ? ` (${full.raw_state})` : ""}`], ["Addresses", full.addresses.length ? h("span", { class: "mono" }, full.addresses.join(", ")) : ""],
        ["Owner", full.owner], ["Sandbox", full.sandbox], ["Task", full.task], ["Lease", full.lease && h("span", { class: "mono" }, full.lease)], ["Leases so far", number(full.uses)], ["Failed checks in a row", full.check_fails || ""],
        ["Last check", full.last_check && ago(full.last_check)], ["Held until", full.hold && h("span", null, ago(full.hold.until), full.hold.by && ` by ${full.hold.by}`, full.hold.reason && `: ${full.hold.reason}`)], ["Tries again", full.retry_at && ago(full.retry_at)], ["Cloud ends it", full.cloud_expiry && ago(full.cloud_expiry)])),
    h("section", { "aria-labelledby": "history" },
      h("div", { class: "section-head" }, h("h2", { id: "history" }, "History"), seen.events && h("p", { class: "muted" }, count(seen.events.length, "event"))),
      seen.problem && h("p", { class: "note bad" }, seen.problem),
      seen.complete === false && h("p", { class: "note" }, "The log is long: this is its older part."),
      !seen.events ? h("div", { class: "skeleton" })
        : seen.events.length ? h("ol", { class: "card events" }, seen.events.toReversed().map((event) => eventLine(event, { vm: false })))
          : empty("The log tells nothing of it", "What is very old is trimmed.")),
  ];
}
