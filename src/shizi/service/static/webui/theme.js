// Light or dark: by the system, until somebody chooses; early.js applies the choice before anything is drawn.

import { find, icon } from "./elements.js";
import { t } from "./words.js";

const NAME = "shizi.theme";
const ICONS = { auto: "circle-half", light: "sun", dark: "moon-stars" };
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const system = matchMedia("(prefers-color-scheme: dark)");

function chosen() {
  try {
    return localStorage.getItem(NAME) ?? "auto";
  } catch {
    return document.documentElement.dataset.theme ?? "auto";
  }
}

function apply(choice) {
  const dark = choice === "dark" || (choice === "auto" && system.matches);
  document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
  document.documentElement.dataset.theme = choice;
  const label = `${t("theme")}: ${t(`theme.${choice}`)}`;
  find("theme").replaceChildren(icon(ICONS[choice]));
  find("theme").title = label;
  find("theme").setAttribute("aria-label", label);
}

export function setUpTheme() {
  apply(chosen());
  system.addEventListener("change", () => apply(chosen()));
  find("theme").addEventListener("click", () => {
    const choice = NEXT[chosen()];
    try {
      localStorage.setItem(NAME, choice);
    } catch {
      // kept on the page alone
    }
    apply(choice);
  });
}
