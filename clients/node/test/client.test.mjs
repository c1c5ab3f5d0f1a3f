/** What needs no service but one of a few lines: batches that end early, calls that are called off, files that are saved. */
import assert from "node:assert/strict";
import { mkdtemp, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { KeyRefused, ShiziClient } from "shizi-client";

const READING = { success: true, text: "价", pages: [] };
const x = new Uint8Array([120]);
let answer, asked, open, server, shizi, url;
let trial = 0;

before(async () => {
  server = createServer((request, response) => {
    if (!request.url.startsWith(`/${trial}/`)) return response.destroy(); // a late one of the test before
    asked++;
    open++;
    return request.resume().on("end", () => answer(response));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
});

beforeEach(() => {
  asked = open = 0;
  url = `http://127.0.0.1:${server.address().port}/${++trial}`;
  shizi = new ShiziClient({ url, retries: { times: 0 } });
  answer = (response) => send(response, 200, READING);
});

after(() => {
  server.close();
  server.closeAllConnections();
});

function send(response, status, values) {
  open--;
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(values));
}

function* endless(taken) {
  for (let number = 0; ; number++) {
    taken.push(number);
    yield x;
  }
}

test("a batch takes its files as needed, and leaving it ends it", async () => {
  const taken = [];
  for await (const entry of shizi.readBatch(endless(taken), {}, { atOnce: 2 })) {
    assert.equal(entry.reading.text, "价");
    if (entry.index === 3) break;
  }
  assert.ok(taken.length <= 8, `${taken.length} were taken`);
});

test("no more than asked for are under way", async () => {
  let most = 0;
  answer = (response) => {
    most = Math.max(most, open);
    setTimeout(() => send(response, 200, READING), 5);
  };
  for await (const entry of shizi.readBatch([x, x, x, x, x, x, x], {}, { atOnce: 3 })) assert.ok(entry.reading);
  assert.ok(most <= 3, `${most} at once`);
  assert.equal(asked, 7);
});

test("what every file would meet ends the batch", async () => {
  answer = (response) => send(response, 403, { success: false, error: "No.", code: "key_refused", request_id: "r" });
  await assert.rejects(async () => {
    for await (const entry of shizi.readBatch([x, x, x])) assert.fail(`an entry: ${entry.index}`);
  }, KeyRefused);
});

test("a file that is not there is an entry, and an error of a single call", async () => {
  const entries = [];
  for await (const entry of shizi.readBatch(["/no/such/file.png", x])) entries.push(entry);
  assert.deepEqual(entries.map((entry) => [entry.error?.code, entry.reading?.text]), [["ENOENT", undefined], [undefined, "价"]]);
  await assert.rejects(shizi.read("/no/such/file.png"), { code: "ENOENT" });
});

test("a signal calls off what waits for an answer, and what waits to ask again", async () => {
  answer = () => undefined;
  const reason = new Error("enough");
  await assert.rejects(called(shizi.read.bind(shizi, x, {}), reason), reason);
  answer = (response) => {
    response.setHeader("Retry-After", "30");
    send(response, 429, { success: false, error: "No.", code: "busy", request_id: "r" });
  };
  const patient = new ShiziClient({ url });
  await assert.rejects(called(patient.read.bind(patient, x, {}), reason), reason);
  assert.equal(asked, 2);
});

/** Ask, and call it off once the service was asked. */
function called(ask, reason) {
  const controller = new AbortController();
  const before = asked;
  const look = setInterval(() => {
    if (asked > before) {
      clearInterval(look);
      controller.abort(reason);
    }
  }, 5);
  return ask({ signal: controller.signal });
}

test("what cannot work is said at once", async () => {
  assert.throws(() => new ShiziClient({ url: "127.0.0.1:5000" }), /expected the address/);
  await assert.rejects(shizi.readBatch([x], {}, { atOnce: 0 }).next(), RangeError);
});

test("a file is saved under its own name in a folder, or as told", async () => {
  answer = (response) => {
    response.writeHead(200, { "Content-Type": "text/markdown; charset=utf-8" }).end("# 价");
  };
  const file = await shizi.export(x, "markdown");
  const folder = await mkdtemp(join(tmpdir(), "shizi-"));
  assert.equal(await file.save(folder), join(folder, "result.md"));
  assert.equal(await file.save(join(folder, "a.md")), join(folder, "a.md"));
  assert.equal(await readFile(join(folder, "a.md"), "utf8"), "# 价");
});
