// The page: a photo comes in by button, drop, paste or camera; the answer and its evidence come out.

import { openCamera } from "./camera.js";
import { presenceOf, sharesOf } from "./concepts.js";
import { drawEvidence, drawSquare, evidenceFor } from "./evidence.js";
import { loadModel } from "./model.js";
import { PhotoError, pixelsOf } from "./photo.js";
import { predict } from "./prediction.js";
import { middleSquare } from "./resample.js";
import { capital, described, listed, percent } from "./words.js";

const SHOWN = 5, PATTERNS = 4;
const at = (id) => document.getElementById(id);
/** The model, as a promise; other pages and measurements may ask it too. */
export const model = loadModel();
let latest = 0; // the number of the photo that was asked about last

model.then(({ facts }) => {
  at("knows").textContent = facts.knows;
  at("not-knows").textContent = facts.does_not_know;
  at("made").textContent = facts.made;
  at("about").hidden = false;
  if (!latest) say("Ready.");
  // Only now: until here the network and the processor are for the model.
  navigator.serviceWorker?.register("offline.js").catch(() => {});
}).catch((error) => {
  console.error(error);
  say("The model could not be loaded. Load the page again; a browser of the last years is needed.", true);
});

/** Answer one photo. What comes later wins, so that an answer never stands beside another photo. */
async function identify(source) {
  const number = ++latest;
  say("Looking at the photo …");
  try {
    const pixels = await pixelsOf(source);
    const { facts, arrays, forward } = await model;
    const square = middleSquare(pixels, facts.size, facts.crop_fraction);
    const outputs = await forward(square);
    if (number !== latest) return;
    const prediction = predict(outputs, facts, arrays);
    draw(square, outputs, prediction, facts, arrays);
    if (!facts.concepts) return;
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted))); // the answer comes first
    if (number === latest) drawPatterns(square, outputs, prediction.order[0], facts, arrays);
  } catch (error) {
    if (number !== latest) return;
    if (!(error instanceof PhotoError)) console.error(error);
    say(error instanceof PhotoError ? error.message : "Something went wrong. Load the page again.", true);
  }
}

function draw(square, outputs, prediction, facts, arrays) {
  const { mark, headline, sentence } = described(prediction, facts.classes);
  const best = facts.classes[prediction.order[0]];
  at("headline").textContent = headline;
  at("latin").textContent = best.latin;
  at("latin").classList.toggle("upright", !best.italic);
  at("mark").textContent = mark;
  at("sentence").textContent = sentence;
  at("verdict").className = `verdict ${prediction.verdict}`;
  at("bars").replaceChildren(
    ...prediction.order.slice(0, SHOWN).map((column) => bar(facts.classes[column].name, prediction.probabilities[column])),
  );
  drawSquare(at("square"), square, facts.size);
  const evidence = evidenceFor(outputs.features, arrays.weights, outputs.embedding.length, prediction.order[0]);
  const anything = drawEvidence(at("map"), square, facts.size, evidence, facts.colours);
  const what = `What speaks for ${best.name}`;
  at("map").setAttribute("aria-label", `The photo with a heat map laid over it: ${what}`);
  at("what").textContent = what;
  at("reading").textContent = anything
    ? `The brighter a spot, the more of the evidence for ${best.name} comes from it.`
    : `Nothing in this photo speaks for ${best.name}, so there is nothing to draw.`;
  at("ramp").hidden = !anything;
  at("ramp-strip").style.background = `linear-gradient(90deg, transparent, ${[128, 192, 255]
    .map((index) => `rgb(${facts.colours[index].join(" ")})`)
    .join(", ")})`;
  at("patterns").hidden = true; // of the photo before
  at("answer").hidden = false;
  at("answer").scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  say(`${headline}. ${mark}.`);
}

/** What the score is made of: the patterns that matter most, where each lies and what it is typical of. */
function drawPatterns(square, outputs, column, facts, arrays) {
  const presence = presenceOf(outputs.features, arrays.concepts_target, arrays.concepts_gram, facts.concepts.curvature);
  const shares = sharesOf(presence, arrays.concepts_worths, facts.classes.length, column).slice(0, PATTERNS);
  const score = outputs.logits[column], name = facts.classes[column].name;
  const total = shares.reduce((sum, { share }) => sum + share, 0);
  const begins = `The model tells ${facts.concepts.typical.length} patterns apart.`;
  at("patterns-sentence").textContent = score > 0 && total > 0
    ? `${begins} In this photo these ${shares.length} matter most: ${percent(total / score)} of the score for ${name}.`
    : `${begins} This photo hardly speaks for ${name}; these ${shares.length} matter most all the same.`;
  at("patterns-shown").replaceChildren(
    ...shares.map(({ concept, share, where }, index) => {
      const item = document.getElementById("pattern").content.cloneNode(true);
      const canvas = item.querySelector("canvas");
      drawEvidence(canvas, square, facts.size, where, facts.colours);
      const said = share < 0 ? `speaks against ${name}` : score > 0 ? `${percent(share / score)} of the score` : "speaks for it";
      item.querySelector(".worth").textContent = capital(said);
      const flowers = facts.concepts.typical[concept].map((typical) => facts.classes[typical].name);
      const typical = `Typical of ${flowers.length ? listed(flowers) : "no flower in particular"}`;
      item.querySelector(".typical").textContent = typical;
      canvas.setAttribute("aria-label", `The photo with pattern ${index + 1} laid over it. ${capital(said)}. ${typical}.`);
      return item;
    }),
  );
  at("patterns").hidden = !shares.length;
}

function bar(name, share) {
  const item = document.getElementById("bar").content.cloneNode(true);
  item.querySelector(".name").textContent = capital(name);
  item.querySelector(".share").textContent = percent(share);
  item.querySelector(".fill").style.width = `${(100 * share).toFixed(1)}%`;
  return item;
}

function say(text, wrong = false) {
  at("status").textContent = text;
  at("status").classList.toggle("wrong", wrong);
}

at("file").addEventListener("change", takeFile);
at("file").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  at("file").click(); // it looks like a button, which Enter presses too
});
if (at("file").files.length) takeFile(); // chosen before this script was there

function takeFile() {
  const [file] = at("file").files;
  at("file").value = ""; // the same photo can be chosen again
  if (file) identify(file);
}

at("camera").addEventListener("click", async () => {
  try {
    const picture = await openCamera(at("viewfinder"));
    if (picture) identify(picture);
  } catch (error) {
    say(error instanceof PhotoError ? error.message : "The camera cannot be used here.", true);
  }
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("over");
});
addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) document.body.classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) identify(file);
  else say("Drop a photo's file here; a link to a photo would have to be fetched from elsewhere.", true);
});
addEventListener("paste", ({ clipboardData }) => {
  const [file] = clipboardData.files;
  if (file) identify(file);
});
