// Outputs of the network → probabilities and a verdict, by the rules of the server (flowers_core.inference).

import { confidenceOf } from "./confidence.js";
import { ranked, softmax, together, verdictOf } from "./verdict.js";

/**
 * @returns {{probabilities: Float64Array, order: number[], plausible: number[], verdict: string, novel: boolean}}
 *   order: the classes (0…), the most probable first; plausible: those of the prediction set.
 */
export function predict(outputs, facts, arrays) {
  if (facts.confidence) return confidenceOf(outputs, facts, arrays);
  const { temperature, conformal_threshold: threshold, unsure_below: unsureBelow } = facts.calibration;
  const probabilities = softmax(outputs.logits, temperature);
  const passing = probabilities.filter((probability) => 1 - probability <= threshold).length;
  const verdict = (order) => verdictOf(passing, together(probabilities, order, passing), unsureBelow);
  return ranked(probabilities, Math.max(passing, 1), verdict);
}
