// Runs, and the story of one.

import { freshness } from "./accounts.js";
import { changeButton } from "./change.js";
import { chip, el, facts, link, nothing, rich, table, when, whose } from "./dom.js";
import { read } from "./server.js";

export const title = "Runs";
export const filters = ["marketplace", "seller", "account", "kind", "status", "error", "newer_than", "older_than"];
export const states = ["QUEUED", "RUNNING", "WAITING", "SUCCEEDED", "FAILED", "CANCELLED", "DEAD_LETTERED"];
export const load = (_, query, signal) => read("/api/runs", query, signal);

const COLUMNS = ["Run", "State", "Made", "Attempts", "Pages", "Rows", "Error", "Whose"];
const LEVELS = { SUCCEEDED: "well", RUNNING: "well", FAILED: "ill", DEAD_LETTERED: "ill", WAITING: "look" };

export function draw(data, query) {
  const since = data.since
    ? el("p", { class: "summary" }, "Runs of the last 7 days; name a seller, an account or an age to see older ones.")
    : null;
  if (data.runs.length === 0) return el("div", {}, el("h1", {}, "Runs"), since, nothing("No run is like that."));
  const more = data.next ? link("runs", null, { ...query, after: data.next }, "Older runs") : null;
  return el("div", {}, el("h1", {}, "Runs"), since, table("The newest first.", COLUMNS, data.runs.map(row)), more);
}

function row(run) {
  return [
    link("run", run.id, {}, `${run.kind} of ${run.marketplace}`),
    state(run),
    when(run.made_at),
    String(run.attempts),
    String(run.pages),
    rows(run),
    run.error_code ? chip(run.error_code, "code") : "–",
    whose(run),
  ];
}

function state(run) {
  return chip(run.state, LEVELS[run.state] ?? "");
}

function rows(run) {
  const signs = [
    ["added", "+"],
    ["changed", "~"],
    ["removed", "−"],
  ];
  return (
    signs
      .filter(([field]) => run[field] > 0)
      .map(([field, sign]) => `${sign}${run[field]}`)
      .join(" ") || "–"
  );
}

/** The view of one run. */
export const story = {
  title: "Story of a run",
  filters: [],
  load: (id, _, signal) => read(`/api/runs/${encodeURIComponent(id)}`, {}, signal),
  draw: drawStory,
};

function drawStory({ run, chapters, streams, dead_letters: letters, account, log }) {
  return el(
    "div",
    {},
    el("h1", {}, `${run.kind} of ${run.marketplace} `, state(run)),
    el("p", { class: "chips" }, el("span", { class: "id" }, run.id), whose(run)),
    el("ol", { class: "story" }, chapters.map(chapter)),
    facts([
      ["attempts", String(run.attempts)],
      ["without a page", run.fruitless_attempts || null],
      ["steps done", String(run.step)],
      ["pages", String(run.pages)],
      ["set aside", String(run.quarantined)],
      ["lease until", run.lease_expires_at ? new Date(run.lease_expires_at).toLocaleString() : null],
      ["its lines are in", rich(`${log}, by run.id`)],
    ]),
    streams.length ? counts(streams) : nothing("It has written no rows."),
    letters.length
      ? el("section", {}, el("h2", {}, "Its dead letters"), el("ul", { class: "things" }, letters.map(letter)))
      : null,
    account
      ? el(
          "section",
          {},
          el("h2", {}, "Its account"),
          el(
            "p",
            {},
            chip(account.status),
            account.is_held ? chip("PAUSED BY OPERATORS", "held") : "",
            ` lane ${account.lane_state}`,
          ),
          freshness(account),
        )
      : null,
  );
}

function chapter({ at, title: text, detail }) {
  return el(
    "li",
    { class: at ? null : "now" },
    el("span", { class: "age" }, at ? [when(at), " ago", clock(at)] : "now"),
    el("div", {}, el("strong", {}, text), detail ? el("p", {}, detail) : null),
  );
}

/** The exact time, in the operator's own zone. */
function clock(instant) {
  return el(
    "span",
    { class: "whose" },
    new Date(instant).toLocaleString([], { dateStyle: "short", timeStyle: "medium" }),
  );
}

function counts(streams) {
  const columns = ["Stream", "Added", "Changed", "Unchanged", "Removed"];
  const row = (each) => [
    each.stream,
    ...["added", "changed", "unchanged", "removed"].map((field) => String(each[field])),
  ];
  return table("What it did to rows", columns, streams.map(row));
}

function letter(each) {
  const open = each.state === "OPEN";
  return el(
    "li",
    {},
    when(each.sent_at),
    chip(each.reason, "code"),
    chip(each.state, open ? "ill" : ""),
    link("letter", each.id, {}, "show"),
    open ? changeButton("redrive", "Redrive…", { ids: [each.id] }) : null,
  );
}
