// The frame of all pages: where one is, how the daemon is, and drawing again when something changed.

import { h, render } from "./dom.js";
import { events } from "./events.js";
import { ago, number, span } from "./format.js";
import { leases } from "./leases.js";
import { live, logIn, logOut, onChange, start } from "./live.js";
import { overview } from "./overview.js";
import { pool } from "./pool.js";
import { providers } from "./providers.js";
import { queue, request } from "./queue.js";
import { vm, vms } from "./vms.js";

const PAGES = [
  ["", "Overview", overview], ["vms", "VMs", vms], ["leases", "Leases", leases], ["queue", "Queue", queue],
  ["providers", "Providers", providers], ["events", "Events", events],
];
const SINGLE = { vm: [vm, "vms"], request: [request, "queue"], pool: [pool, ""] };

let scheduled = false;
export function redraw() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    draw();
  });
}

// Where one is: the page, what it is about, and what of it is wanted.
export function place() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [page = "", name = ""] = path.split("/").map(decodeURIComponent);
  return { page, name, query: new URLSearchParams(query) };
}

// Changes what of a page is wanted, without a step to go back to.
export function want(changes) {
  const { page, name, query } = place();
  for (const [key, value] of Object.entries(changes)) value ? query.set(key, value) : query.delete(key);
  const text = query.toString();
  history.replaceState(null, "", `#/${[page, name].filter(Boolean).map(encodeURIComponent).join("/")}${text ? "?" + text : ""}`);
  redraw();
}

const THEMES = { "": ["Automatic", "light"], light: ["Light", "dark"], dark: ["Dark", ""] };
const theme = () => document.documentElement.dataset.theme ?? "";
function setTheme(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  localStorage.setItem("vmpool-theme", name);
  redraw();
}
setTheme(localStorage.getItem("vmpool-theme") ?? "");

function header(current) {
  const counts = { vms: live.vms.size, leases: live.leases.size, queue: live.waiting };
  return h("header", { class: "top" },
    h("div", { class: "top-inner" },
      h("a", { class: "brand", href: "#/" }, h("span", { class: "logo", "aria-hidden": "true" }), "vmpool"),
      h("nav", { "aria-label": "Pages" },
        PAGES.map(([page, title]) =>
          h("a", { key: page, href: `#/${page}`, class: "tab", "aria-current": current === page ? "page" : undefined }, title,
            counts[page] > 0 && h("span", { class: "tab-count" }, number(counts[page]))))),
      h("div", { class: "top-end" },
        h("span", { class: `pulse ${live.lostSince === null ? "good" : "bad"}`, title: live.lostSince === null ? "Live: changes show at once" : "Not connected" },
          h("span", { class: "sr" }, live.lostSince === null ? "Live" : "Not connected")),
        live.who?.actor && h("span", { class: "who", title: `You may do what a ${live.who.role} may` }, live.who.actor, " · ", live.who.role),
        sessionStorage.getItem("vmpool-token") && h("button", { type: "button", class: "button small", onclick: logOut }, "Log out"),
        h("button", { type: "button", class: "button small theme", onclick: () => setTheme(THEMES[theme()][1]), "aria-label": `Colors: ${THEMES[theme()][0]}`, title: "Automatic, light or dark colors" },
          h("span", { class: `theme-icon t-${theme() || "auto"}`, "aria-hidden": "true" })))));
}

function banners() {
  const lost = live.lostSince !== null && h("div", { key: "lost", class: "banner bad", role: "alert" },
    h("b", null, "Connection lost"), " ", live.health ? `The figures are ${span(Date.now() - live.lostSince)} old; trying again.` : "Trying to reach the daemon.", live.problem && ` ${live.problem}`);
  return [lost, (live.health?.notices ?? []).map((notice) => h("div", { key: notice, class: "banner warn", role: "status" }, notice))];
}

let entered = "";
function logInPage() {
  const submit = (event) => {
    event.preventDefault();
    logIn(entered).then(redraw);
  };
  return h("main", { id: "main", class: "login" },
    h("form", { class: "card", onsubmit: submit },
      h("h1", null, h("span", { class: "logo", "aria-hidden": "true" }), "vmpool"),
      h("p", { class: "muted" }, "The daemon wants to know who you are. Enter a token: ", h("code", null, "vmpool token create"), " makes one."),
      h("label", { class: "field" }, "Token", h("input", { type: "password", value: entered, autocomplete: "current-password", required: true, oninput: (event) => (entered = event.target.value) })),
      live.problem && h("p", { class: "problem", role: "alert" }, live.problem),
      h("button", { type: "submit", class: "button primary" }, "Log in")));
}

function loading() {
  return h("main", { id: "main" }, h("h1", { class: "sr" }, "vmpool"), h("div", { class: "skeleton" }), h("div", { class: "skeleton" }), h("div", { class: "skeleton" }));
}

function mark(name) {
  if (!performance.getEntriesByName(name).length) performance.mark(name);
}

function draw() {
  const app = document.getElementById("app");
  if (live.needsToken) return render(app, logInPage());
  if (!live.health) return render(app, banners(), loading());
  const at = place();
  const [view, current] = SINGLE[at.page] ?? [PAGES.find(([page]) => page === at.page)?.[2], at.page];
  const title = [at.name, PAGES.find(([page]) => page === current)?.[1] ?? "Not found", "vmpool"].filter(Boolean).join(" · ");
  if (document.title !== title) document.title = title;
  render(app, header(current), banners(),
    h("main", { id: "main", key: at.page + "/" + at.name, class: `page page-${at.page || "overview"}${live.lostSince === null ? "" : " stale"}`, tabindex: -1 },
      view ? view(at) : [h("h1", null, "Not found"), h("p", null, "There is no such page. ", h("a", { href: "#/" }, "Go to the overview"))]),
    h("footer", { class: "foot" }, `vmpool ${live.health.version} · installation ${live.health.installation} · started `, ago(live.health.started_at)));
  // For whoever measures, once it is on the screen.
  const { complete } = live;
  requestAnimationFrame(() => {
    mark("figures");
    if (complete) mark("complete");
  });
}

onChange(redraw);
addEventListener("hashchange", () => {
  redraw();
  scrollTo(0, 0);
});
// Times go on by themselves.
setInterval(() => document.hidden || redraw(), 1000);
redraw();
start();
