// Documents: what was read, as plain values. Pages read apart are joined here, corrections applied; nothing is drawn
// and nothing is asked of anyone.
//
// A correction is {page, line, before, after} (both indexes from 0) or {field, row, before, after}; they are kept in the
// order made, and the last `undone` of them are not in force.

export function fromAnswer(answer) {
  const { source = "", weights = [], pages, fields = null, verdict = null, forms = null } = answer;
  return { source, weights, pages, fields, verdict, ...(forms && { forms }) };
}

// Put pages that were read one by one behind each other. Forms stay apart: no value of one gets into another's fields.
export function joined(before, answer) {
  const next = fromAnswer(answer);
  if (!before) return next;
  const pages = [...before.pages, ...next.pages];
  const known = formsOf(before);
  const forms = [...known, ...formsOf(next).filter((form) => !goesOn(form, known.at(-1)))];
  if (forms.length > 1) return { ...before, pages, fields: forms[0].fields, verdict: ofSeveral(forms), forms };
  if (forms.length) return { ...before, pages, fields: forms[0].fields, verdict: forms[0].verdict };
  return { ...before, pages, fields: joinedPairs(before.fields, next.fields), verdict: joinedVerdict(before.verdict, next.verdict) };
}

// All forms of a document that are known: those are told by their type.
function formsOf({ fields, verdict, forms }) {
  if (forms) return forms;
  return fields?.invoice_type ? [{ page: fields.invoice_type.page, fields, verdict }] : [];
}

// A further page of the form before: without a title, and without another number.
function goesOn(form, before) {
  const untitled = form.fields.invoice_type?.checks.some((check) => check.name === "title" && !check.passed);
  const number = form.fields.invoice_number?.value ?? "";
  return Boolean(before && untitled && (!number || number === before.fields.invoice_number?.value));
}

function ofSeveral(forms) {
  const numbers = [...new Set(forms.map((form) => form.page))].join(", ");
  const told = `several_forms: ${forms.length} forms stand on page ${numbers}; these fields are the first one's, forms has all`;
  return { decision: "review", reasons: [...forms[0].verdict.reasons, told] };
}

function joinedPairs(one, other) {
  if (!one || !other) return one ?? other;
  const pairs = { ...one };
  for (const [name, field] of Object.entries(other)) pairs[name in pairs ? `${name} (page ${field.page})` : name] = field;
  return pairs;
}

function joinedVerdict(one, other) {
  if (!one || !other) return one ?? other;
  const decision = one.decision === "accept" ? other.decision : one.decision;
  return { decision, reasons: [...new Set([...one.reasons, ...other.reasons])] };
}

export function inForce(item) {
  return item.corrections.slice(0, item.corrections.length - item.undone);
}

// {"page:line" or "field:row" -> {before, after}}: the first text there was, and the last.
export function changes(item) {
  const found = new Map();
  for (const one of inForce(item)) {
    const key = keyOf(one);
    found.set(key, { before: found.get(key)?.before ?? one.before, after: one.after });
  }
  for (const [key, { before, after }] of found) if (before === after) found.delete(key); // led back to what was read
  return found;
}

export const keyOf = (one) => (one.field === undefined ? `${one.page}:${one.line}` : `field:${one.field}:${one.row ?? ""}`);

// The document with all corrections in it: what is copied and exported.
export function corrected(result, item) {
  if (!result || !inForce(item).length) return result;
  const changed = changes(item);
  const pages = result.pages.map((page, number) => correctedPage(page, number, changed));
  const fields = result.fields && correctedFields(result.fields, changed);
  const forms = result.forms && [{ ...result.forms[0], fields }, ...result.forms.slice(1)];
  return { ...result, pages, fields, ...(forms && { forms }) };
}

function correctedPage(page, number, changed) {
  const hits = page.lines.map((_, index) => changed.get(`${number}:${index}`));
  if (!hits.some(Boolean)) return page;
  const lines = page.lines.map((line, index) => (hits[index] ? correctedLine(line, hits[index].after) : line));
  const tables = page.tables.map((table) => ({
    ...table,
    cells: table.cells.map((cell) => correctedCell(cell, page.lines, hits)),
  }));
  const made = { ...page, lines, tables };
  return { ...made, text: pageText(made) };
}

// A person vouches for the line: it is sure, and one word, since where its new words stand nobody measured.
function correctedLine(line, text) {
  const words = text ? [{ text, confidence: 1, polygon: line.polygon }] : undefined;
  return { ...line, text, confidence: 1, words };
}

// A cell's text comes from its lines, whole or cut at a rule: what changed in the middle of the line is changed in it.
function correctedCell(cell, lines, hits) {
  let text = cell.text;
  for (const index of cell.lines) {
    if (!hits[index]) continue;
    const rows = text.split("\n");
    const own = lines[index].text;
    const [before, after] = rows.includes(own) ? [own, hits[index].after] : middle(own, hits[index].after);
    if (before && text.includes(before)) text = text.replace(before, () => after);
    else if (cell.lines.length === 1 && cell.text === own) text = hits[index].after;
  }
  return text === cell.text ? cell : { ...cell, text, confidence: 1 };
}

// Strip what two texts share at both ends.
function middle(before, after) {
  let start = 0;
  while (start < Math.min(before.length, after.length) && before[start] === after[start]) start++;
  let end = 0;
  while (end < Math.min(before.length, after.length) - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  if (start + end === before.length) start = Math.max(0, start - 1); // an insertion needs something to hold on to
  return [before.slice(start, before.length - end), after.slice(start, after.length - end)];
}

function correctedFields(fields, changed) {
  const made = {};
  for (const [name, field] of Object.entries(fields)) {
    const rows = field.rows?.map((row, number) =>
      Object.fromEntries(Object.entries(row).map(([part, value]) => [part, correctedField(value, changed.get(`field:${name}.${part}:${number}`))])));
    made[name] = correctedField(rows ? { ...field, rows, value: rows.map(values) } : field, changed.get(`field:${name}:`));
  }
  return made;
}

const values = (row) => Object.fromEntries(Object.entries(row).map(([part, field]) => [part, field.value]));

// The checks were made on what was read; of another value they say nothing.
function correctedField(field, hit) {
  return hit ? { ...field, value: hit.after, text: hit.after, confidence: 1, checks: [], repaired: undefined } : field;
}

// One line a row, a blank row between blocks: as the service writes it.
export function pageText(page) {
  if (!page.blocks.length) return page.lines.map((line) => line.text).join("\n");
  return page.blocks.map((block) => block.lines.map((index) => page.lines[index].text).join("\n")).join("\n\n");
}

export function textOf(read) {
  return read.pages.map((page) => page.text).join("\n\f");
}

// The characters of a line with their confidences; what stands between words has none.
export function characters(line) {
  const known = (line.words ?? []).flatMap((word) => word.chars ?? []);
  const found = [];
  let next = 0;
  let at = 0;
  while (at < line.text.length) {
    const char = known[next];
    if (char && char.text && line.text.startsWith(char.text, at)) {
      found.push({ text: char.text, confidence: char.confidence });
      at += char.text.length;
      next++;
    } else {
      const symbol = String.fromCodePoint(line.text.codePointAt(at));
      found.push({ text: symbol, confidence: null });
      at += symbol.length;
    }
  }
  return found;
}

export const isDoubtful = (line, threshold) => line.confidence < threshold && line.text.trim() !== "";

export function doubtfulIn(read, threshold) {
  return read.pages.reduce((sum, page) => sum + page.lines.filter((line) => isDoubtful(line, threshold)).length, 0);
}

export const linesIn = (read) => read.pages.reduce((sum, page) => sum + page.lines.length, 0);

// A table as rows of cells, each where it begins.
export function rowsOf(table) {
  const rows = Array.from({ length: table.rows }, () => []);
  for (const cell of table.cells) rows[cell.row]?.push(cell);
  rows.forEach((row) => row.sort((a, b) => a.column - b.column));
  return rows;
}

// Tab-separated, as spreadsheets take it from the clipboard; cells with tabs, quotes or line breaks are quoted.
export function tabbed(table) {
  const grid = Array.from({ length: table.rows }, () => Array(table.columns).fill(""));
  for (const cell of table.cells) grid[cell.row][cell.column] = cell.text;
  const quoted = (text) => (/[\t\n"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return grid.map((row) => row.map(quoted).join("\t")).join("\n");
}
