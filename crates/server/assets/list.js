// A long list of which only the rows on the screen are elements.

import { redraw } from "./app.js";
import { h } from "./dom.js";

const narrow = matchMedia("(max-width: 760px)");
narrow.addEventListener("change", () => redraw());
export const isNarrow = () => narrow.matches;

const BEYOND = 6;
const places = new Map();

// `row(item)` returns cells; `heights` are those of a row on wide and narrow screens.
export function list({ id, label, columns, items, row, keyOf, kindOf = () => "", heights = [44, 84], none }) {
  if (items.length === 0) return none;
  const height = heights[isNarrow() ? 1 : 0];
  const place = places.get(id) ?? { top: 0, view: 800 };
  places.set(id, place);
  const first = Math.max(0, Math.min(Math.floor(place.top / height), items.length - 1) - BEYOND);
  const shown = items.slice(first, Math.ceil((place.top + place.view) / height) + BEYOND);
  const measure = (dom) => {
    place.dom = dom;
    new ResizeObserver(() => {
      if (place.view !== dom.clientHeight && dom.isConnected) {
        place.view = dom.clientHeight;
        redraw();
      }
    }).observe(dom);
    requestAnimationFrame(() => (dom.scrollTop = place.top));
  };
  const scroll = (event) => {
    place.top = event.currentTarget.scrollTop;
    redraw();
  };
  return h("div", { key: id, class: `list list-${id}`, role: "table", "aria-label": label, "aria-rowcount": items.length + 1 },
    h("div", { class: "scroller", role: "rowgroup", tabindex: 0, onscroll: scroll, onkeydown: keys, ref: measure },
      h("div", { class: "row head", role: "row", "aria-rowindex": 1 }, columns.map((name, column) => h("div", { role: "columnheader", key: column }, name))),
      h("div", { class: "sizer", role: "presentation", style: { height: `${items.length * height}px` } },
        shown.map((item, index) =>
          h("div", { key: keyOf(item), class: `row ${kindOf(item)}`, role: "row", "aria-rowindex": first + index + 2, style: { height: `${height}px`, transform: `translateY(${(first + index) * height}px)` } },
            row(item).map((cell, column) => h("div", { role: "cell", key: column, class: `cell c${column}` }, cell)))))));
}

// Arrows go from row to row by their first links, as far as they are there.
function keys(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const row = document.activeElement?.closest?.(".scroller .row");
  if (!step || !row) return;
  const rows = [...event.currentTarget.querySelectorAll(".row")].sort((a, b) => a.ariaRowIndex - b.ariaRowIndex);
  for (let index = rows.indexOf(row) + step; rows[index]; index += step) {
    const link = rows[index].querySelector("a, button");
    if (!link) continue;
    link.focus();
    link.scrollIntoView({ block: "nearest" });
    event.preventDefault();
    return;
  }
}

// Keeps what is made of a long list until the list or the question changes.
export function memo(make) {
  let keys, value;
  return (...next) => {
    if (keys === undefined || next.some((key, index) => key !== keys[index])) {
      value = make(...next);
      keys = next;
    }
    return value;
  };
}
