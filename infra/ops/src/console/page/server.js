// Calls of the console's own server. The token comes in the printed URL's fragment and stays in this tab.

const KEY = "robnu-console-token";

/** Something went wrong: what it is, and what to do next. */
export class Trouble extends Error {
  constructor(what, next) {
    super(what);
    this.next = next;
  }
}

/** Takes the token out of the address, if it is there, so that it is neither bookmarked nor seen on the screen. */
export function takeToken() {
  const found = /^#token=([\w-]+)$/.exec(location.hash);
  if (found) {
    sessionStorage.setItem(KEY, found[1]);
    history.replaceState(null, "", "/#/stuck");
  }
  return Boolean(found);
}

/** Reads something; fields of `query` without a value are left out. */
export async function read(path, query = {}, signal = undefined) {
  const given = Object.entries(query).filter(([, value]) => value);
  const response = await call(`${path}?${new URLSearchParams(given)}`, { signal });
  return response.json();
}

/** Changes something, or tries it with `dry_run`. */
export async function change(name, body) {
  const response = await post(name, body);
  return response.json();
}

/** Changes something part by part, and calls `told` after each part. Stops with the signal after the part that is at work. */
export async function changeInParts(name, body, told, signal) {
  const response = await post(name, body, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const part = JSON.parse(line);
      if (part.error) throw new Trouble(part.error.what, part.error.next);
      told(part);
    }
  }
}

function post(name, body, signal = undefined) {
  const headers = { "content-type": "application/json" };
  return call(`/api/${name}`, { method: "POST", headers, body: JSON.stringify(body), signal });
}

async function call(path, options) {
  const headers = { ...options.headers, authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}` };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble(
      "the console does not respond",
      "is `cargo xtask ops console` still running? Start it again, and open its new URL",
    );
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  throw new Trouble(said.error?.what ?? `the console answered ${response.status}`, said.error?.next ?? "try again");
}
