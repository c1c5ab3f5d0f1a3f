// Thumbnails: small pictures for the list, decoded in a worker so that a hundred photos never hold the page up.

const worker = new Worker(new URL("thumbnail-worker.js", import.meta.url));
const asked = new Map();
let next = 0;

worker.addEventListener("message", ({ data: { number, blob } }) => {
  asked.get(number)?.(blob);
  asked.delete(number);
});

// Gives null for what the browser cannot decode.
export function thumbnailOf(file) {
  const number = next++;
  return new Promise((resolve) => {
    asked.set(number, resolve);
    worker.postMessage({ number, file });
  });
}
