// How each marketplace is doing, and who keeps it busy.

import { changeButton } from "./change.js";
import { chip, el, facts, link, rich, table, when, whose } from "./dom.js";
import { read } from "./server.js";

export const title = "Marketplaces";
export const filters = [];
export const load = (_, __, signal) => read("/api/marketplaces", {}, signal);

const WORDS = { well: "well", look: "look at it", ill: "not well", held: "paused" };

export function draw(data) {
  return el(
    "div",
    {},
    el("h1", {}, "Marketplaces"),
    el("div", { class: "grid" }, data.marketplaces.map(card)),
    busiest(data),
  );
}

function card(marketplace) {
  const { marketplace: code, health, held_at: held } = marketplace;
  const button = held
    ? changeButton("resume", `Resume ${code}…`, { marketplace: code })
    : changeButton("hold", `Pause ${code}…`, { marketplace: code });
  return el(
    "article",
    { class: `card health-${health.level}` },
    el("header", {}, el("h2", {}, code), chip(WORDS[health.level], health.level)),
    el("p", {}, health.text, held ? [" Since ", when(held), "."] : ""),
    facts([
      ["accounts", `${marketplace.active_accounts} active of ${marketplace.accounts}`],
      ["to reconnect", marketplace.accounts_to_reconnect || null],
      ["live runs", `${marketplace.running} at work, ${marketplace.queued} queued, ${marketplace.waiting} waiting`],
      [
        "failing",
        marketplace.runs_with_error ? `${marketplace.runs_with_error}, mostly ${marketplace.commonest_error}` : null,
      ],
      [
        "of the last hour",
        `${marketplace.made} made, ${marketplace.succeeded} succeeded, ${marketplace.failed} failed`,
      ],
      ["oldest that waits", oldest(marketplace.oldest_waiting)],
      [
        "dead letters",
        marketplace.dead_letters
          ? link("letters", null, { marketplace: code }, String(marketplace.dead_letters))
          : "none",
      ],
      ["log", rich(marketplace.log)],
    ]),
    el(
      "div",
      { class: "acts" },
      link("stuck", null, { marketplace: code }, "what is stuck"),
      link("accounts", null, { marketplace: code }, "accounts"),
      link("runs", null, { marketplace: code, status: "FAILED" }, "failed runs"),
      button,
    ),
  );
}

function oldest(run) {
  if (!run) return "none";
  return [
    when(run.since),
    " ",
    link("run", run.run_id, {}, `${run.kind}`),
    run.error_code ? ` after ${run.error_code}` : "",
  ];
}

function busiest(data) {
  if (data.busiest.length === 0) return null;
  const rows = data.busiest.map((busy) => [
    [whose(busy), busy.floods ? chip("this seller floods", "ill") : ""],
    busy.marketplace,
    `${busy.live_runs} of ${data.live_runs}${busy.of_files ? `, ${busy.of_files} of files` : ""}`,
    String(busy.live_runs_of_seller),
    when(busy.oldest_waiting),
    changeButton("hold", "Pause…", { account: busy.account_id }) ?? "",
  ]);
  const columns = ["Account", "Marketplace", "Live runs", "Of its seller", "Oldest that waits", ""];
  return el(
    "section",
    {},
    el("h2", {}, "Busiest accounts"),
    table(
      "The busiest seller stands first. Pausing an account harms no other; staff can suspend a seller.",
      columns,
      rows,
    ),
  );
}
