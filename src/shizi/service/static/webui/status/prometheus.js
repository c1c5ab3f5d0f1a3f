// Prometheus's text format (version 0.0.4) as samples, and what can be reckoned from two looks at them.

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

// Gives [{name, labels, value}].
export function parse(text) {
  const samples = [];
  for (const row of text.split("\n")) {
    const found = row.startsWith("#") ? null : SAMPLE.exec(row);
    if (!found) continue;
    const labels = Object.fromEntries([...(found[2] ?? "").matchAll(LABEL)].map(([, name, value]) => [name, value]));
    samples.push({ name: found[1], labels, value: found[3] === "+Inf" ? Infinity : Number(found[3]) });
  }
  return samples;
}

export function sum(samples, name, wanted = () => true) {
  return samples.reduce((total, sample) => (sample.name === name && wanted(sample.labels) ? total + sample.value : total), 0);
}

export function by(samples, name, label) {
  const found = new Map();
  for (const sample of samples) if (sample.name === name) found.set(sample.labels[label], (found.get(sample.labels[label]) ?? 0) + sample.value);
  return found;
}

// The value below which a share of a histogram's new observations lie, as Prometheus's histogram_quantile reckons it;
// null where there are none.
export function quantile(share, before, now, name, wanted) {
  const buckets = (samples) => {
    const found = new Map();
    for (const sample of samples) {
      if (sample.name !== `${name}_bucket` || !wanted(sample.labels)) continue;
      const limit = sample.labels.le === "+Inf" ? Infinity : Number(sample.labels.le);
      found.set(limit, (found.get(limit) ?? 0) + sample.value);
    }
    return found;
  };
  const old = buckets(before);
  const counts = [...buckets(now)].map(([limit, value]) => [limit, value - (old.get(limit) ?? 0)]).sort((a, b) => a[0] - b[0]);
  const total = counts.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  let below = 0;
  let start = 0;
  for (const [limit, many] of counts) {
    if (many >= share * total) return limit === Infinity ? start : start + ((limit - start) * (share * total - below)) / Math.max(1e-9, many - below);
    below = many;
    start = limit;
  }
  return start;
}
