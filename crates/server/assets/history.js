// Samples of the pools, as the daemon has them.

import { get } from "./api.js";
import { redraw } from "./app.js";

const FRESH = 10_000;
const kept = new Map();

// Returns the samples of a pool in a range, `hour` or `day`, and fetches those of all pools now and then.
export function samples(range, pool) {
  const key = range;
  const known = kept.get(key) ?? { at: -Infinity, series: {} };
  if (FRESH < performance.now() - known.at) {
    kept.set(key, { ...known, at: performance.now() });
    get(`/dashboard/history?range=${range}`).then(
      (series) => {
        kept.set(key, { at: performance.now(), series });
        redraw();
      },
      // The next look says what is wrong.
      () => {},
    );
  }
  return known.series[pool];
}
