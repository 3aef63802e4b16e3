// Who waits, and why; and one request with its history.

import { button, cancel } from "./actions.js";
import { eventsFrom, get } from "./api.js";
import { redraw } from "./app.js";
import { h } from "./dom.js";
import { eventLine } from "./events.js";
import { ago, badge, count, empty, number, poolLink, requestLink, since, vmLink } from "./format.js";
import { live } from "./live.js";
import { facts, limits } from "./pool.js";

const wishes = (request) => {
  const pools = request.pools.length ? request.pools : [];
  return [count(request.count, "VM"), pools.length > 0 && [" of ", pools.map((name, index) => [index > 0 && ", ", poolLink(name)])], request.labels.length > 0 && ` with ${request.labels.join(", ")}`];
};

function waits({ request, position, limits: why, likely_at }) {
  return h("li", { key: request.id, class: "card wait" },
    h("div", { class: "wait-place", "aria-label": `Place ${position}` }, position ?? "–"),
    h("div", { class: "wait-body" },
      h("div", { class: "card-head" }, h("h2", null, requestLink(request.id)), request.priority !== 0 && badge("info", `priority ${request.priority}`), h("div", { class: "spacer" }), button("Cancel", () => cancel(request), { name: request.id })),
      h("p", null, h("b", null, request.owner), " wants ", wishes(request), request.task && ` for ${request.task}`, "; waits for ", since(request.submitted_at), ", gives up ", ago(request.deadline), "."),
      h("div", { class: "why" }, why.length ? limits(why) : h("p", { class: "muted" }, "Nothing is in the way: it is served next."), likely_at && h("p", { class: "muted" }, "Likely served ", ago(likely_at), "."))));
}

export function queue() {
  return [
    h("div", { class: "page-head" }, h("h1", null, "Queue"), h("p", { class: "muted", role: "status" }, count(live.waiting, "request") + " waiting")),
    live.queue.length ? h("ol", { class: "stack waits" }, live.queue.map(waits)) : empty("Nobody waits", "Requests that cannot be served at once are here, with what is in their way."),
    live.queue.length < live.waiting && h("p", { class: "note" }, `${number(live.waiting - live.queue.length)} more wait behind them.`),
  ];
}

let seen = { id: null };

function look(id) {
  if (seen.id === id && (seen.revision === live.revision || performance.now() - seen.at < 1000)) return;
  seen = { ...(seen.id === id ? seen : {}), id, revision: live.revision, at: performance.now() };
  const mine = seen;
  get(`/v1/requests/${encodeURIComponent(id)}/explain`).then(
    async (explanation) => {
      mine.explanation = explanation;
      redraw();
      const { request } = explanation, ended = request.ended_at ? Date.parse(request.ended_at) + 2000 : Infinity;
      const found = await eventsFrom(Date.parse(request.submitted_at), live.health.cursor, "", (event) => event.request === id, ended, 20);
      Object.assign(mine, { events: found.events, complete: found.complete });
    }).catch((error) => (mine.problem = error.message)).then(redraw);
}

export function request({ name: id }) {
  look(id);
  const { explanation } = seen, request = explanation?.request;
  const kinds = { waiting: "info", granted: "good", timed_out: "bad", cancelled: "warn", turned_away: "bad" };
  const leased = [...live.leases.values()].filter((lease) => lease.request === id);
  return [
    h("div", { class: "page-head" }, h("h1", { class: "mono" }, id), request && badge(kinds[request.status] ?? "", request.status.replaceAll("_", " ")), h("div", { class: "spacer" }), request?.status === "waiting" && button("Cancel", () => cancel(request), { name: id })),
    seen.problem && !request && empty("This request is not remembered", seen.problem),
    request?.status === "waiting" && h("section", { class: "card", "aria-labelledby": "why" }, h("h2", { id: "why" }, "Why it waits"),
      explanation.limits.length ? limits(explanation.limits) : h("p", { class: "muted" }, "Nothing is in the way: it is served next."), explanation.position && h("p", null, `It is number ${explanation.position} of all that wait.`), explanation.likely_at && h("p", null, "Likely served ", ago(explanation.likely_at), ".")),
    request && h("section", { class: "card", "aria-label": "Facts" },
      facts(["Owner", request.owner], ["Wants", h("span", null, wishes(request))], ["Task", request.task], ["Sandbox", request.sandbox], ["Priority", request.priority || ""], ["Lease lasts", request.ttl], ["Came", ago(request.submitted_at)], ["Gives up", request.status === "waiting" && ago(request.deadline)],
        ["VMs", leased.length ? leased.map((lease) => [vmLink(lease.vm), " "]) : request.vm && vmLink(request.vm)], ["Leases", request.leases.join(", ")], ["Ended", request.ended_at && ago(request.ended_at)], ["How", request.end])),
    request && h("section", { "aria-labelledby": "history" }, h("div", { class: "section-head" }, h("h2", { id: "history" }, "History")),
      !seen.events ? h("div", { class: "skeleton" }) : seen.events.length ? h("ol", { class: "card events" }, seen.events.toReversed().map((event) => eventLine(event, { request: false }))) : empty("The log tells nothing of it", "What is very old is trimmed.")),
  ];
}
