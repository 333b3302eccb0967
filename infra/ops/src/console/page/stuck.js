// What is stuck: each fault once, with what to do about it.

import { changeButton, mayChange } from "./change.js";
import { chip, command, count, el, link, nothing, rich, when, whose } from "./dom.js";
import { read } from "./server.js";

export const title = "Stuck";
export const filters = ["marketplace", "seller", "account"];
export const load = (_, query, signal) => read("/api/stuck", query, signal);

const TURNS = [
  ["ours", "Ours to mend"],
  ["seller", "The seller must act"],
  ["stopped", "Stopped on purpose"],
];
/** Of so few things all are shown at once. */
const FEW = 3;

export function badge(data) {
  return data.groups.filter((group) => group.turn === "ours").length;
}

export function draw(data) {
  const heading = el("h1", {}, "What is stuck");
  if (data.groups.length === 0) return el("div", {}, heading, nothing("Nothing is stuck."));
  const sections = TURNS.map(([turn, heading]) =>
    section(
      heading,
      data.groups.filter((group) => group.turn === turn),
    ),
  );
  return el("div", {}, heading, summary(data), sections);
}

function summary(data) {
  const of = (turn) => data.groups.filter((group) => group.turn === turn).length;
  const left = data.left_out
    ? ` ${data.at_least ? "At least " : ""}${data.left_out} more things are left out: narrow the filters.`
    : "";
  return el(
    "p",
    { class: "summary" },
    `${count(of("ours"), "fault")} to mend, ${of("seller")} for sellers, ${of("stopped")} stopped on purpose; the oldest first.${left}`,
  );
}

function section(heading, groups) {
  return groups.length ? el("section", {}, el("h2", {}, heading), groups.map(card)) : null;
}

function card(group) {
  const steps = group.steps.length
    ? el(
        "ol",
        { class: "steps" },
        group.steps.map((step) => el("li", {}, rich(step))),
      )
    : null;
  const note = group.help.note ? el("p", { class: "note" }, `What helps: ${group.help.note}.`) : null;
  const buttons = group.actions.map((action) => changeButton(action.name, action.label, action.request));
  const others = mayChange()
    ? []
    : group.actions.map((action) => action.command).filter((text) => text !== group.help.command);
  return el(
    "article",
    { class: `card ${group.turn}` },
    el("header", {}, el("h3", {}, group.title), el("span", { class: "since" }, "for ", when(group.since))),
    el(
      "p",
      { class: "chips" },
      group.marketplace && chip(group.marketplace),
      chip(group.why, "code"),
      el("span", { class: "amount" }, amount(group)),
    ),
    el("p", {}, group.meaning, group.reason ? ` ${group.reason}` : ""),
    steps,
    note,
    command(group.help.command),
    others.map(command),
    buttons.some(Boolean) ? el("div", { class: "acts" }, buttons) : null,
    things(group),
  );
}

function amount(group) {
  const noun = group.what === "DEAD_LETTER" ? "dead letter" : group.what.startsWith("RUN_") ? "run" : "thing";
  const whole = noun === "thing" ? [] : [count(group.count, noun)];
  const parts = [
    group.accounts && count(group.accounts, "account"),
    group.sellers && count(group.sellers, "seller"),
  ].filter(Boolean);
  return [...whole, ...parts].join(" · ");
}

function things(group) {
  const list = el(
    "ul",
    { class: "things" },
    group.things.map((thing) => el("li", {}, line(thing, group))),
  );
  if (group.things.length <= FEW) return list;
  const key = `${group.what} ${group.marketplace} ${group.why}`;
  return el("details", { "data-key": key }, el("summary", {}, `Show all ${group.things.length}`), list);
}

function line(thing, group) {
  const more = thing.count > 1 ? chip(`${thing.count} letters`) : null;
  const kind = thing.kind ? chip(thing.kind, "code") : null;
  return [el("span", { class: "age" }, when(thing.since)), kind, more, whose(thing), opens(thing, group)];
}

function opens(thing, group) {
  if (group.what.startsWith("RUN_")) return link("run", thing.id, {}, "the run's story");
  if (group.what !== "DEAD_LETTER") return null;
  if (thing.count === 1) return link("letter", thing.id, {}, "show");
  return link(
    "letters",
    null,
    { marketplace: thing.marketplace, account: thing.account_id, died_of: thing.why },
    "list",
  );
}
