// Accounts with their lanes, and how fresh what they have is.

import { changeButton } from "./change.js";
import { chip, el, link, nothing, table, when, whose } from "./dom.js";
import { read } from "./server.js";

export const title = "Accounts";
export const filters = ["marketplace", "seller", "account"];
export const load = (_, query, signal) => read("/api/accounts", query, signal);

const COLUMNS = ["Account", "Status", "Lane", "Live runs", "Oldest that waits", "Last read to the end", ""];

export function draw(data, query) {
  const heading = el("h1", {}, "Accounts");
  if (data.lanes.length === 0) return el("div", {}, heading, nothing("No account is like that."));
  const worst = [...data.lanes].sort((one, other) => trouble(other) - trouble(one));
  const more = data.next ? link("accounts", null, { ...query, after: data.next }, "More accounts") : null;
  return el("div", {}, heading, table("What needs a look stands first.", COLUMNS, worst.map(row)), more);
}

/** How much an account needs a look. */
function trouble(lane) {
  const late = lane.reads.some((read) => read.late);
  return (
    (late ? 4 : 0) +
    (lane.status === "ACTIVE" && lane.lane_state !== "ACTIVE" ? 2 : 0) +
    (lane.status === "ACTIVE" && !lane.is_held ? 0 : 1)
  );
}

function row(lane) {
  return [
    [whose(lane), el("span", { class: "whose" }, lane.marketplace)],
    [
      chip(lane.status, lane.status === "ACTIVE" ? "well" : "look"),
      " for ",
      when(lane.status_since),
      lane.is_held ? [" ", chip("PAUSED BY OPERATORS", "held")] : "",
    ],
    laneState(lane),
    link("runs", null, { account: lane.account_id }, String(lane.live_runs)),
    when(lane.oldest_waiting),
    freshness(lane),
    changeButton(lane.is_held ? "resume" : "hold", lane.is_held ? "Resume…" : "Pause…", { account: lane.account_id }) ??
      "",
  ];
}

function laneState(lane) {
  const well = lane.lane_state === "ACTIVE" && lane.has_queue;
  const wanted = lane.status === "ACTIVE";
  return [
    chip(lane.lane_state, well ? "well" : wanted ? "ill" : ""),
    ` ${lane.lane_kind}`,
    lane.is_moving ? " soon" : "",
    lane.has_queue ? "" : " no queue",
    el("span", { class: "whose" }, "checked ", when(lane.lane_checked_at)),
  ];
}

/** When each kind was last read to its end. */
export function freshness(lane) {
  if (lane.reads.length === 0) return el("span", { class: "none" }, "nothing is scheduled");
  const every = (read) => (read.every_minutes ? `, every ${read.every_minutes} min` : "");
  const item = (read) =>
    el(
      "li",
      { class: read.late ? "late" : null },
      `${read.kind} `,
      read.read_at ? when(read.read_at) : "never",
      every(read),
      read.late ? " – late" : "",
    );
  return el("ul", { class: "reads" }, lane.reads.map(item));
}
