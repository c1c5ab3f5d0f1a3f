// Elements: the few ways this page makes and finds them. Text only ever goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

export const find = (id) => document.getElementById(id);

// make("button", {class: "tool", text: "…", on: {click}, attributes…}, ...children)
export function make(name, { class: className, text, on = {}, data = {}, ...attributes } = {}, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [event, heard] of Object.entries(on)) made.addEventListener(event, heard);
  Object.assign(made.dataset, data);
  for (const [key, value] of Object.entries(attributes)) setAttribute(made, key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) setAttribute(made, key, value);
  made.append(...children);
  return made;
}

export function icon(name, className = "icon") {
  return drawn("svg", { class: className, "aria-hidden": "true" }, drawn("use", { href: `#i-${name}` }));
}

export function iconButton(name, label, heard, className = "tool") {
  return make("button", { type: "button", class: className, title: label, "aria-label": label, on: { click: heard } }, icon(name));
}

function setAttribute(made, key, value) {
  if (value === true) made.setAttribute(key, "");
  else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
}

// Dialogs close by their cross, by Escape (the browser's own) and by a press beside them.
export function openDialog(dialog) {
  dialog.showModal();
  if (dialog.dataset.ready) return;
  dialog.dataset.ready = "yes";
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
}
