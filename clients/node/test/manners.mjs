/**
 * How the client lives with proxies, broken networks and services in trouble; prints one row a trial.
 *
 * The Python and Java clients have the same program; the project's tests hold the rows of all against one list.
 */
import { JobFailed, Refused, ShiziClient, ShiziError } from "shizi-client";

const { SHIZI_STUBBORN: stubborn, SHIZI_CODES: codes, SHIZI_CLOSED: closed } = process.env;
const none = { retries: { times: 0 } };
const x = new Uint8Array([120]);

async function trial(behaviour, ask, options = {}) {
  const shizi = new ShiziClient({ url: `${stubborn}/${behaviour}/`, key: "K", ...options });
  let outcome;
  try {
    outcome = await ask(shizi);
  } catch (error) {
    if (error instanceof Refused) {
      outcome = `${error.name} ${error.status} ${error.code}${error.retryAfter ? ` after ${error.retryAfter}` : ""}`;
    } else if (error instanceof JobFailed) outcome = `JobFailed ${error.job.errors[0].code}`;
    else if (error instanceof ShiziError) outcome = error.name;
    else throw error;
  }
  console.log(`${behaviour}: ${outcome}`);
}

const version = async (shizi) => (await shizi.health()).version;

async function everything(shizi) {
  const { pages, fields, verdict, stages, cache_age_seconds } = await shizi.read(x);
  const [page] = pages;
  const [line] = page.lines;
  const { total, items } = fields;
  return [
    ...[line.text, line.polygon[3][1], line.words[0].chars[1].text, line.vertical],
    ...[page.blocks[0].kind, page.tables[0].cells[0].column_span, page.dpi, page.rotation],
    ...[total.value, total.repaired.before, total.checks[0].detail, items.rows[0].name.value],
    ...[verdict.decision, stages.detect, cache_age_seconds],
  ].join(" ");
}

async function echo(shizi) {
  const source = { name: '发票 "1".png', data: new Uint8Array(5) };
  return (await shizi.read(source, { mode: "fast", no_store: true, deadline_ms: 900, password: "密 码+&" })).text;
}

for (const pair of codes.split(" ")) await trial(`refuse/${pair.replace(":", "/")}`, version, none);
for (const behaviour of ["busy", "waits", "dated", "later", "lost", "bare", "gateway", "reset", "redirect"]) {
  await trial(behaviour, version);
}
for (const behaviour of ["notjson", "other", "future"]) await trial(behaviour, version);
await trial("closed", version, { url: closed, ...none });
await trial("slow", version, { timeoutMs: 300 });
await trial("full", everything);
await trial("echo", echo);
await trial("twice", async (shizi) => (await shizi.submit([x])).id);
const terms = { webhook: "https://desk.example/told", idempotencyKey: "order-7" };
await trial("ordered", async (shizi) => (await shizi.submit([x], {}, terms)).id);
await trial("partial", async (shizi) => (await shizi.document("j1", { file: 1, partial: true })).text);
await trial("promoted", async (shizi) => (await shizi.promote('2026"')).serving);
await trial("unanswered", async (shizi) => (await shizi.rollback()).serving);
await trial("failed-job", async (shizi) => (await shizi.wait("j1", { timeoutMs: 300 })).state);
await trial("slow-job", async (shizi) => (await shizi.wait("j1", { timeoutMs: 300 })).state);
await trial("hostile", async (shizi) => (await shizi.export(x, "pdf")).name);
