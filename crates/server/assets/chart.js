// How a pool was over time: its VMs stacked by what they do, with the target, the limit and who waits.

import { h } from "./dom.js";
import { exact, minute, number } from "./format.js";
import { redraw } from "./app.js";
import { live } from "./live.js";

const WIDTH = 600;
const LAYERS = [["busy", "In use"], ["ready", "Ready"], ["starting", "Starting"], ["other", "Other"]];
const hovered = new Map();

const sum = (counts, states) => states.reduce((all, state) => all + (counts[state] ?? 0), 0);

// The groups of states that the daemon's samples have, too.
export function groups(pool) {
  const { counts } = pool;
  return {
    ready: sum(counts, ["ready"]),
    busy: sum(counts, ["in_use", "releasing"]),
    starting: sum(counts, ["spawning", "got_ip", "check_health"]),
    other: sum(counts, ["check_health_failed", "held", "terminating"]),
    target: pool.stock?.target ?? 0,
    waiting: pool.waiting,
    max: pool.max_total,
  };
}

// Samples of the past, with how it is now at their end.
function withNow(series, pool) {
  const now = { at: live.now(), ...groups(pool) };
  const all = {};
  for (const key of Object.keys(now)) all[key] = [...(series?.[key] ?? []), now[key]];
  if (all.at.length === 1) for (const key of Object.keys(all)) all[key].unshift(key === "at" ? all.at[0] - 60e3 : all[key][0]);
  return all;
}

function steps(max) {
  const rough = max / 3;
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((size) => rough <= size) ?? 1);
  return Array.from({ length: Math.floor(max / step) + 1 }, (_, index) => index * step);
}

function path(points, closed) {
  const text = points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return closed ? text + "Z" : text;
}

export function chart(pool, series, { height = 120 } = {}) {
  const data = withNow(series, pool), last = data.at.length - 1;
  const totals = data.at.map((_, index) => LAYERS.reduce((all, [key]) => all + data[key][index], 0));
  const peak = Math.max(1, ...totals, ...data.target, ...data.waiting);
  // A limit that is far away would flatten everything else.
  const showsMax = data.max[last] <= 2 * peak;
  const top = Math.max(peak, showsMax ? Math.max(...data.max) : 0) * 1.08;
  const [first, end] = [data.at[0], data.at[last]];
  const x = (at) => ((at - first) / Math.max(1, end - first)) * WIDTH;
  const y = (value) => height - (value / top) * height;

  const base = data.at.map(() => 0);
  const areas = LAYERS.map(([key]) => {
    const lower = data.at.map((at, index) => [x(at), y(base[index])]);
    const upper = data.at.map((at, index) => [x(at), y((base[index] += data[key][index]))]);
    return h("path", { class: `area g-${key}`, d: path([...upper, ...lower.reverse()], true) });
  });
  const line = (key, kind) => h("path", { class: `line ${kind}`, d: path(data.at.map((at, index) => [x(at), y(data[key][index])])) });
  const hover = hovered.get(pool.name);
  const marked = hover === undefined ? undefined : Math.min(last, data.at.findLastIndex((at) => x(at) <= hover * WIDTH + 0.5));
  const leave = () => hovered.delete(pool.name) && redraw();
  const move = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    hovered.set(pool.name, Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
    redraw();
  };
  const now = groups(pool);
  const label = `${pool.name} from ${minute(first)} to ${minute(end)}: now ${LAYERS.map(([key, text]) => `${now[key]} ${text.toLowerCase()}`).join(", ")}, ${now.waiting} waiting; at most ${Math.max(...totals)} VMs and ${Math.max(...data.waiting)} waiting`;
  return h("figure", { class: "chart" },
    h("div", { class: "plot", onpointermove: move, onpointerleave: leave, style: { height: `${height}px` } },
      h("svg", { viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
        steps(top).map((value) => h("line", { key: value, class: "grid", x1: 0, x2: WIDTH, y1: y(value), y2: y(value) })),
        areas,
        line("target", "target"),
        showsMax && line("max", "max"),
        Math.max(...data.waiting) > 0 && line("waiting", "waiting"),
        marked !== undefined && h("line", { key: "mark", class: "mark", x1: x(data.at[marked]), x2: x(data.at[marked]), y1: 0, y2: height })),
      steps(top).map((value) => h("span", { key: value, class: "tick", "aria-hidden": "true", style: { top: `${y(value)}px` } }, number(value))),
      marked !== undefined && tooltip(data, marked, x(data.at[marked]) / WIDTH)),
    h("div", { class: "chart-times", "aria-hidden": "true" }, h("span", null, minute(first)), h("span", null, "now")));
}

function tooltip(data, index, place) {
  const row = (key, text, kind) => h("div", { key }, h("span", { class: `key ${kind}` }), h("span", null, text), h("b", null, number(data[key][index])));
  return h("div", { key: "tip", class: "tip", style: { left: `${place * 100}%`, transform: `translateX(${place < 0.5 ? "0.75rem" : "calc(-100% - 0.75rem)"})` } },
    h("p", null, exact(data.at[index])),
    LAYERS.map(([key, text]) => row(key, text, `g-${key}`)),
    row("target", "To be ready", "target"), row("waiting", "Waiting", "waiting"), row("max", "Limit", "max"));
}

export function legend() {
  const item = (kind, text) => h("li", null, h("span", { class: `key ${kind}` }), text);
  return h("ul", { class: "legend", "aria-label": "What the charts show" },
    LAYERS.map(([key, text]) => item(`g-${key}`, text)), item("target", "To be ready"), item("waiting", "Waiting"), item("max", "Limit"));
}
