// The picture of a page, for the stage: the file itself where the browser shows it as the service read it, else the
// service's drawing of the page. The last few are kept.

import * as api from "./api.js";
import { make } from "./elements.js";
import * as items from "./items.js";
import { isShown } from "./reading.js";

const SIDE = 2400; // the longest side asked for; more would only cost memory and time
const SAME_SHAPE = 0.02;
const MOST_KEPT = 6;
const NEVER_DRAWN = new Set(["OFD", "XML"]); // formats whose text has no picture
const addresses = new Map(); // key -> address of a blob

function kept(key, blob) {
  const address = URL.createObjectURL(blob);
  addresses.set(key, address);
  if (addresses.size > MOST_KEPT) {
    const [oldest] = addresses.keys();
    URL.revokeObjectURL(addresses.get(oldest));
    addresses.delete(oldest);
  }
  return address;
}

async function loaded(address) {
  const image = make("img", { src: address, alt: "" });
  await image.decode();
  return image;
}

// Gives {image, rotation, drawn}: `rotation` is what is still to be turned, `drawn` whether its letters are on it.
export async function pictureOf(item, result, page) {
  const file = await items.fileOf(item);
  const drawn = !NEVER_DRAWN.has(result?.source);
  if (!file) return { image: null, rotation: 0, drawn: false };
  if (isShown(item)) {
    const image = await ownPicture(item, file);
    if (image && (!page || sameShape(image, page))) return { image, rotation: page?.rotation ?? 0, drawn };
  }
  if (!page && item.pages === 0) return { image: null, rotation: 0, drawn };
  const values = { page: page?.number ?? 1, side: SIDE, rotation: page?.rotation ?? 0, password: item.options.password };
  const key = `${item.id}:${item.tries}:${values.page}:${values.rotation}`;
  const address = addresses.get(key) ?? kept(key, (await api.picture(file, values)).blob);
  return { image: await loaded(address), rotation: 0, drawn };
}

async function ownPicture(item, file) {
  try {
    return await loaded(addresses.get(item.id) ?? kept(item.id, file));
  } catch {
    return null; // not what its name says, or a kind this browser does not know
  }
}

// Browsers and the service agree on how a photo lies; where they did not, frames would stand beside their lines.
function sameShape(image, page) {
  const turned = page.rotation % 180 !== 0;
  const [width, height] = turned ? [image.naturalHeight, image.naturalWidth] : [image.naturalWidth, image.naturalHeight];
  return Math.abs(width / height / (page.width / page.height) - 1) < SAME_SHAPE;
}
