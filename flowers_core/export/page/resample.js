// Pillow's antialiased bicubic resize of the middle square, in its own integer arithmetic: the same bytes as
// Image.resize(…, BICUBIC, box=…) gives, which is how the model's training photos were made.

const BITS = 22; // of the fraction in Pillow's coefficients for 8-bit photos

/**
 * The square that the model sees, from a photo.
 *
 * @param {{width: number, height: number, data: Uint8ClampedArray}} photo RGBA; its opacity is not looked at.
 * @param {number} size side of the result.
 * @param {number} fraction of the photo's short side that is kept, above 0 and at most 1.
 * @returns {Uint8Array} size × size × 3, RGB.
 */
export function middleSquare(photo, size, fraction = 1) {
  const { width, height } = photo;
  const side = Math.min(width, height) * fraction;
  const left = (width - side) / 2;
  const top = (height - side) / 2;
  const across = coefficients(width, left, Math.min(left + side, width), size);
  const down = coefficients(height, top, Math.min(top + side, height), size);
  const part = needed(photo, across, down);
  // Each pass rounds to bytes, so their order shows; this is Pillow's rule for it.
  const downFirst = height > size && height + size > 2 * width;
  const passes = [(pixels) => resampledAcross(pixels, across, size), (pixels) => resampledDown(pixels, down, size)];
  return (downFirst ? passes.reverse() : passes).reduce((pixels, pass) => pass(pixels), part).data;
}

/** For each pixel of the result: where its source pixels begin, and their weights; and the whole stretch of them. */
function coefficients(length, from, to, size) {
  const scale = (to - from) / size;
  const stretch = Math.max(scale, 1);
  const support = 2 * stretch;
  const starts = [], weights = [];
  for (let pixel = 0; pixel < size; pixel++) {
    const centre = from + (pixel + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(length, Math.trunc(centre + support + 0.5)) - start;
    const raw = Array.from({ length: count }, (_, k) => bicubic((k + start - centre + 0.5) / stretch));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    starts.push(start);
    weights.push(Int32Array.from(raw, (weight) => Math.trunc((weight / sum) * 2 ** BITS + (weight < 0 ? -0.5 : 0.5))));
  }
  const [first, last] = [starts[0], starts[size - 1] + weights[size - 1].length];
  return { starts: starts.map((start) => start - first), weights, first, length: last - first };
}

function bicubic(distance) {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** The part of the photo that any pixel of the result comes from, as RGB. */
function needed({ width, data }, across, down) {
  const part = { width: across.length, height: down.length, data: new Uint8Array(across.length * down.length * 3) };
  for (let y = 0, to = 0; y < part.height; y++) {
    let at = ((down.first + y) * width + across.first) * 4;
    for (let x = 0; x < part.width; x++, at += 4, to += 3) {
      part.data[to] = data[at];
      part.data[to + 1] = data[at + 1];
      part.data[to + 2] = data[at + 2];
    }
  }
  return part;
}

function resampledAcross({ width, height, data }, { starts, weights }, size) {
  const made = new Uint8Array(height * size * 3);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < size; x++) {
      const taps = weights[x];
      for (let channel = 0; channel < 3; channel++, to++) {
        made[to] = weighted(data, (y * width + starts[x]) * 3 + channel, 3, taps);
      }
    }
  }
  return { width: size, height, data: made };
}

function resampledDown({ width, data }, { starts, weights }, size) {
  const line = width * 3;
  const made = new Uint8Array(size * line);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < line; x++) made[y * line + x] = weighted(data, starts[y] * line + x, line, weights[y]);
  }
  return { width, height: size, data: made };
}

function weighted(data, at, step, taps) {
  let sum = 1 << (BITS - 1);
  for (let k = 0; k < taps.length; k++, at += step) sum += data[at] * taps[k];
  const value = sum >> BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
