// One confidence from all that a forward pass tells, for models that have the rules for it
// (flowers_core.inference.confidence_head).

import { linear } from "./linear.js";
import { ranked, softmax, together, verdictOf } from "./verdict.js";

const MOST_NATS = 14;

export function confidenceOf(outputs, facts, arrays) {
  const { model, sets, novelty } = facts.confidence;
  const signals = signalsOf(outputs, facts, arrays);
  const confidence = probabilityOf(signals, model);
  const probabilities = tempered(outputs.logits, confidence);
  const sorted = Array.from(probabilities).sort((a, b) => b - a);
  let members = 0;
  for (let before = 0; members < sorted.length; before += sorted[members++]) {
    if (members > 0 && (before > sets.mass || sorted[members] < sets.least)) break;
  }
  const novel = looksLikeNone(signals, novelty);
  const sure = !novel && confidence >= model.sure_from;
  if (sure) members = 1;
  const verdict = (order) => {
    if (novel) return "unsure";
    if (sure) return "sure";
    return members > 1 ? verdictOf(members, together(probabilities, order, members), model.sure_from) : "unsure";
  };
  return ranked(probabilities, members, verdict, novel);
}

/** logit margin, log-odds, gap among the discriminants, nearness, and the log-odds of the surest position. */
function signalsOf({ logits, embedding, features }, facts, arrays) {
  const classes = logits.length;
  const channels = embedding.length;
  const answer = logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));
  const runnerUp = logits.reduce((most, logit, column) => (column === answer ? most : Math.max(most, logit)), -Infinity);

  const cosines = cosinesOf(embedding, arrays, classes, channels);
  const rival = cosines.reduce((most, cosine, column) => (column === answer ? most : Math.max(most, cosine)), -Infinity);

  let square = 0;
  for (let channel = 0; channel < channels; channel++) {
    const away = (embedding[channel] - arrays.prototypes[answer * channels + channel]) * arrays.scale[channel];
    square += away * away;
  }

  let surest = -Infinity;
  for (let at = 0; at < features.length; at += channels) {
    const local = linear(features.subarray(at, at + channels), arrays.weights, arrays.bias);
    surest = Math.max(surest, logOdds(local, answer));
  }
  return [
    logits[answer] - runnerUp,
    logOdds(logits, answer),
    cosines[answer] - rival,
    -Math.log(Math.max(Math.sqrt(square), 1e-6)),
    surest,
  ];
}

function cosinesOf(embedding, arrays, classes, channels) {
  const projected = (vector) => {
    const centred = Float64Array.from(vector, (value, channel) => value - arrays.mean[channel]);
    const found = linear(centred, arrays.projection, new Float64Array(arrays.projection.length / channels));
    const length = Math.sqrt(found.reduce((sum, value) => sum + value * value, 0));
    return length > 0 ? found.map((value) => value / length) : found;
  };
  arrays.ends ??= Array.from({ length: classes }, (_, column) =>
    projected(arrays.prototypes.subarray(column * channels, (column + 1) * channels)),
  );
  const own = projected(embedding);
  return arrays.ends.map((end) => end.reduce((sum, value, axis) => sum + value * own[axis], 0));
}

function logOdds(logits, column) {
  const probability = Math.log(softmax(logits)[column]);
  const nats = probability - Math.log(-Math.expm1(Math.min(probability, -1e-9)));
  return Math.min(Math.max(nats, -MOST_NATS), MOST_NATS);
}

function probabilityOf(signals, model) {
  const score = signals.reduce(
    (sum, signal, k) => sum + ((signal - model.means[k]) / model.deviations[k]) * model.coefficients[k],
    model.intercept,
  );
  const { scores, log_odds: odds } = model;
  const within = Math.min(Math.max(score, scores[0]), scores[scores.length - 1]);
  let k = 1;
  while (k < scores.length - 1 && scores[k] < within) k++;
  const share = (within - scores[k - 1]) / (scores[k] - scores[k - 1]);
  const nats = odds[k - 1] + share * (odds[k] - odds[k - 1]) + (score - within);
  return 1 / (1 + Math.exp(-Math.min(Math.max(nats, -MOST_NATS), MOST_NATS)));
}

/** The softmax whose largest probability is the confidence: the photo's own temperature, found by halving. */
function tempered(logits, confidence) {
  let low = -10, high = 10; // of the temperature's logarithm
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (softmax(logits, Math.exp(middle)).reduce((a, b) => Math.max(a, b)) > confidence) low = middle;
    else high = middle;
  }
  return softmax(logits, Math.exp(high));
}

function looksLikeNone(signals, rule) {
  const near = (signals[3] - rule.distance_mean) / rule.distance_deviation;
  return near + (signals[1] - rule.odds_mean) / rule.odds_deviation < rule.threshold;
}
