// Tables as tables: spans kept, doubtful and corrected cells marked, each cell shown on the picture.

import { tabbed, rowsOf } from "./documents.js";
import { icon, make } from "./elements.js";
import { percent, t } from "./words.js";

// `told`: {outline(polygon or null), copy(text), edit(line index)}. `read`: the page with its corrections.
export function showTables(pane, read, threshold, asked, told) {
  if (!read.tables.length) {
    pane.replaceChildren(make("p", { class: "nothing", text: t(asked ? "no_tables" : "tables_off") }));
    return;
  }
  pane.replaceChildren(...read.tables.map((table, number) => tableOf(table, number, threshold, told)));
}

function tableOf(table, number, threshold, told) {
  const label = t("table_number", { number: number + 1, rows: table.rows, columns: table.columns });
  const copy = make("button", { type: "button", class: "tool tool-text", on: { click: () => told.copy(tabbed(table)) } }, icon("copy"), make("span", { text: t("copy_table") }));
  const body = make("tbody");
  for (const row of rowsOf(table)) body.append(make("tr", {}, ...row.map((cell) => cellOf(cell, threshold, told))));
  const made = make("table", { class: "table table-bordered table-sm read-table", lang: "zh" }, make("caption", { class: "visually-hidden", text: label }), body);
  return make("section", { class: "table-block" },
    make("header", {}, make("h3", { text: label }), make("span", { class: "grow" }), copy),
    make("div", { class: "table-scroll", tabindex: "0", role: "group", "aria-label": label }, made));
}

function cellOf(cell, threshold, told) {
  const doubtful = cell.text && cell.confidence < threshold;
  const made = make("td", { class: doubtful ? "doubtful" : "", text: cell.text });
  if (cell.row_span > 1) made.rowSpan = cell.row_span;
  if (cell.column_span > 1) made.colSpan = cell.column_span;
  if (doubtful) {
    made.title = `${t("doubtful")}: ${percent(cell.confidence)}`;
    made.append(make("span", { class: "cell-doubt" }, icon("exclamation-triangle-fill"), make("span", { class: "visually-hidden", text: t("doubtful") })));
  }
  made.addEventListener("pointerenter", () => told.outline(cell.polygon));
  made.addEventListener("pointerleave", () => told.outline(null));
  made.addEventListener("click", () => told.reveal(cell.polygon));
  made.addEventListener("dblclick", () => cell.lines.length && told.edit(cell.lines[0]));
  return made;
}
