// A live line chart of the last minutes, drawn as SVG: one or two series, the newest value in figures above.

import { drawn, make } from "../elements.js";
import { t } from "../words.js";

const WIDTH = 320;
const HEIGHT = 88;
const TOP = 6;

// `series`: [{label, name}], `say(value)`: a value in words. Gives {root, push(values)}; null is a gap.
export function chart(title, series, say, most) {
  const figures = series.map(({ label }) => make("span", { class: "figure" }, make("b", { text: "–" }), label ? make("small", { text: ` ${label}` }) : null));
  const paths = series.map(({ name }) => ({ area: drawn("path", { class: `area ${name}` }), line: drawn("path", { class: `series ${name}` }) }));
  const ceiling = drawn("text", { x: WIDTH - 4, y: 14, class: "ceiling", "text-anchor": "end" });
  const picture = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    ...[0.25, 0.5, 0.75].map((share) => drawn("line", { class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT * share, y2: HEIGHT * share })),
    ...paths.flatMap(({ area, line }) => [area, line]));
  const label = make("span", { class: "ceiling" });
  const root = make("section", { class: "card-chart" }, make("h2", { text: title }), make("p", { class: "figures" }, ...figures), make("div", { class: "plot" }, picture, label));
  const kept = series.map(() => []);
  ceiling.remove();
  return {
    root,
    push(values) {
      values.forEach((value, at) => {
        kept[at].push(value);
        if (kept[at].length > most) kept[at].shift();
        figures[at].firstChild.textContent = value === null ? "–" : say(value);
      });
      const highest = Math.max(...kept.flat().filter((value) => value !== null), 0);
      const scale = nice(highest);
      const none = kept.every((values) => values.every((value) => value === null));
      label.textContent = none ? t("status.no_data") : highest ? say(scale) : "";
      paths.forEach(({ area, line }, at) => draw(area, line, kept[at], scale, most));
    },
  };
}

// The next 1, 2 or 5 of its size: so the scale jumps seldom.
function nice(value) {
  if (value <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * size).find((step) => step >= value);
}

function draw(area, line, values, scale, most) {
  const step = WIDTH / (most - 1);
  const start = most - values.length;
  const runs = [];
  values.forEach((value, at) => {
    if (value === null) return runs.push(null);
    const place = [((start + at) * step).toFixed(1), (HEIGHT - 2 - (value / scale) * (HEIGHT - 2 - TOP)).toFixed(1)];
    if (runs.at(-1)) runs.at(-1).push(place);
    else runs.push([place]);
  });
  const parts = runs.filter(Boolean).map((run) => (run.length === 1 ? [run[0], [Number(run[0][0]) + 1, run[0][1]]] : run));
  line.setAttribute("d", parts.map((run) => `M${run.map((place) => place.join(" ")).join("L")}`).join(""));
  area.setAttribute("d", parts.map((run) => `M${run[0][0]} ${HEIGHT}L${run.map((place) => place.join(" ")).join("L")}L${run.at(-1)[0]} ${HEIGHT}Z`).join(""));
}
