// Teaching: corrected lines go to the service's store, for its recogniser to learn from, where its operator keeps such and
// the person at the page has not switched it off. A correction rests a while first, so that what is undone at once was
// never sent; what is undone later is sent again as it was read, which takes the other's place.

import { corrected as keepLine } from "./api.js";
import { find } from "./elements.js";
import { facts } from "./facts.js";
import * as items from "./items.js";

const REST_MILLISECONDS = 6000;
const CHOICE = "shizi.teach";
const resting = new Map(); // "item:page:line" -> timer
const sent = new Set();

export function teaches() {
  if (!facts.corrections) return false;
  try {
    return localStorage.getItem(CHOICE) !== "no";
  } catch {
    return false;
  }
}

export function setUpTeaching() {
  find("teaching").hidden = !facts.corrections;
  find("teach").checked = teaches();
  find("teach").addEventListener("change", () => {
    try {
      localStorage.setItem(CHOICE, find("teach").checked ? "yes" : "no");
    } catch {
      // without storage nothing is sent
    }
  });
}

// `line` as it was read, `text` as it says now, `piece` its piece of the picture (a canvas, or null).
export function teach(item, page, number, line, text, piece) {
  if (!teaches() || !line) return;
  const key = `${item.id}:${page.number}:${number}`;
  clearTimeout(resting.get(key));
  resting.delete(key);
  if (!text.trim() || (text === line.text && !sent.has(key))) return;
  resting.set(key, setTimeout(() => send(key, item, page, line, text, piece), REST_MILLISECONDS));
}

async function send(key, item, page, line, text, piece) {
  resting.delete(key);
  const values = { text, read: line.text, model: line.model };
  try {
    const file = await items.fileOf(item);
    if (file && file.size <= facts.maxBytes) {
      const place = { page: page.number, polygon: JSON.stringify(line.polygon), rotation: page.rotation, vertical: line.vertical };
      await keepLine({ image: file }, { ...values, ...place, password: item.options.password });
    } else if (piece) {
      const blob = await new Promise((resolve) => piece.toBlob(resolve, "image/png"));
      await keepLine({ line: blob }, { ...values, margins: true, vertical: line.vertical });
    }
    sent.add(key);
  } catch {
    // The correction is made and kept here; that the service did not learn of it is no trouble of the person's.
  }
}
