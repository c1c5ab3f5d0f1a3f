/**
 * A day in the life of a client, against a running service; prints one row a step.
 *
 * The Python and Java clients have the same program; the project's tests hold the rows of all against one list. The
 * service's reader is told by pictures what to do: one that says `hold` is held until `release` lies in the folder.
 */
import { readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { QuotaSpent, Refused, ShiziClient } from "shizi-client";

const { SHIZI_URL: url, SHIZI_KEY: key, SHIZI_LIMITED_KEY: limitedKey, SHIZI_FOLDER: folder } = process.env;
const bytes = (text) => new TextEncoder().encode(text);
const text = (data) => new TextDecoder().decode(data);
const shown = (error) => `${error.name} ${error.status}`;

async function refused(name, asked) {
  try {
    await asked;
    console.log(`${name}: not refused`);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.log(`${name}: ${shown(error)}`);
  }
}

await refused("no key", new ShiziClient({ url }).read(bytes("a picture")));
await refused("wrong key", new ShiziClient({ url, key: `shizi_00000000_${"x".repeat(43)}` }).read(bytes("a picture")));

const shizi = new ShiziClient({ url, key });
console.log(`health: ${(await shizi.health()).version}`);
console.log(`ready: ${(await shizi.ready()).weights.join(" ")}`);
const scan = join(folder, "scan.png");
const reading = await shizi.read(scan, { mode: "fast", pages: "1" });
const { lines } = reading.pages[0];
console.log(`read: ${lines[0].text}, ${lines.length} lines, ${reading.options.mode}`);
const invoice = await shizi.read(bytes("an invoice"), { fields: "auto" });
console.log(`fields: ${invoice.fields.total.value}, ${invoice.verdict.decision}`);
const file = await shizi.export(scan, "pdf");
console.log(`export: ${file.name} ${file.mediaType} ${text(file.data.subarray(0, 5))}`);

const pictures = (await readdir(join(folder, "batch"))).sort().map((name) => join(folder, "batch", name));
const entries = [];
for await (const entry of shizi.readBatch(pictures, { mode: "fast" }, { atOnce: 3 })) entries.push(entry);
const inOrder = entries.every((entry, place) => entry.index === place && entry.source === pictures[place]);
const bad = entries.filter((entry) => entry.error).map((entry) => `${basename(entry.source)} ${entry.error.name}`);
const read = entries.filter((entry) => entry.reading).length;
console.log(`batch: ${entries.length} entries, in order ${inOrder}, ${read} read, ${bad.join(", ")}`);

await refused("bad file", shizi.read(bytes("damaged")));
await refused("large", shizi.read(new Uint8Array(6_000_000)));
await refused("option", shizi.read(bytes("x"), { pages: "a" }));

const told = [];
const { id } = await shizi.submit([join(folder, "long.pdf")], { mode: "fast" });
const job = await shizi.wait(id, { onProgress: (state) => told.push(state), timeoutMs: 60_000 });
console.log(`job: ${job.state}, ${job.pages_read} of ${job.pages} pages, progress told ${told.pop() === job}`);
console.log(`document: ${(await shizi.document(id)).pages.length} pages`);
const pdf = await shizi.result(id, "pdf");
console.log(`job pdf: ${pdf.name} ${pdf.mediaType} ${text(pdf.data.subarray(0, 5))}`);
const named = Object.entries({ "a.bmp": "BM one", "b.bmp": "BM two", "c.bmp": "BM damaged" });
const several = await shizi.submit(named.map(([name, said]) => ({ name, data: bytes(said) })));
const { errors } = await shizi.wait(several.id, { timeoutMs: 60_000 });
const zip = await shizi.result(several.id, "text");
console.log(`several: ${zip.name} ${text(zip.data.subarray(0, 2))}, failed ${zip.failedPages.join(" ")}`);
console.log(`one of several: ${(await shizi.result(several.id, "text", { file: 1 })).name}, ${errors[0].code}`);
const idempotencyKey = `order-${process.pid}`;
const first = await shizi.submit([bytes("BM one")], {}, { idempotencyKey });
const again = await shizi.submit([bytes("BM one")], {}, { idempotencyKey });
console.log(`ordered twice: one job ${first.id === again.id}`);

const held = await shizi.submit([bytes("BM hold")]);
while ((await shizi.job(held.id)).state !== "running");
await refused("too early", shizi.document(held.id));
console.log(`cancelled: was ${(await shizi.delete(held.id)).was}`);
await writeFile(join(folder, "release"), "");
await refused("forgotten", shizi.job(held.id));
const { data, pages } = await shizi.picture(join(folder, "long.pdf"), 2, { side: 100 });
console.log(`picture: JPEG ${data[0] === 0xff && data[1] === 0xd8}, ${pages} pages`);
const corrected = await shizi.read(scan);
const [line] = corrected.pages[0].lines;
line.text = "识字 corrected";
const written = await shizi.write(corrected, "text", { name: "scan.png" });
console.log(`written: ${written.name} ${text(written.data).split("\n")[0]}`);
const drawn = await shizi.write(JSON.stringify(corrected), "pdf", { source: scan, name: "scan.png" });
console.log(`written on its source: ${drawn.name} ${text(drawn.data.subarray(0, 5))}`);
const { kept, longest_text } = await shizi.corrections();
console.log(`corrections: kept ${kept}, at most ${longest_text} characters`);
const taught = await shizi.correct(bytes("a line"), "识字", { read: "只字", model: "crnn" });
const placed = await shizi.correct(scan, "识字 corrected", { polygon: line.polygon, vertical: false });
console.log(`corrected: ${taught.outcome} ${taught.text}, ${placed.outcome} ${placed.text}`);
console.log(`old corrections: ${await shizi.purgeCorrections({ before: "2000-01-01" })}`);
console.log(`corrections deleted: ${await shizi.purgeCorrections({ sender: "desk" })}`);

const { serving, versions } = await shizi.models();
const { current, candidate } = versions[1].figures.corrections;
console.log(`models: ${serving}, ${versions.length} versions, ${current.exact} to ${candidate.exact}`);
const promoted = await shizi.promote(versions[1].name);
console.log(`promoted: ${promoted.serving === versions[1].name}, ${promoted.log.pop().how}`);
console.log(`rolled back: ${(await shizi.rollback()).serving}`);
console.log(`metrics: ${(await shizi.metrics()).includes("shizi_requests_total")}`);
console.log(`purged: ${(await shizi.purgeCache()) >= 0}`);

try {
  const hasty = new ShiziClient({ url, key: limitedKey, retries: { times: 0 } });
  for (;;) await hasty.read(bytes("a picture"));
} catch (error) {
  if (!(error instanceof QuotaSpent)) throw error;
  console.log(`limited: ${shown(error)}, told when ${error.retryAfter !== undefined}`);
}
const patient = await new ShiziClient({ url, key: limitedKey }).read(bytes("a picture"));
console.log(`patient: ${patient.pages[0].lines[0].text}`);
