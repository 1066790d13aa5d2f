// Probabilities in order, and how sure an answer with them is.

const BETWEEN_AT_MOST = 3;

export function ranked(probabilities, count, verdict, novel = false) {
  const order = Array.from(probabilities.keys()).sort((a, b) => probabilities[b] - probabilities[a] || a - b);
  return { probabilities, order, plausible: order.slice(0, count), verdict: verdict(order), novel };
}

export function together(probabilities, order, count) {
  return order.slice(0, Math.max(count, 1)).reduce((sum, column) => sum + probabilities[column], 0);
}

export function verdictOf(count, sum, unsureBelow) {
  if (count < 1 || count > BETWEEN_AT_MOST || sum < unsureBelow) return "unsure";
  return count === 1 ? "sure" : "between";
}

export function softmax(logits, temperature = 1) {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const powers = Float64Array.from(logits, (logit) => Math.exp((logit - most) / temperature));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}
