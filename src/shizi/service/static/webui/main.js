// The page put together: each part is set up once, then what was kept from before the reload is taken up again.

import { setUpAdding } from "./adding.js";
import { find, openDialog } from "./elements.js";
import { copyAll, setUpSaving } from "./exporting.js";
import * as items from "./items.js";
import { setUpKeys } from "./keys.js";
import { setUpOptions } from "./options-view.js";
import { setUpQueue } from "./queue.js";
import { setUpQueueView } from "./queue-view.js";
import { setUpResult, showTab } from "./result-view.js";
import { openStore } from "./store.js";
import { setUpTeaching } from "./teaching.js";
import { setUpTheme } from "./theme.js";
import { t } from "./words.js";

function setUpViews() {
  const buttons = document.querySelectorAll(".bottom button");
  const show = (name) => {
    document.body.dataset.view = name;
  };
  buttons.forEach((button) => button.addEventListener("click", () => show(button.dataset.show)));
  new MutationObserver(() => buttons.forEach((button) => {
    if (button.dataset.show === document.body.dataset.view) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  })).observe(document.body, { attributeFilter: ["data-view"] });
}

function setUpTabs() {
  const names = ["text", "tables", "fields"];
  names.forEach((name, at) => {
    find(`tab-${name}`).addEventListener("click", () => showTab(name));
    find(`tab-${name}`).addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = names[(at + step + names.length) % names.length];
      showTab(next);
      find(`tab-${next}`).focus();
    });
  });
}

function setUpTools() {
  find("copy").addEventListener("click", () => copyAll(items.current()));
  find("help-open").addEventListener("click", () => openDialog(find("help-dialog")));
  find("remove-all").addEventListener("click", () => {
    if (confirm(t("remove_all_sure"))) [...items.list()].forEach((item) => items.remove(item));
  });
}

setUpTheme();
setUpKeys();
setUpViews();
setUpTabs();
setUpTools();
setUpOptions();
setUpTeaching();
setUpSaving();
setUpAdding();
setUpQueueView();
setUpResult();
setUpQueue();
await openStore();
await items.load();
if (items.list().length && !items.current()) items.select(items.selectedBefore() ?? items.list()[0]);
document.body.dataset.ready = "yes";
