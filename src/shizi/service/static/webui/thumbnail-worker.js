// Decodes pictures one at a time and gives each back small.

const SIDE = 128;
let last = Promise.resolve();

self.addEventListener("message", ({ data: { number, file } }) => {
  last = last.then(async () => self.postMessage({ number, blob: await small(file).catch(() => null) }));
});

async function small(file) {
  const whole = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(whole.width, whole.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(whole.width * scale)), Math.max(1, Math.round(whole.height * scale)));
  const brush = canvas.getContext("2d");
  brush.fillStyle = "#fff";
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.imageSmoothingQuality = "high";
  brush.drawImage(whole, 0, 0, canvas.width, canvas.height);
  whole.close();
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
}
