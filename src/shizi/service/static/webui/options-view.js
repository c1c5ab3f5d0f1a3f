// Options: how the files added from now on are read, in plain words; remembered on this device.

import { find, openDialog } from "./elements.js";
import * as items from "./items.js";
import { notice } from "./notices.js";
import * as queue from "./queue.js";
import * as store from "./store.js";
import { t } from "./words.js";

const NAME = "shizi.options";
// Tables and fields are looked for unless somebody says no: whoever opens this page wants to see what can be had.
const HERE = { tables: "auto", fields: "auto" };

export function chosen() {
  return Object.fromEntries([...new FormData(find("options"))].filter(([, value]) => typeof value === "string"));
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(NAME)) ?? {};
  } catch {
    return {};
  }
}

export function setUpOptions() {
  const form = find("options");
  for (const [name, value] of Object.entries({ ...HERE, ...remembered() })) {
    const radios = form.elements[name];
    if (radios && [...radios].some((radio) => radio.value === value)) radios.value = value;
  }
  form.addEventListener("change", () => {
    try {
      localStorage.setItem(NAME, JSON.stringify(chosen()));
    } catch {
      // they hold until the page is left
    }
  });
  find("options-open").addEventListener("click", () => {
    find("read-again").disabled = !items.current();
    openDialog(find("options-dialog"));
  });
  find("read-again").addEventListener("click", () => {
    const item = items.current();
    if (item.corrections.length && !confirm(t("loses_corrections"))) return;
    find("options-dialog").close();
    queue.again(item, { ...chosen(), ...(item.options.password ? { password: item.options.password } : {}) });
  });
  find("keep").checked = store.keeps();
  find("keep").addEventListener("change", async () => {
    await store.setKeeping(find("keep").checked, find("keep").checked ? await items.everything() : []);
    notice(t(find("keep").checked ? "keeping_on" : "keeping_off"));
  });
}
