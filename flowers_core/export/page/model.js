// The model on LiteRT in WebAssembly. Everything comes from the folder of this page.

import { linear } from "./linear.js";
import { loadAndCompile, loadLiteRt, Tensor } from "./runtime/litert.js";

/**
 * The model and what belongs to it.
 *
 * @returns {Promise<{facts: object, arrays: Object<string, Float32Array>, forward: function(Uint8Array): Promise}>}
 */
export async function loadModel() {
  const [facts, network, numbers] = await Promise.all([
    fetch("model/facts.json").then((response) => response.json()),
    unpacked("model/int8.tflite.gz"),
    unpacked("model/arrays.bin.gz"),
    startRuntime(),
  ]);
  const compiled = await loadAndCompile(network, { accelerator: "wasm" });
  const arrays = split(numbers, facts.arrays);
  const forward = async (square) => {
    const photo = new Tensor(square, [1, facts.size, facts.size, 3]);
    const outputs = await compiled.run({ photo });
    photo.delete();
    const found = {};
    for (const [name, tensor] of Object.entries(outputs)) {
      found[name] = tensor.toTypedArray().slice();
      tensor.delete();
    }
    if (facts.taught) found.logits = linear(found.embedding, arrays.weights, arrays.bias);
    return found;
  };
  await forward(new Uint8Array(facts.size * facts.size * 3)); // the first pass sets up the kernels
  return { facts, arrays, forward };
}

async function startRuntime() {
  // LiteRT's loader hands this object to the WebAssembly module, which then fetches nothing itself.
  self.Module = {
    wasmBinary: (await unpacked("runtime/litert.wasm.gz")).buffer,
    printErr: (line) => /^(INFO|WARNING)/.test(line) || console.error(line), // it tells each step as an error
  };
  await loadLiteRt("./runtime/litert_wasm.js");
}

/** A file that lies compressed, so that it is as small on every host. */
async function unpacked(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  // Some hosts declare the compression, and the browser has undone it already.
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The arrays of these sizes, from every first byte of all their numbers, every second one, and so on. */
function split(places, sizes) {
  const count = places.length / 4;
  const bytes = new Uint8Array(places.length);
  for (let place = 0; place < 4; place++)
    for (let number = 0; number < count; number++) bytes[4 * number + place] = places[place * count + number];
  const arrays = {};
  let at = 0;
  for (const [name, size] of Object.entries(sizes)) {
    arrays[name] = new Float32Array(bytes.buffer, at, size);
    at += 4 * size;
  }
  return arrays;
}
