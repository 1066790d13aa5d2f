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
  const { width, height, data } = photo;
  const side = Math.min(width, height) * fraction;
  const left = (width - side) / 2;
  const top = (height - side) / 2;
  const across = coefficients(width, left, Math.min(left + side, width), size);
  const down = coefficients(height, top, Math.min(top + side, height), size);
  const first = down.starts[0];
  const rows = down.starts[size - 1] + down.counts[size - 1] - first;

  const narrow = new Uint8Array(rows * size * 3);
  for (let y = 0; y < rows; y++) {
    const line = (first + y) * width * 4;
    for (let x = 0; x < size; x++) {
      const taps = across.weights[x];
      let r = 1 << (BITS - 1), g = r, b = r;
      for (let k = 0, at = line + across.starts[x] * 4; k < taps.length; k++, at += 4) {
        r += data[at] * taps[k];
        g += data[at + 1] * taps[k];
        b += data[at + 2] * taps[k];
      }
      const to = (y * size + x) * 3;
      narrow[to] = clipped(r);
      narrow[to + 1] = clipped(g);
      narrow[to + 2] = clipped(b);
    }
  }

  const square = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    const taps = down.weights[y];
    const line = (down.starts[y] - first) * size * 3;
    for (let x = 0; x < size * 3; x++) {
      let sum = 1 << (BITS - 1);
      for (let k = 0, at = line + x; k < taps.length; k++, at += size * 3) sum += narrow[at] * taps[k];
      square[y * size * 3 + x] = clipped(sum);
    }
  }
  return square;
}

/** For each pixel of the result: where its source pixels begin, how many they are, and their weights. */
function coefficients(length, from, to, size) {
  const scale = (to - from) / size;
  const stretch = Math.max(scale, 1);
  const support = 2 * stretch;
  const starts = [], counts = [], weights = [];
  for (let pixel = 0; pixel < size; pixel++) {
    const centre = from + (pixel + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(length, Math.trunc(centre + support + 0.5)) - start;
    const raw = Array.from({ length: count }, (_, k) => bicubic((k + start - centre + 0.5) / stretch));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    starts.push(start);
    counts.push(count);
    weights.push(Int32Array.from(raw, (weight) => Math.trunc((weight / sum) * 2 ** BITS + (weight < 0 ? -0.5 : 0.5))));
  }
  return { starts, counts, weights };
}

function bicubic(distance) {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

function clipped(sum) {
  const value = sum >> BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
