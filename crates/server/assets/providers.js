// The health of the providers.

import { acceptLoss, button } from "./actions.js";
import { h } from "./dom.js";
import { ago, badge, count, empty, number, since } from "./format.js";
import { live } from "./live.js";
import { facts } from "./pool.js";

export function health(provider) {
  if (provider.retired_at) return ["warn", "retired"];
  if (provider.brake) return ["bad", "nodes missing"];
  if (provider.limit) return [provider.limit.kind === "breaker_open" ? "bad" : "warn", provider.limit.kind.replaceAll("_", " ")];
  if (provider.problem) return ["bad", "failing"];
  if (!provider.listed_at) return ["info", "not listed yet"];
  return ["good", "healthy"];
}

function meters(provider) {
  return Object.entries(provider.quota).map(([part, { used, max }]) => {
    const share = max ? used / max : 1;
    return h("div", { key: part, class: "meter-row" },
      h("span", null, part), h("span", { class: "num" }, `${number(used)} of ${number(max)}`),
      h("div", { class: `meter ${share < 0.8 ? "" : share < 1 ? "warn" : "bad"}`, role: "meter", "aria-label": `${part} of ${provider.name}`, "aria-valuenow": used, "aria-valuemin": 0, "aria-valuemax": max },
        h("span", { style: { width: `${Math.min(100, share * 100)}%` } })));
  });
}

export function summary(provider) {
  const [kind, text] = health(provider);
  return h("article", { key: provider.name, class: "card slim", "aria-label": `Provider ${provider.name}` },
    h("div", { class: "card-head" }, h("h3", null, h("a", { href: "#/providers" }, provider.name)), badge(kind, text), h("div", { class: "spacer" }), h("span", { class: "muted" }, provider.driver)),
    h("p", { class: "muted" }, `${count(provider.nodes, "node")}, listed `, provider.listed_at ? ago(provider.listed_at) : "never"),
    provider.problem && h("p", { class: "note bad" }, provider.problem),
    meters(provider));
}

function strangers(provider) {
  if (!provider.first_strangers.length) return null;
  return h("details", null, h("summary", null, `${count(provider.strangers, "node")} not ours: nothing is done about them`),
    h("ul", { class: "plain" }, provider.first_strangers.slice(0, 20).map((stranger) => h("li", { key: stranger.node_id }, h("span", { class: "mono" }, stranger.name || stranger.node_id), " ", h("span", { class: "muted" }, stranger.state)))));
}

function card(provider) {
  const [kind, text] = health(provider), { events } = provider, traffic = live.traffic[provider.name];
  return h("article", { key: provider.name, class: "card", "aria-label": `Provider ${provider.name}` },
    h("div", { class: "card-head" }, h("h2", null, provider.name), badge(kind, text), h("div", { class: "spacer" }), provider.brake && button("Accept loss", () => acceptLoss(provider), { kind: "danger-text", name: provider.name })),
    provider.brake && h("p", { class: "banner bad" }, `${number(provider.brake.missing)} of ${number(provider.brake.known)} nodes are missing at once for `, since(provider.brake.since), ": none counts as lost until they are seen again, or an operator says so."),
    provider.limit && h("p", { class: "note warn" }, provider.limit.text, " (for ", since(provider.limit.since), ")"),
    provider.problem && h("p", { class: "note bad" }, provider.problem),
    facts(["Driver", provider.driver], ["Endpoint", provider.endpoint && h("span", { class: "mono" }, provider.endpoint)], ["Listed", provider.listed_at ? ago(provider.listed_at) : "never"], ["Nodes", number(provider.nodes)],
      ["Orphans", number(provider.orphans)], ["Strangers", number(provider.strangers)], ["Events", events && h("span", null, events.state.replaceAll("_", " "), events.since && [" for ", since(events.since)], events.reason && `: ${events.reason}`)],
      ["New VMs", provider.limit ? provider.limit.kind.replaceAll("_", " ") : "are made"], ["Breaker", provider.limit?.kind === "breaker_open" ? "open" : "closed"],
      ["Calls since the start", traffic && [number(traffic.calls), traffic.failed > 0 && h("small", null, ` ${number(traffic.failed)} failed`)]], ["Calls under way", traffic && number(traffic.under_way)],
      ["Rate", traffic && (traffic.rate ? `${traffic.rate} a second, ${traffic.burst} at once` : "no limit")], ["Retired", provider.retired_at && ago(provider.retired_at)]),
    Object.keys(provider.quota).length > 0 && [h("h3", null, "Quota"), meters(provider)],
    strangers(provider));
}

export function providers() {
  return [
    h("div", { class: "page-head" }, h("h1", null, "Providers"), h("p", { class: "muted" }, count(live.providers.length, "provider"))),
    live.providers.length ? h("div", { class: "grid-pools" }, live.providers.map(card)) : empty("No providers yet", "Add one to the configuration, and reload it."),
  ];
}
