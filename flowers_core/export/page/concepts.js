// The patterns (concepts) that a score is made of: how much of each there is at each place, and what that adds.

const TOLERANCE = 1e-4; // no coefficient moves by more than this fraction of the largest one
const MOST_STEPS = 1000;

/**
 * The U ≥ 0 that comes nearest to the features: accelerated projected gradient, all places at once, with the restart of
 * O'Donoghue and Candès where it overshoots.
 *
 * @param {Float32Array} features h · w × c.
 * @param {Float32Array} target c × k: what features are multiplied by.
 * @param {Float32Array} gram k × k.
 * @param {number} curvature its largest eigenvalue.
 * @returns {Float64Array} h · w × k, not negative.
 */
export function presenceOf(features, target, gram, curvature) {
  const count = Math.sqrt(gram.length), channels = target.length / count, places = features.length / channels;
  const wanted = times(features, target, places, channels, count);
  let presence = new Float64Array(places * count), ahead = presence, momentum = 1;
  for (let step = 0; step < MOST_STEPS; step++) {
    const stepped = times(ahead, gram, places, count, count);
    let overshot = 0, moved = 0, largest = 0;
    for (let at = 0; at < stepped.length; at++) {
      stepped[at] = Math.max(ahead[at] - (stepped[at] - wanted[at]) / curvature, 0);
      const change = stepped[at] - presence[at];
      overshot += (ahead[at] - stepped[at]) * change;
      moved = Math.max(moved, Math.abs(change));
      largest = Math.max(largest, stepped[at]);
    }
    if (overshot > 0) momentum = 1;
    const following = (1 + Math.sqrt(1 + 4 * momentum ** 2)) / 2, further = (momentum - 1) / following;
    ahead = stepped.map((value, at) => value + further * (value - presence[at]));
    presence = stepped;
    momentum = following;
    if (moved <= TOLERANCE * largest) break;
  }
  return presence;
}

/**
 * What each pattern adds to a class's logit, the most first, of either sign.
 *
 * @param {Float64Array} presence h · w × k.
 * @param {Float32Array} worths k × classes: what one of it everywhere adds.
 * @param {number} classes
 * @param {number} column the class, from 0.
 * @returns {{concept: number, share: number, where: Float64Array}[]} where: how much of it there is at each place.
 */
export function sharesOf(presence, worths, classes, column) {
  const count = worths.length / classes, places = presence.length / count;
  const shares = Array.from({ length: count }, (_, concept) => {
    const where = Float64Array.from({ length: places }, (_, place) => presence[place * count + concept]);
    const mean = where.reduce((a, b) => a + b, 0) / places;
    return { concept, share: mean * worths[concept * classes + column], where };
  });
  return shares.filter(({ share }) => share !== 0).sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
}

/** (rows × inner) · (inner × columns). Most features and presences are zero. */
function times(left, right, rows, inner, columns) {
  const product = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const into = row * columns;
    for (let at = 0; at < inner; at++) {
      const factor = left[row * inner + at];
      if (factor === 0) continue;
      const from = at * columns;
      for (let column = 0; column < columns; column++) product[into + column] += factor * right[from + column];
    }
  }
  return product;
}
