// Changes: each is tried first, then given a reason, then confirmed. A console that only reads has no button for any of them.

import { el, table } from "./dom.js";
import { change, changeInParts } from "./server.js";

const TITLES = { redrive: "Redrive dead letters", discard: "Discard dead letters", hold: "Pause", resume: "Resume" };
const VERBS = { redrive: "Redrive", discard: "Discard", hold: "Pause", resume: "Resume" };
const IN_PARTS = ["redrive", "discard"];

let may = false;
let changed = () => {};

/** Says whether the page may change anything, and what to do after a change. */
export function allow(allowed, after) {
  may = allowed;
  changed = after;
}

/** Whether the page may change anything. */
export function mayChange() {
  return may;
}

/** A button that begins a change; none when the page only reads. */
export function changeButton(name, label, request) {
  if (!may) return null;
  const key = `${name} ${JSON.stringify(request)}`;
  const kind = name === "redrive" || name === "resume" ? "act" : "act danger";
  return el(
    "button",
    { type: "button", class: kind, "data-key": key, onclick: () => begin(name, label, request) },
    label,
  );
}

async function begin(name, label, request) {
  const dialog = document.getElementById("change");
  const body = el("div", {}, el("p", { role: "status" }, "Looking what it would do…"));
  const close = el("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  dialog.replaceChildren(
    el("h2", { id: "change-title" }, TITLES[name]),
    chosen(request),
    body,
    el("div", { class: "ends" }, close),
  );
  dialog.showModal();
  close.focus();
  try {
    const would = await change(name, { ...request, reason: "", dry_run: true });
    body.replaceChildren(...ask(close, body, name, request, would));
  } catch (error) {
    body.replaceChildren(failed(error));
  }
}

/** What the change is about, field by field. */
function chosen(request) {
  const fields = Object.entries(request).filter(([, value]) => value && value.length !== 0);
  const text = ([name, value]) => `${name.replaceAll("_", " ")} ${Array.isArray(value) ? value.join(", ") : value}`;
  return el("p", { class: "chosen" }, fields.length ? fields.map(text).join(" · ") : "all that are open");
}

function ask(close, body, name, request, would) {
  const inParts = IN_PARTS.includes(name);
  const shown = inParts
    ? table(
        "What it would do now",
        ["Dead letters", "What happens to them"],
        would.would.map((row) => [String(row.count), row.meaning]),
      )
    : el("p", {}, would.said);
  if (inParts ? would.count === 0 : would.report.changed !== true)
    return [inParts ? el("p", {}, "There is nothing to do.") : shown];
  const does = inParts ? `${VERBS[name]} ${would.count}` : VERBS[name];
  const go = el("button", { class: name === "discard" || name === "hold" ? "danger" : "main", disabled: true }, does);
  const read = el("input", {
    type: "checkbox",
    required: true,
    onchange: (event) => (go.disabled = !event.target.checked),
  });
  const reason = el("input", { name: "reason", required: true, maxlength: 500, autocomplete: "off" });
  const hint =
    name === "hold" || name === "resume"
      ? "Reason, for the record. The seller of an account sees it."
      : "Reason, for the record";
  const rate =
    name === "redrive" &&
    el(
      "label",
      {},
      "Messages per second",
      el("input", { name: "rate", type: "number", min: 0.1, max: 100, step: "any", value: 20 }),
    );
  const form = el(
    "form",
    {},
    el("label", {}, hint, reason),
    rate,
    el("label", { class: "check" }, read, "I have read what it would do."),
    el("div", { class: "ends" }, close, go),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const asked = { ...request, reason: reason.value };
    if (inParts) asked.at_most = would.count;
    if (name === "redrive") asked.rate = Number(form.elements.rate.value);
    make(close, body, name, asked);
  });
  queueMicrotask(() => reason.focus());
  return [shown, form];
}

async function make(close, body, name, asked) {
  const stopper = new AbortController();
  const log = el("ol", { class: "log", role: "log" });
  const stop = el("button", { type: "button", onclick: () => stopper.abort() }, "Stop after this part");
  const say = (text) => log.append(el("li", {}, text));
  body.replaceChildren(log, el("div", { class: "ends" }, IN_PARTS.includes(name) && stop, close));
  close.disabled = true;
  // While a change is at work, nothing closes the dialog unseen; whatever does ends the change after its part.
  const dialog = document.getElementById("change");
  const work = new AbortController();
  dialog.addEventListener("cancel", (event) => event.preventDefault(), { signal: work.signal });
  dialog.addEventListener("close", () => stopper.abort(), { signal: work.signal });
  try {
    if (IN_PARTS.includes(name)) await changeInParts(name, asked, (part) => say(part.said), stopper.signal);
    else say((await change(name, asked)).said);
    say("Done.");
  } catch (error) {
    if (error.name === "AbortError")
      say("Stopped. The part that was at work is finished by the function; nothing is lost.");
    else log.after(failed(error));
  }
  work.abort();
  stop.remove();
  close.disabled = false;
  close.textContent = "Close";
  close.focus();
  changed();
}

function failed(error) {
  return el(
    "p",
    { class: "trouble", role: "alert" },
    `It failed: ${error.message}. Next: ${error.next ?? "try again"}.`,
  );
}
