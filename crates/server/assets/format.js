// Words for states, times and numbers.

import { h } from "./dom.js";
import { live } from "./live.js";

// In the order of a VM's life, as the daemon numbers them.
export const STATES = ["spawning", "got_ip", "check_health", "check_health_failed", "ready", "in_use", "releasing", "held", "terminating"];

const WORDS = {
  spawning: "Spawning", got_ip: "Got IP", check_health: "Checking", check_health_failed: "Check failed", ready: "Ready",
  in_use: "In use", releasing: "Releasing", held: "Held", terminating: "Terminating",
};

export const words = (state) => WORDS[state] ?? state.replaceAll("_", " ");

export function count(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : (many ?? one + "s")}`;
}

export const number = (value) => value.toLocaleString("en");

export function span(millis) {
  const seconds = Math.max(0, Math.round(millis / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes < 10 && seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return days < 14 && hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

export const millis = (time) => (typeof time === "number" ? time : Date.parse(time));

const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MINUTE = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

export const exact = (time) => EXACT.format(millis(time));
export const minute = (time) => MINUTE.format(millis(time));

// A time relative to the daemon's clock, with the exact one on hover.
export function ago(time) {
  const at = millis(time), difference = live.now() - at;
  const text = Math.abs(difference) < 1000 ? "now" : difference < 0 ? `in ${span(-difference)}` : `${span(difference)} ago`;
  return h("time", { datetime: new Date(at).toISOString(), title: exact(at) }, text);
}

// How long something lasts already.
export function since(time) {
  const at = millis(time);
  return h("time", { datetime: new Date(at).toISOString(), title: `since ${exact(at)}` }, span(live.now() - at));
}

export function clock(time) {
  const at = millis(time), far = 20 * 3600e3 < Math.abs(live.now() - at);
  return h("time", { datetime: new Date(at).toISOString(), title: exact(at) }, far ? `${DAY.format(at)} ${MINUTE.format(at)}` : CLOCK.format(at));
}

export const chip = (state) => h("span", { class: `chip s-${state}` }, words(state));
export const badge = (kind, text, title) => h("span", { class: `badge ${kind}`, title }, text);

export const to = (...parts) => "#/" + parts.map(encodeURIComponent).join("/");
export const vmLink = (name, props) => h("a", { class: "mono", href: to("vm", name), ...props }, name);
export const poolLink = (name) => h("a", { href: to("pool", name) }, name);
export const requestLink = (id) => h("a", { class: "mono", href: to("request", id) }, id);

export function empty(title, text) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), text && h("p", null, text));
}
