// Notices: short words that come and go, read aloud by screen readers; and the banner that stays while something is off.

import { find, icon, make } from "./elements.js";

const SHOWN_MILLISECONDS = 4500;

export function notice(text, { action, label, kind = "done" } = {}) {
  const shown = make("div", { class: `notice ${kind}` }, icon(kind === "done" ? "check-lg" : "exclamation-triangle-fill"), make("span", { text }));
  const leave = () => shown.remove();
  if (action) {
    const act = () => {
      leave();
      action();
    };
    shown.append(make("button", { type: "button", class: "btn btn-sm btn-quiet", text: label, on: { click: act } }));
  }
  find("notices").append(shown);
  setTimeout(leave, action ? 2 * SHOWN_MILLISECONDS : SHOWN_MILLISECONDS);
}

// Said at once to those who listen; whoever looks sees it where it happened.
export function alarm(text) {
  find("alerts").textContent = "";
  find("alerts").textContent = text;
}

export function banner(text) {
  find("banner").hidden = !text;
  if (text) find("banner").replaceChildren(icon("cloud-slash"), make("span", { text }));
}
