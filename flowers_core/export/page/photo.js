// A file, or a picture of the camera → pixels: upright, sRGB, over white, bounded.

const LONGEST = 2048; // a larger photo is scaled down to this first, as the server does
const LEAST = 16;

/** What is wrong with a photo; the message is a sentence for the person who chose it. */
export class PhotoError extends Error {}

/**
 * @param {Blob | HTMLVideoElement} source
 * @returns {Promise<ImageData>} sRGB, no side above LONGEST.
 */
export async function pixelsOf(source) {
  const bitmap = await decoded(source);
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  if (Math.min(width, height) < LEAST) {
    throw new PhotoError("This photo is too small, or too narrow, to show a flower. Choose one closer to a square.");
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

async function decoded(source) {
  if (source instanceof Blob && source.size === 0) throw new PhotoError("This file is empty. Choose a photo.");
  try {
    return await createImageBitmap(source);
  } catch {
    throw new PhotoError("This file cannot be shown as a photo here. JPEG, PNG and WebP work in every browser.");
  }
}
