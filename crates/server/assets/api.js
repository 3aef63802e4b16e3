// Speaking to the daemon.

const KEY = "vmpool-token";

export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? problem?.title ?? `the daemon answered with status ${status}`);
    this.status = status;
    this.hint = problem?.hint;
  }
}

export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

export async function ask(path, { method = "GET", body, headers, signal } = {}) {
  const all = { ...headers };
  if (token.get()) all.authorization = `Bearer ${token.get()}`;
  if (body !== undefined) all["content-type"] = "application/json";
  const response = await fetch(path, { method, headers: all, signal, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body) });
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => undefined));
  return response;
}

export async function get(path, signal) {
  return (await ask(path, { signal })).json();
}

// Who asks; a daemon that asks nobody lets everybody do everything.
export async function whoami() {
  try {
    return await get("/v1/whoami");
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return { actor: "", role: "operator" };
    throw error;
  }
}

// Calls `tell` with each event of a stream after a cursor, until it breaks off.
export async function follow(after, signal, opened, tell) {
  const response = await ask(`/v1/events/stream?after=${after}`, { signal, headers: { accept: "text/event-stream" } });
  opened();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const frames = (rest + value).split("\n\n");
    rest = frames.pop();
    const events = [];
    for (const frame of frames) {
      const data = frame.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
      if (data.length) events.push(JSON.parse(data.join("\n")));
    }
    if (events.length) tell(events);
  }
}

const PAGE = 1000;

// Returns the cursor before the first event that happened at a time or later: the log is in the order of time.
async function cursorAt(time, newest, oldest) {
  let low = Math.max(0, oldest - 1), high = newest;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const page = await get(`/v1/events?after=${middle}&limit=1`);
    const event = page.events[0];
    if (event && Date.parse(event.at) < time) low = event.cursor;
    else high = middle;
  }
  return low;
}

// Returns the events from a time on that are wanted, oldest first; `limit` pages are read at most.
export async function eventsFrom(time, newest, query, wanted, until = Infinity, limit = 40) {
  const first = await get("/v1/events?after=0&limit=1");
  let after = await cursorAt(time - 2000, newest, first.oldest);
  const found = [];
  for (let page = 0; page < limit; page++) {
    const { events, next } = await get(`/v1/events?after=${after}&limit=${PAGE}${query}`);
    found.push(...events.filter(wanted));
    const last = events.at(-1);
    if (next <= after || newest <= next || (last && until < Date.parse(last.at))) return { events: found, complete: true };
    after = next;
  }
  return { events: found, complete: false };
}
