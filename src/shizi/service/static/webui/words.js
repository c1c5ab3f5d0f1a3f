// Words: what the page says, in the language the service chose; numbers and times as that language writes them.

const texts = JSON.parse(document.body.dataset.texts);
export const language = texts.html_language;

// t("tally", {done: 3, all: 12}); a key that is missing shows itself, so that tests see it.
export function t(key, values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const has = (key) => key in texts;

export function count(number) {
  return number.toLocaleString(language);
}

export function megabytes(bytes) {
  return (bytes / 1e6).toLocaleString(language, { maximumFractionDigits: 1 });
}

export function percent(share) {
  return `${Math.round(share * 100)}%`;
}

export function seconds(milliseconds) {
  const digits = milliseconds < 9950 ? 1 : 0;
  const number = (milliseconds / 1000).toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return t("seconds", { seconds: number });
}
