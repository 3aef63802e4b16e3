// What is known of the daemon, kept fresh: one stream of events says when to look again, and only what changed is fetched.

import { Refused, follow, get, token, whoami } from "./api.js";

const EVENTS = 1000;
const AT_LEAST = 300;
const AT_MOST = 5000;

export const live = {
  who: null,
  health: null,
  pools: [],
  providers: [],
  traffic: {},
  queue: [],
  waiting: 0,
  vms: new Map(),
  leases: new Map(),
  // Whether VMs and leases are known yet.
  complete: false,
  // Newest first.
  events: [],
  // Grows when VMs or leases change, so that lists are sorted only then.
  version: 0,
  revision: null,
  offset: 0,
  lostSince: null,
  problem: null,
  needsToken: false,
  now: () => Date.now() + live.offset,
  canOperate: () => live.who?.role === "operator" || live.who?.role === "admin",
};

const listeners = new Set();
export const onChange = (listener) => listeners.add(listener);
const tell = () => listeners.forEach((listener) => listener());

// Loops of before a log-in end when they see that they are not of the newest generation.
let generation = 0;

let asked = false, wake = () => {}, controller = new AbortController();

// Looks again soon, and calls back once it has.
export function refresh() {
  asked = true;
  wake();
}

const pause = (millis) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, millis);
    wake = () => asked && (clearTimeout(timer), resolve());
  });

function take(state) {
  live.offset = state.now - Date.now();
  for (const key of ["health", "pools", "providers", "traffic", "queue", "waiting"]) live[key] = state[key];
  const delta = state.changed;
  if (!delta) return;
  if (delta.full) {
    live.vms = new Map();
    live.leases = new Map();
  }
  for (const vm of delta.vms) live.vms.set(vm.name, vm);
  for (const lease of delta.leases) live.leases.set(lease.id, lease);
  delta.gone_vms.forEach((name) => live.vms.delete(name));
  delta.gone_leases.forEach((id) => live.leases.delete(id));
  if (delta.full || delta.vms.length || delta.leases.length || delta.gone_vms.length || delta.gone_leases.length) live.version++;
  live.revision = delta.revision;
  live.complete = true;
}

async function look(brief) {
  const query = brief ? "?brief=true" : live.revision === null ? "" : `?after=${live.revision}`;
  take(await get("/dashboard/state" + query, controller.signal));
  live.lostSince = live.problem = null;
}

function failed(error) {
  if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
    // Who may only use VMs sees no pages about those of others.
    live.needsToken = true;
    live.problem = error.status === 403 ? `${error.message}: the dashboard is for readers, operators and admins` : token.get() ? error.message : null;
    token.set(null);
  } else {
    live.lostSince ??= Date.now();
    live.problem = error instanceof Refused ? [error.message, error.hint].filter(Boolean).join(": ") : null;
  }
  tell();
}

async function keepLooking(mine) {
  while (mine === generation) {
    const began = performance.now();
    asked = false;
    try {
      await look(false);
      tell();
    } catch (error) {
      if (mine !== generation) return;
      failed(error);
      if (live.needsToken) return;
    }
    // A daemon that is slow is asked less often.
    const took = performance.now() - began;
    const rest = Math.max(AT_LEAST, 3 * took) - took;
    if (0 < rest) await new Promise((resolve) => setTimeout(resolve, rest));
    if (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
    if (!asked) await pause(live.lostSince === null ? AT_MOST : 1000);
  }
}

async function keepFollowing(mine) {
  let cursor = live.health.cursor;
  const back = await get(`/v1/events?after=${Math.max(0, cursor - 200)}&limit=200`).catch(() => ({ events: [] }));
  live.events = back.events.reverse();
  while (mine === generation) {
    try {
      await follow(cursor, controller.signal, tell, (events) => {
        cursor = events.at(-1).cursor;
        live.events = [...events.slice(-EVENTS).reverse(), ...live.events].slice(0, EVENTS);
        refresh();
      });
    } catch (error) {
      if (live.needsToken || mine !== generation) return;
      // The records are another daemon's: begin at their end.
      if (error instanceof Refused && error.status === 400) cursor = live.health.cursor;
      if (error instanceof Refused && error.status === 401) return failed(error);
    }
    refresh();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

export async function start() {
  live.needsToken = false;
  live.revision = null;
  controller.abort();
  controller = new AbortController();
  const mine = ++generation;
  for (;;) {
    try {
      live.who = await whoami();
      // Figures first: the VMs may be very many.
      await look(true);
      break;
    } catch (error) {
      failed(error);
      if (live.needsToken) return;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  tell();
  keepLooking(mine);
  keepFollowing(mine);
}

export async function logIn(text) {
  token.set(text.trim());
  live.problem = null;
  await start();
}

export function logOut() {
  token.set(null);
  controller.abort();
  location.reload();
}
