/** vector (c) · weights (c × n) + bias (n). */
export function linear(vector, weights, bias) {
  const sums = Float64Array.from(bias);
  for (let channel = 0; channel < vector.length; channel++) {
    if (vector[channel] === 0) continue;
    const row = channel * sums.length;
    for (let column = 0; column < sums.length; column++) sums[column] += vector[channel] * weights[row + column];
  }
  return sums;
}
