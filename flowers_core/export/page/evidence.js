// What speaks for a class: its evidence split exactly over the positions of the last feature map, and drawn.

const OPACITY = 0.75;

/**
 * Each position's contribution to logit − bias: A_ij · W_k / (h · w).
 *
 * @param {Float32Array} features h × w × c.
 * @param {Float32Array} weights c × classes.
 * @param {number} channels
 * @param {number} column the class, from 0.
 * @returns {Float64Array} h × w.
 */
export function evidenceFor(features, weights, channels, column) {
  const classes = weights.length / channels;
  const places = features.length / channels;
  return Float64Array.from({ length: places }, (_, place) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      sum += features[place * channels + channel] * weights[channel * classes + column];
    }
    return sum / places;
  });
}

/** The photo's square as it is: RGB → what a canvas takes. */
export function drawSquare(canvas, square, size) {
  const image = new ImageData(size, size);
  for (let pixel = 0; pixel < size * size; pixel++) {
    for (let k = 0; k < 3; k++) image.data[4 * pixel + k] = square[3 * pixel + k];
    image.data[4 * pixel + 3] = 255;
  }
  show(canvas, image);
}

/**
 * The evidence over the photo, which loses its colour where the map gains opacity.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} square size × size × 3.
 * @param {number} size
 * @param {Float64Array} evidence of `evidenceFor`, of as many rows as columns.
 * @param {number[][]} colours 256 of them, for 0 to the most.
 * @returns {boolean} whether anything speaks for the class.
 */
export function drawEvidence(canvas, square, size, evidence, colours) {
  const cells = Math.sqrt(evidence.length);
  const most = evidence.reduce((a, b) => Math.max(a, b), 0);
  const image = new ImageData(size, size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const pixel = y * size + x;
      const value = most > 0 ? Math.max(0, between(evidence, cells, (x + 0.5) / size, (y + 0.5) / size) / most) : 0;
      const rise = Math.min(1, 2 * value);
      const alpha = OPACITY * rise * rise * (3 - 2 * rise);
      const [r, g, b] = square.subarray(3 * pixel, 3 * pixel + 3);
      const grey = 0.299 * r + 0.587 * g + 0.114 * b;
      const colour = colours[Math.round(255 * value)];
      for (let k = 0; k < 3; k++) {
        const drained = square[3 * pixel + k] * (1 - OPACITY) + grey * OPACITY;
        image.data[4 * pixel + k] = drained * (1 - alpha) + colour[k] * alpha;
      }
      image.data[4 * pixel + 3] = 255;
    }
  }
  show(canvas, image);
  return most > 0;
}

/** Bilinear between the centres of the cells, constant beyond the outermost. */
function between(map, cells, right, down) {
  const held = (place) => Math.min(Math.max(place * cells - 0.5, 0), cells - 1);
  const x = held(right), y = held(down);
  const x0 = Math.floor(x), y0 = Math.floor(y);
  const x1 = Math.min(x0 + 1, cells - 1), y1 = Math.min(y0 + 1, cells - 1);
  const upper = map[y0 * cells + x0] * (x0 + 1 - x) + map[y0 * cells + x1] * (x - x0);
  const lower = map[y1 * cells + x0] * (x0 + 1 - x) + map[y1 * cells + x1] * (x - x0);
  return upper * (y0 + 1 - y) + lower * (y - y0);
}

function show(canvas, image) {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
}
