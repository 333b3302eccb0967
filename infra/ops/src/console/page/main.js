// The page: which view is shown, reading it again every few seconds, and saying when it was read.

import * as accounts from "./accounts.js";
import { allow } from "./change.js";
import { address, el, tick } from "./dom.js";
import * as letters from "./letters.js";
import * as marketplaces from "./marketplaces.js";
import * as runs from "./runs.js";
import { read, takeToken } from "./server.js";
import * as stuck from "./stuck.js";

/** Milliseconds between two readings. */
const EVERY = 5000;
const VIEWS = { stuck, marketplaces, accounts, runs, letters, run: runs.story, letter: letters.one };
const IN_MENU = ["stuck", "marketplaces", "accounts", "runs", "letters"];
/** Filters that a view hands on to the next one. */
const SHARED = ["marketplace", "seller", "account"];
const HINTS = {
  marketplace: "AJIO",
  seller: "id",
  account: "id",
  kind: "ORDERS",
  error: "http_503",
  died_of: "TOO_MANY_RECEIVES",
  newer_than: "3d",
  older_than: "90m",
};

const $ = (id) => document.getElementById(id);
let place;
let stack = "";
let reading;
let timer;
let shown = "";
let lastRead = null;
let trouble = null;
let stopped = false;

/** Where the address leads: a view, its argument and its filters. */
function parse() {
  const [path, search = ""] = location.hash.slice(2).split("?");
  const [name, argument = ""] = path.split("/");
  const view = VIEWS[name] ? name : "stuck";
  return { view, argument: decodeURIComponent(argument), query: Object.fromEntries(new URLSearchParams(search)) };
}

function arrive() {
  place = parse();
  shown = "";
  $("view").replaceChildren(el("p", { class: "nothing" }, "Reading…"));
  drawMenu();
  drawFilters();
  refresh();
}

function drawMenu() {
  const kept = Object.fromEntries(SHARED.map((name) => [name, place.query[name]]));
  const item = (name) =>
    el(
      "a",
      { href: address(name, null, kept), "aria-current": name === place.view ? "page" : null },
      VIEWS[name].title,
    );
  $("views").replaceChildren(...IN_MENU.map(item));
}

function drawFilters() {
  const view = VIEWS[place.view];
  const form = $("filters");
  form.hidden = view.filters.length === 0;
  const label = (name) => el("label", {}, name.replaceAll("_", " "), field(name, view));
  const clear = Object.keys(place.query).length ? el("a", { href: address(place.view) }, "Clear") : "";
  form.replaceChildren(...view.filters.map(label), el("button", {}, "Filter"), clear);
}

function field(name, view) {
  const value = place.query[name] ?? "";
  if (name !== "status")
    return el("input", { name, value, placeholder: HINTS[name], autocomplete: "off", spellcheck: "false" });
  const option = (state) => el("option", { value: state, selected: state === value }, state || "any");
  return el(
    "select",
    { name },
    [view.states.includes("ALL") ? null : option(""), ...view.states.map(option)].filter(Boolean),
  );
}

async function refresh() {
  clearTimeout(timer);
  reading?.abort();
  const mine = (reading = new AbortController());
  const { view, argument, query } = place;
  try {
    const data = await VIEWS[view].load(argument, query, mine.signal);
    lastRead = Date.now();
    trouble = null;
    draw(VIEWS[view], data, query);
  } catch (error) {
    if (error.name === "AbortError") return;
    trouble = error;
  }
  if (mine !== reading) return;
  drawStatus();
  if (!stopped && !document.hidden) timer = setTimeout(refresh, EVERY);
}

/** Draws what was read, unless it is what is shown. What is open or has the focus stays so. */
function draw(view, data, query) {
  const text = JSON.stringify(data);
  const badge = view.badge?.(data);
  document.title = `${badge ? `(${badge}) ` : ""}${view.title} – ${stack || "Robnu"}`;
  if (text === shown) return;
  const root = $("view");
  const open = [...root.querySelectorAll("details[open][data-key]")].map((each) => each.dataset.key);
  const focus = document.activeElement?.dataset?.key ?? document.activeElement?.getAttribute?.("href");
  root.replaceChildren(view.draw(data, query));
  shown = text;
  for (const details of root.querySelectorAll("details[data-key]")) details.open = open.includes(details.dataset.key);
  const again = [...root.querySelectorAll("[data-key], a[href]")].find(
    (each) => focus && (each.dataset.key ?? each.getAttribute("href")) === focus,
  );
  again?.focus({ preventScroll: true });
}

function drawStatus() {
  const at = lastRead ? new Date(lastRead).toLocaleTimeString() : null;
  const status = $("status");
  status.className = trouble ? "bad" : stopped ? "idle" : "good";
  const now = trouble ? "Reading fails" : stopped ? "Reading stopped" : "Live";
  const text = at ? `${now} · last read ${at}` : now;
  if (status.textContent !== text) status.textContent = text;
  const box = $("trouble");
  box.hidden = !trouble;
  const told = trouble
    ? `Reading failed: ${trouble.message}. Next: ${trouble.next ?? "try again"}.${at ? ` What is shown was read at ${at}.` : ""}`
    : "";
  if (box.textContent !== told) box.textContent = told;
  if (trouble && !lastRead) $("view").replaceChildren();
}

function begin() {
  takeToken();
  addEventListener("hashchange", () => (takeToken() ? introduce() : arrive()));
  $("filters").addEventListener("submit", (event) => {
    event.preventDefault();
    const given = Object.fromEntries([...new FormData(event.target)].map(([name, value]) => [name, value.trim()]));
    const there = address(place.view, null, given);
    if (there === location.hash) refresh();
    else location.hash = there;
  });
  $("pause").addEventListener("click", () => {
    stopped = !stopped;
    $("pause").textContent = stopped ? "Read again" : "Stop reading";
    $("pause").setAttribute("aria-pressed", String(stopped));
    if (stopped) clearTimeout(timer);
    else refresh();
    drawStatus();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : stopped || refresh()));
  setInterval(tick, 1000);
  introduce();
}

/** Says which stack it is and what the page may do, and shows the view; tries again until the server tells. */
async function introduce() {
  try {
    const about = await read("/api/about");
    stack = about.stack;
    $("stack").textContent = about.stack;
    $("mode").textContent = about.allow_changes ? `changes as ${about.operator}` : "only reads";
    $("mode").className = `chip ${about.allow_changes ? "look" : "well"}`;
    allow(about.allow_changes, refresh);
    arrive();
  } catch (error) {
    trouble = error;
    drawStatus();
    setTimeout(introduce, EVERY);
  }
}

begin();
