// What happens, as it happens.

import { redraw, want } from "./app.js";
import { get } from "./api.js";
import { h } from "./dom.js";
import { clock, count, empty, poolLink, requestLink, vmLink } from "./format.js";
import { live } from "./live.js";
import { list, memo } from "./list.js";
import { search } from "./vms.js";

const BAD = /failed|stuck|suspect|mass_loss$|breaker_opened|unreadable|timed_out|expired|orphan_found|unknown/;
const GOOD = /ready|granted|recovered|closed|adopted|mass_loss_ended|orphan_destroyed/;
export const mood = (kind) => (BAD.test(kind) ? "bad" : GOOD.test(kind) ? "good" : "");

const about = (event, { vm = true, request = true } = {}) => [
  vm && event.vm && [vmLink(event.vm), " "], event.pool && !event.vm && [poolLink(event.pool), " "], event.provider && !event.vm && [h("span", null, event.provider), " "],
  event.owner && [h("span", null, event.owner), " "], request && event.request && !event.vm && [requestLink(event.request), " "],
  event.detail && h("span", { class: "muted" }, event.detail), event.by && h("span", { class: "muted" }, ` by ${event.by}`),
];

const kindOf = (event) => h("span", { class: `kind ${mood(event.kind)}` }, event.kind.replaceAll("_", " "));

export function eventLine(event, shown) {
  return h("li", { key: event.cursor, class: "event" }, clock(event.at), kindOf(event), h("span", { class: "about" }, about(event, shown)));
}

let paused = null, older = [], reading = false;

const matching = memo((events, before, text) => {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const all = before.length ? [...events, ...before] : events;
  if (!words.length) return all;
  return all.filter((event) => {
    const line = [event.kind.replaceAll("_", " "), event.kind, event.vm, event.pool, event.provider, event.owner, event.request, event.lease, event.by, event.detail].filter(Boolean).join(" ").toLowerCase();
    return words.every((word) => line.includes(word));
  });
});

async function readOlder() {
  const known = [...(paused ?? live.events), ...older].at(-1);
  const before = known ? known.cursor : live.health.cursor + 1;
  reading = true;
  redraw();
  const page = await get(`/v1/events?after=${Math.max(0, before - 501)}&limit=500`).catch(() => ({ events: [] }));
  const found = page.events.filter((event) => event.cursor < before).reverse();
  older = [...older, ...found];
  reading = false;
  redraw();
}

export function events({ query }) {
  const text = query.get("q") ?? "";
  // What ran out of the live part while older ones were read would be a gap.
  const shown = paused ?? live.events;
  const found = matching(shown, older, text);
  const missed = paused ? live.events.findIndex((event) => event.cursor === paused[0]?.cursor) : 0;
  const toggle = () => {
    paused = paused ? null : live.events;
    if (!paused) older = [];
    redraw();
  };
  const last = [...shown, ...older].at(-1);
  return [
    h("div", { class: "page-head" }, h("h1", null, "Events"), h("p", { class: "muted", role: "status" }, text ? `${count(found.length, "event")} of ${shown.length + older.length}` : paused ? `paused; ${count(Math.max(0, missed), "new event")}` : "live")),
    h("div", { class: "filters" }, search(text, "Find", (value) => want({ q: value })), h("button", { type: "button", class: "button", "aria-pressed": String(Boolean(paused)), onclick: toggle }, paused ? "Go on" : "Pause"),
      last && 1 < last.cursor && h("button", { type: "button", class: "button", disabled: reading, onclick: () => { paused ??= live.events; readOlder(); } }, reading ? "Reading…" : "Read older")),
    list({
      id: "events", label: "Events", columns: ["Time", "Event", "About"], items: found, keyOf: (event) => event.cursor, row: (event) => [clock(event.at), kindOf(event), h("span", { class: "about" }, about(event))], heights: [36, 66],
      none: text ? empty("No event is like that", "Read older ones, or change what you look for.") : empty("Nothing happened yet"),
    }),
  ];
}
