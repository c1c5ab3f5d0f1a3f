// Runs before anything is drawn: the theme chosen last, so that a dark page does not flash white.
(() => {
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("shizi.theme") ?? "auto";
  } catch {
    // storage is closed to this page: follow the system
  }
  const dark = chosen === "dark" || (chosen === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
})();
