// A VM as a bar of its states over time.

import { h } from "./dom.js";
import { STATES, exact, minute, span, words } from "./format.js";
import { live } from "./live.js";

export const WINDOWS = [[5 * 60e3, "5 min"], [15 * 60e3, "15 min"], [3600e3, "1 h"], [6 * 3600e3, "6 h"], [24 * 3600e3, "24 h"]];
export const CHOICES = WINDOWS.map(([length, text]) => [String(length), text]);

// How much time the bars of some VMs show: as much as was chosen, or an hour, or less if all of them are younger.
export function shownTime(query, vms) {
  const chosen = Number(query.get("time"));
  if (WINDOWS.some(([length]) => length === chosen)) return chosen;
  const age = live.now() - vms.reduce((oldest, vm) => Math.min(oldest, vm.created), Infinity);
  return WINDOWS.slice(0, 3).find(([length]) => age <= length)?.[0] ?? WINDOWS[2][0];
}

// The parts of a life within a time: state, begin and end.
export function parts(vm, from, until) {
  const found = [];
  for (let index = 0; index < vm.life.length; index += 2) {
    const begin = vm.life[index + 1], end = vm.life[index + 3] ?? until;
    if (end < from || until < begin || end === begin) continue;
    found.push({ state: STATES[vm.life[index]] ?? "unknown", begin, end: Math.min(end, until), shown: Math.max(begin, from) });
  }
  return found;
}

export function bar(vm, length, kind = "") {
  const until = live.now(), from = until - length;
  const found = parts(vm, from, until);
  const label = found.slice(-4).reverse().map(({ state, begin, end }, index) => `${words(state)} ${index ? "for " : "since "}${span(end - begin)}`).join(", before that ");
  return h("div", { class: `life ${kind}`, role: "img", "aria-label": `${vm.name}: ${label || words(vm.state)}` },
    found.map(({ state, begin, end, shown }) =>
      h("span", {
        key: begin, class: `part s-${state}`, title: `${words(state)} for ${span(end - begin)}, from ${exact(begin)}`,
        style: { left: `${(((shown - from) / length) * 100).toFixed(2)}%`, width: `${(((end - shown) / length) * 100).toFixed(2)}%` },
      })));
}

export function axis(length) {
  const until = live.now();
  return h("div", { class: "axis", "aria-hidden": "true" }, [1, 0.75, 0.5, 0.25, 0].map((part) => h("span", { key: part }, part ? minute(until - part * length) : "now")));
}

export function lifeLegend() {
  return h("ul", { class: "legend", "aria-label": "Colors of the states" },
    STATES.map((state) => h("li", { key: state }, h("span", { class: `key fill s-${state}` }), words(state))));
}
