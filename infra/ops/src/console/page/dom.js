// Elements of the page. Text is always set as text: ids, codes and bodies come from outside, and none of them may become markup.

/** An element with attributes (`on…` are listeners, null and false are left out) and children, of which strings become text. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** A text in which `…` is code. */
export function rich(text) {
  return text.split("`").map((part, index) => (index % 2 ? el("code", {}, part) : part));
}

/** A short label; `level` is its colour. */
export function chip(text, level = "") {
  return el("span", { class: `chip ${level}` }, text);
}

/** How long ago an instant was. It goes on by itself. */
export function when(instant) {
  if (!instant) return el("span", { class: "none" }, "–");
  const local = new Date(instant).toLocaleString();
  return el("time", { datetime: instant, title: local }, age(instant));
}

/** Brings the ages of all instants on the page up to date. */
export function tick() {
  for (const time of document.querySelectorAll("time")) {
    const now = age(time.dateTime);
    if (time.textContent !== now) time.textContent = now;
  }
}

function age(instant) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(instant)) / 1000));
  if (Number.isNaN(seconds)) return instant;
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** `1 run`, `2 runs`. */
export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** A link to a view, such as `link("run", id, {}, "story")`. */
export function link(view, argument, query, text, more = {}) {
  return el("a", { href: address(view, argument, query), ...more }, text);
}

/** The address of a view. */
export function address(view, argument, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value);
  const path = argument ? `#/${view}/${encodeURIComponent(argument)}` : `#/${view}`;
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

/** Whose something is: links to what else there is of the account and the seller. */
export function whose(thing) {
  return [
    thing.account_id &&
      el(
        "span",
        { class: "whose" },
        "account ",
        link("accounts", null, { account: thing.account_id }, thing.account_id, { class: "id" }),
      ),
    thing.seller_id &&
      el(
        "span",
        { class: "whose" },
        "seller ",
        link("stuck", null, { seller: thing.seller_id }, thing.seller_id, { class: "id" }),
      ),
  ];
}

/** A command to type, with a button that copies it. */
export function command(text) {
  if (!text) return null;
  const copy = async (event) => {
    await navigator.clipboard.writeText(text);
    event.target.textContent = "Copied";
  };
  return el(
    "div",
    { class: "command" },
    el("code", {}, text),
    el("button", { type: "button", onclick: copy, "aria-label": `Copy: ${text}` }, "Copy"),
  );
}

/** A table whose cells know their column, so that it can become a list on a narrow screen. Rows are arrays of cells. */
export function table(caption, columns, rows) {
  const head = el(
    "tr",
    {},
    columns.map((column) => el("th", { scope: "col" }, column)),
  );
  const line = (cells) =>
    el(
      "tr",
      {},
      cells.map((cell, index) => el("td", { "data-label": columns[index] }, el("div", {}, cell))),
    );
  return el("table", {}, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, rows.map(line)));
}

/** Names with values, without those that have none. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el(
    "dl",
    { class: "facts" },
    known.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

/** What stands in the place of an empty list. */
export function nothing(text) {
  return el("p", { class: "nothing" }, text);
}
