// Dead letters, and one of them with everything that is known.

import { changeButton, mayChange } from "./change.js";
import { chip, command, el, facts, link, nothing, table, when, whose } from "./dom.js";
import { read } from "./server.js";

export const title = "Dead letters";
export const filters = ["marketplace", "seller", "account", "kind", "died_of", "status", "newer_than", "older_than"];
export const states = ["OPEN", "REDRIVEN", "DISCARDED", "ALL"];
export const load = (_, query, signal) => read("/api/dead-letters", query, signal);

const COLUMNS = ["Dead letter", "Why it died", "Age", "Whose", "Run", ""];

export function draw(data, query) {
  const { after, status } = query;
  // Only what narrows the list narrows a change; a field that the list does not know must not look as if it did.
  const narrowing = filters.filter((name) => name !== "status" && query[name]);
  const filter = Object.fromEntries(narrowing.map((name) => [name, query[name]]));
  const open = !status || status === "OPEN";
  const heading = el("h1", {}, "Dead letters");
  if (data.dead_letters.length === 0)
    return el("div", {}, heading, nothing(open ? "No dead letter like that is open." : "No dead letter is like that."));
  const all =
    open && !after
      ? [
          changeButton("redrive", "Redrive all that the filters choose…", filter),
          changeButton("discard", "Discard all…", filter),
        ]
      : [];
  const more = data.next ? link("letters", null, { ...query, after: data.next }, "Older dead letters") : null;
  return el(
    "div",
    {},
    heading,
    mayChange() ? el("div", { class: "acts" }, all) : null,
    table("The newest first.", COLUMNS, data.dead_letters.map(row)),
    more,
  );
}

function row(letter) {
  const open = letter.state === "OPEN";
  return [
    [
      link("letter", letter.id, {}, `${letter.kind ?? letter.form} of ${letter.source}`),
      " ",
      chip(letter.state, open ? "ill" : ""),
    ],
    [chip(letter.reason, "code"), letter.meaning ? el("p", { class: "note" }, letter.meaning) : ""],
    when(letter.sent_at),
    whose(letter),
    letter.run_id ? link("run", letter.run_id, {}, "its story") : "–",
    open ? buttons(letter) : closed(letter),
  ];
}

function buttons(letter) {
  const one = { ids: [letter.id] };
  const redrive = letter.form === "UNREADABLE" ? null : changeButton("redrive", "Redrive…", one);
  return el("div", { class: "acts" }, redrive, changeButton("discard", "Discard…", one));
}

function closed(letter) {
  return el("p", { class: "note" }, `by ${letter.closed_by}`, letter.close_reason ? `: ${letter.close_reason}` : "");
}

/** The view of one dead letter. */
export const one = {
  title: "Dead letter",
  filters: [],
  load: (id, _, signal) => read(`/api/dead-letters/${encodeURIComponent(id)}`, {}, signal),
  draw: drawOne,
};

function drawOne(letter) {
  const open = letter.state === "OPEN";
  return el(
    "div",
    {},
    el("h1", {}, `${letter.kind ?? letter.form} of ${letter.source} `, chip(letter.state, open ? "ill" : "")),
    el("p", { class: "chips" }, el("span", { class: "id" }, letter.id), whose(letter)),
    el("p", {}, chip(letter.reason, "code"), " ", letter.meaning ?? ""),
    letter.prospect_meaning ? el("p", {}, "A redrive now: ", letter.prospect_meaning, ".") : null,
    open ? [buttons(letter), mayChange() ? null : command(letter.command)] : closed(letter),
    facts([
      ["died", when(letter.sent_at)],
      ["collected", when(letter.recorded_at)],
      ["run", letter.run_id ? link("run", letter.run_id, {}, "its story") : null],
      ["the run now", letter.run_state],
      ["message's step, generation", letter.step === null ? null : `${letter.step}, ${letter.generation}`],
      ["run's step, generation", letter.run_step === null ? null : `${letter.run_step}, ${letter.run_generation}`],
      ["outcome", letter.outcome],
      ["queue", letter.queue],
      ["died in", letter.from_queue],
      ["message's id", letter.message_id],
    ]),
    el("h2", {}, `Body, ${letter.body_bytes} bytes`),
    el("pre", { tabindex: 0, "aria-label": "Body" }, letter.body),
  );
}
