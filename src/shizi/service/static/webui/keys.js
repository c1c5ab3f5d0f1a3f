// The API key: kept for this tab alone (sessionStorage), sent with every request, asked for when one is refused.

import { find, openDialog } from "./elements.js";
import { t } from "./words.js";

const NAME = "shizi.key";
let key = stored();
const waiting = [];

function stored() {
  try {
    return sessionStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}

export const headers = () => (key ? { Authorization: `Bearer ${key}` } : {});

// Ask for a key; `changed` is called whenever one was given.
export function askForKey(reason = "") {
  find("key-hint").textContent = reason || t("key_hint");
  find("key").value = key;
  if (!find("key-dialog").open) openDialog(find("key-dialog"));
  find("key").focus();
}

export function onKey(heard) {
  waiting.push(heard);
}

function use(given) {
  key = given.trim();
  try {
    if (key) sessionStorage.setItem(NAME, key);
    else sessionStorage.removeItem(NAME);
  } catch {
    // storage is closed: the key lasts until the page is left
  }
  find("key-open").classList.toggle("on", Boolean(key));
  waiting.forEach((heard) => heard());
}

export function setUpKeys() {
  find("key-open").addEventListener("click", () => askForKey());
  find("key-open").classList.toggle("on", Boolean(key));
  find("key-form").addEventListener("submit", () => use(find("key").value));
  find("key-forget").addEventListener("click", () => {
    use("");
    find("key-dialog").close();
  });
}
