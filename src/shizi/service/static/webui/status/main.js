// The operator's page: what /metrics says, looked at every two seconds and drawn as charts; nothing is kept.

import { find, make } from "../elements.js";
import { facts } from "../facts.js";
import { askForKey, headers, onKey, setUpKeys } from "../keys.js";
import { setUpTheme } from "../theme.js";
import { count, megabytes, percent, t } from "../words.js";
import { chart } from "./chart.js";
import { by, parse, quantile, sum } from "./prometheus.js";

const EVERY_MILLISECONDS = 2000;
const KEPT = 150; // five minutes
const WINDOW = 15; // rates are those of the last half minute: single requests would make them jump
const READING = new Set(["/ocr/predict", "/ocr/jobs", "/ocr/export", "/ocr/picture"]);
const reads = ({ route }) => READING.has(route) || route?.startsWith("/compat/");

const time = (seconds) => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : t("seconds", { seconds: seconds.toFixed(1) }));
const round = (value) => count(Math.round(value * 10) / 10);
const charts = {
  pages: chart(t("status.throughput"), [{ label: "", name: "one" }], round, KEPT),
  requests: chart(t("status.requests"), [{ label: "", name: "one" }], round, KEPT),
  latency: chart(t("status.latency"), [{ label: t("status.median"), name: "one" }, { label: t("status.p95"), name: "two" }], time, KEPT),
  queue: chart(t("status.queue"), [{ label: t("status.waiting"), name: "one" }, { label: t("status.running"), name: "two" }], round, KEPT),
  cache: chart(t("status.cache"), [{ label: "", name: "one" }], percent, KEPT),
  memory: chart(t("status.memory"), [{ label: t("status.service"), name: "one" }, { label: t("status.engines"), name: "two" }], (bytes) => `${megabytes(bytes)} MB`, KEPT),
};
const looks = []; // {at, samples} of the window

async function look() {
  let response;
  try {
    response = await fetch(facts.metrics, { headers: headers(), cache: "no-store" });
  } catch {
    return tell("away", t("status.away"));
  }
  if (response.status === 401 || response.status === 403) {
    tell("away", t("status.key"));
    if (!asked) askForKey(t("status.key"));
    asked = true;
    return;
  }
  if (!response.ok) return tell("away", `${t("status.away")} (${response.status})`);
  show({ at: performance.now(), samples: parse(await response.text()) });
  tell("ready", t("status.ready"));
}

let asked = false;

function tell(kind, words) {
  const state = find("service-state");
  if (state.textContent !== words) state.textContent = words;
  state.dataset.state = kind;
}

function show(now) {
  looks.push(now);
  if (looks.length > WINDOW) looks.shift();
  const [before] = looks;
  const minutes = (now.at - before.at) / 60_000;
  const difference = (name, wanted) => sum(now.samples, name, wanted) - sum(before.samples, name, wanted);
  const rate = (name, wanted) => (minutes ? difference(name, wanted) / minutes : null);
  const resident = by(now.samples, "shizi_resident_bytes", "process");
  const own = resident.get("service") ?? 0;
  const hits = difference("shizi_cache_total", ({ result }) => result === "hit");
  const asks = difference("shizi_cache_total");
  charts.pages.push([rate("shizi_pages_total")]);
  charts.requests.push([rate("shizi_requests_total", reads)]);
  charts.latency.push([0.5, 0.95].map((share) => quantile(share, before.samples, now.samples, "shizi_request_seconds", reads)));
  // The look at /metrics is a running request itself.
  charts.queue.push([sum(now.samples, "shizi_queue_waiting"), Math.max(0, sum(now.samples, "shizi_requests_running") - 1)]);
  charts.cache.push([asks ? hits / asks : null]);
  charts.memory.push([own, [...resident.values()].reduce((total, size) => total + size, 0) - own]);
  showTotals(now.samples);
  showStages(now.samples);
  showRefusals(now.samples);
}

function showTotals(samples) {
  const totals = [["shizi_documents_total", "documents"], ["shizi_pages_total", "pages"], ["shizi_lines_total", "lines"], ["shizi_lines_reread_total", "reread"]]
    .map(([name, words]) => [sum(samples, name), words]);
  totals.push([sum(samples, "shizi_requests_total", reads), "answered"]);
  find("totals").replaceChildren(...totals.map(([value, words]) => make("li", {}, make("b", { text: count(value) }), ` ${t(`status.${words}`)}`)));
}

function showStages(samples) {
  const sums = by(samples, "shizi_stage_seconds_sum", "stage");
  const counts = by(samples, "shizi_stage_seconds_count", "stage");
  const means = [...sums].map(([stage, total]) => [stage, total / Math.max(1, counts.get(stage) ?? 1)]).sort((a, b) => b[1] - a[1]);
  bars(find("stages"), means, time, t("status.no_stages"));
}

function showRefusals(samples) {
  bars(find("refusals"), [...by(samples, "shizi_refusals_total", "code")].sort((a, b) => b[1] - a[1]), count, t("status.no_refusals"));
}

function bars(list, rows, say, none) {
  if (!rows.length) return list.replaceChildren(make("li", { class: "quiet", text: none }));
  const most = Math.max(...rows.map(([, value]) => value)) || 1;
  list.replaceChildren(...rows.map(([name, value]) => make("li", {}, make("span", { class: "bar-name", text: name }),
    make("meter", { class: "bar", min: "0", max: String(most), value: String(value), "aria-label": name }), make("span", { class: "bar-value", text: say(value) }))));
}

setUpTheme();
setUpKeys();
onKey(look);
find("charts").append(...Object.values(charts).map(({ root }) => root));
fetch(facts.ready).then((response) => response.json()).then((answer) => (find("models").textContent = (answer.weights ?? []).join(", "))).catch(() => {});
look();
setInterval(() => document.visibilityState === "visible" && look(), EVERY_MILLISECONDS);
