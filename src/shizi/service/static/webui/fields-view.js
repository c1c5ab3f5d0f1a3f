// Fields of a form: what an invoice says, each value beside the checks it passed or failed, to be corrected like a form.

import { icon, make } from "./elements.js";
import { has, percent, t } from "./words.js";

const WIDE = 16; // letters, Chinese ones counted double: what half the pane holds

// `told`: {outline(polygon or null, page), correct(field, row, before, after), copy(text)}.
export function showFields(pane, result, changed, asked, told) {
  if (!result.fields || !Object.keys(result.fields).length) {
    pane.replaceChildren(make("p", { class: "nothing", text: t(asked ? "no_fields" : "fields_off") }));
    return;
  }
  const singles = Object.entries(result.fields).filter(([, field]) => !field.rows);
  const lists = Object.entries(result.fields).filter(([, field]) => field.rows?.length);
  pane.replaceChildren(
    verdictOf(result.verdict),
    make("div", { class: "field-list" }, ...singles.map(([name, field]) => fieldOf(name, field, changed.get(`field:${name}:`), told))),
    ...lists.map(([name, field]) => listOf(name, field, changed, told)),
    ...(result.forms ?? []).slice(1).map((form, index) => furtherForm(form, index + 2)));
}

// A further form of the same document: its own values and verdict, to be read.
function furtherForm(form, number) {
  const singles = Object.entries(form.fields).filter(([, field]) => !field.rows);
  const row = ([name, field]) => make("tr", {}, make("th", { scope: "row", text: nameOf(name) }), make("td", { text: String(field.value ?? ""), lang: "zh" }));
  return make("section", { class: "mt-4" },
    make("h3", { class: "h6 px-3", text: t("further_form", { number, page: form.page }) }),
    verdictOf(form.verdict),
    make("table", { class: "table table-sm" }, make("tbody", {}, ...singles.map(row))));
}

function verdictOf(verdict) {
  if (!verdict) return null;
  const good = verdict.decision === "accept";
  const reasons = verdict.reasons.length ? [make("ul", {}, ...verdict.reasons.map((reason) => make("li", { text: reason })))] : [];
  return make("div", { class: good ? "verdict good" : "verdict review" },
    icon(good ? "shield-check" : "exclamation-triangle-fill"),
    make("div", {}, make("strong", { text: t(good ? "verdict.accept" : "verdict.review") }), make("p", { text: t(good ? "verdict.accept.what" : "verdict.review.what") }), ...reasons));
}

export const nameOf = (name) => (has(`field.${name}`) ? t(`field.${name}`) : name.replaceAll("_", " "));

function fieldOf(name, field, change, told) {
  const id = `field-${name}`;
  const shown = String(change?.after ?? field.value ?? "");
  const input = make("input", { id, class: "form-control form-control-sm", value: shown, autocomplete: "off", spellcheck: "false", lang: "zh", "aria-describedby": `${id}-checks` });
  hear(input, shown, field, told, (after) => told.correct(name, undefined, shown, after));
  const copy = make("button", { type: "button", class: "tool", title: t("copy_value"), "aria-label": `${t("copy_value")}: ${nameOf(name)}`, on: { click: () => told.copy(input.value) } }, icon("copy"));
  const facts = make("ul", { class: "checks", id: `${id}-checks` }, ...factsOf(field, change));
  const wide = [...shown].reduce((sum, letter) => sum + (letter > "\u2e80" ? 2 : 1), 0) > WIDE;
  return make("div", { class: `field${change ? " edited" : ""}${wide ? " wide" : ""}` }, make("label", { for: id, text: nameOf(name) }), make("div", { class: "field-value" }, input, copy), facts);
}

function hear(input, shown, field, told, correct) {
  const show = () => field.polygon && told.outline(field.polygon, field.page);
  input.addEventListener("focus", show);
  input.addEventListener("pointerenter", () => field.polygon && told.outline(field.polygon, field.page, true));
  input.addEventListener("blur", () => told.outline(null));
  input.addEventListener("pointerleave", () => document.activeElement !== input && told.outline(null));
  input.addEventListener("change", () => input.value.trim() !== shown && correct(input.value.trim()));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") input.value = shown;
    if (event.key === "Enter") input.blur();
  });
}

function factsOf(field, change) {
  if (change) return [make("li", { class: "was" }, make("span", { text: t("was") }), " ", make("del", { text: change.before }))];
  const facts = field.checks.map((check) => checkOf(check));
  if (field.repaired) facts.push(make("li", { class: "passed" }, icon("pencil"), make("span", { text: t("repaired", field.repaired) })));
  if (field.source !== "ocr" && has(`source.${field.source}`)) facts.push(make("li", { class: "passed" }, icon("shield-check"), make("span", { text: t(`source.${field.source}`) })));
  if (!facts.length) facts.push(make("li", { class: "quiet", text: `${t("unchecked")} · ${t("confidence")} ${percent(field.confidence)}` }));
  return facts;
}

function checkOf(check) {
  const key = `check.${check.name}${check.passed ? "" : ".failed"}`;
  const name = has(key) ? t(key) : check.name.replaceAll("_", " ");
  return make("li", { class: check.passed ? "passed" : "failed", title: check.detail },
    icon(check.passed ? "check-lg" : "x-lg"),
    make("span", { class: "visually-hidden", text: `${t(check.passed ? "passed" : "failed")}: ` }),
    make("span", { text: name }), ...(check.passed ? [] : [make("span", { class: "check-detail", text: check.detail })]));
}

function listOf(name, field, changed, told) {
  const columns = [...new Set(field.rows.flatMap((row) => Object.keys(row)))];
  const head = make("tr", {}, ...columns.map((column) => make("th", { scope: "col", text: nameOf(column) })));
  const body = field.rows.map((row, number) => make("tr", {}, ...columns.map((column) => partOf(name, column, number, row[column], changed, told))));
  const passed = field.checks.filter((check) => check.name !== "rows_complete").map(checkOf);
  return make("section", { class: "table-block" },
    make("header", {}, make("h3", { text: nameOf(name) })),
    make("div", { class: "table-scroll", tabindex: "0", role: "group", "aria-label": nameOf(name) },
      make("table", { class: "table table-sm read-table", lang: "zh" }, make("caption", { class: "visually-hidden", text: nameOf(name) }), make("thead", {}, head), make("tbody", {}, ...body))),
    make("ul", { class: "checks" }, ...passed));
}

function partOf(list, column, number, field, changed, told) {
  if (!field) return make("td");
  const change = changed.get(`field:${list}.${column}:${number}`);
  const shown = String(change?.after ?? field.value);
  const failed = field.checks.filter((check) => !check.passed);
  const input = make("input", { class: "cell-input", value: shown, size: String(Math.max(4, Math.min(24, [...shown].length + 2))), "aria-label": `${nameOf(column)} ${number + 1}`, autocomplete: "off" });
  hear(input, shown, field, told, (after) => told.correct(`${list}.${column}`, number, shown, after));
  const marks = failed.length && !change ? [make("ul", { class: "checks" }, ...failed.map(checkOf))] : [];
  const was = change ? [make("del", { class: "was", text: change.before })] : [];
  return make("td", { class: failed.length && !change ? "doubtful" : "" }, input, ...marks, ...was);
}
