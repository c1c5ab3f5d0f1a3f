// The public HTTP API (docs/http.md), as this page calls it. Whatever goes wrong becomes one of two errors:
// Refused (the service said no, with its code) or Unreachable (nobody answered).

import { facts } from "./facts.js";
import { headers } from "./keys.js";

export class Refused extends Error {
  constructor(code, detail, status, retrySeconds) {
    super(detail);
    Object.assign(this, { code, detail, status, retrySeconds });
  }
}

export class Unreachable extends Error {}

async function request(address, { signal, ...rest } = {}) {
  let response;
  try {
    response = await fetch(address, { ...rest, signal, headers: { ...headers(), ...rest.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable(error.message);
  }
  if (response.ok) return response;
  throw await refusal(response);
}

async function refusal(response) {
  const retry = Number(response.headers.get("Retry-After")) || 0;
  const answer = await response.json().catch(() => ({}));
  // What stands in front of the service may answer in its own words: 413 and 502 of a proxy have no code.
  const code = answer.code ?? { 413: "too_large", 429: "busy", 502: "stopping", 503: "stopping", 504: "deadline" }[response.status] ?? "internal";
  return new Refused(code, answer.error ?? `HTTP ${response.status}`, response.status, retry);
}

// The bytes must have come too: a connection that breaks in the middle is nobody's answer.
async function whole(reading) {
  try {
    return await reading;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable(error.message);
  }
}

function form(file, values) {
  const body = new FormData();
  for (const [name, value] of Object.entries(values)) if (value !== "" && value !== undefined) body.append(name, value);
  if (file) body.append("file", file, file.name || "picture");
  return body;
}

export async function predict(file, options, signal) {
  const response = await request(facts.predict, { method: "POST", body: form(file, options), signal });
  return whole(response.json());
}

// One page as a picture, and how many pages the file has.
export async function picture(file, values, signal) {
  const response = await request(facts.picture, { method: "POST", body: form(file, values), signal });
  return { blob: await whole(response.blob()), pages: Number(response.headers.get("X-Page-Count")) };
}

export async function exported(file, read, values, signal) {
  const body = form(file, values);
  body.append("document", new Blob([JSON.stringify(read)], { type: "application/json" }), "document.json");
  const response = await request(facts.export, { method: "POST", body, signal });
  return whole(response.blob());
}

// A line with its right text: `picture` is {image: the page's file} or {line: its piece}.
export async function corrected(picture, values) {
  const body = form(null, values);
  for (const [name, blob] of Object.entries(picture)) body.append(name, blob, `${name}.png`);
  await request(facts.corrections, { method: "POST", body });
}

export async function submitJob(file, options, repeat, signal) {
  const sent = { method: "POST", body: form(file, options), signal, headers: { "Idempotency-Key": repeat } };
  return whole((await request(facts.jobs, sent)).json());
}

export async function jobState(job, signal) {
  return whole((await request(`${facts.jobs}/${job}`, { signal })).json());
}

export async function jobResult(job, signal) {
  return whole((await request(`${facts.jobs}/${job}/result?format=json&partial=true`, { signal })).json());
}

export async function forgetJob(job) {
  await request(`${facts.jobs}/${job}`, { method: "DELETE", keepalive: true });
}

export async function alive() {
  try {
    return (await fetch(facts.health, { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}
