// ZIP (APPNOTE 6.3.10): files become one archive, names in UTF-8, packed by the browser's own deflate where that helps.

const TABLE = Uint32Array.from({ length: 256 }, (_, number) => {
  for (let bit = 0; bit < 8; bit++) number = number & 1 ? (number >>> 1) ^ 0xedb88320 : number >>> 1;
  return number;
});
const UTF8 = 0x0800;
const DEFLATED = 8;
const VERSION = 20;

function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

async function deflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Numbers as ZIP has them: [bytes, value] pairs, least byte first.
function fields(pairs) {
  const made = new DataView(new ArrayBuffer(pairs.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of pairs) {
    if (size === 2) made.setUint16(at, value, true);
    else made.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(made.buffer);
}

function stamp(when) {
  const time = (when.getHours() << 11) | (when.getMinutes() << 5) | (when.getSeconds() >> 1);
  return [time, ((when.getFullYear() - 1980) << 9) | ((when.getMonth() + 1) << 5) | when.getDate()];
}

export class Zip {
  constructor(when = new Date()) {
    this.parts = [];
    this.entries = [];
    this.offset = 0;
    this.when = stamp(when);
  }

  // Archives beyond 4 GB would need ZIP64: what a browser holds in memory stays below.
  async add(name, blob) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const packed = await deflated(bytes);
    const small = packed.length < bytes.length;
    const data = small ? packed : bytes;
    const label = new TextEncoder().encode(name);
    const [time, date] = this.when;
    const shared = [[2, VERSION], [2, UTF8], [2, small ? DEFLATED : 0], [2, time], [2, date], [4, checksum(bytes)], [4, data.length], [4, bytes.length], [2, label.length], [2, 0]];
    const heading = fields([[4, 0x04034b50], ...shared]);
    this.entries.push(fields([[4, 0x02014b50], [2, VERSION], ...shared, [2, 0], [2, 0], [2, 0], [4, 0], [4, this.offset]]), label);
    this.parts.push(heading, label, data);
    this.offset += heading.length + label.length + data.length;
  }

  blob() {
    const size = this.entries.reduce((sum, part) => sum + part.length, 0);
    const number = this.entries.length / 2;
    const end = fields([[4, 0x06054b50], [2, 0], [2, 0], [2, number], [2, number], [4, size], [4, this.offset], [2, 0]]);
    return new Blob([...this.parts, ...this.entries, end], { type: "application/zip" });
  }
}
