/** `node golden-process.ts webgpu 5`, or the same in Deno: one row of the table as JSON. A process of its own, because drivers load once. */
import { installNodeGpu } from "../../src/inference/node-scorer.ts";
import { openWebWasm } from "../../src/inference/web.ts";
import { openWebWebgpu } from "../../src/inference/web-webgpu.ts";
import { scoreGolden } from "./golden-table.ts";
import { modelFiles, wasmFile } from "./model-files.ts";

const preference = process.argv[2] === "webgpu" ? "webgpu" : "wasm";
const row = await scoreGolden({
  ...modelFiles(),
  preference,
  gpu: preference === "webgpu" ? await installNodeGpu() : undefined,
  runtimes: {
    wasm: () => openWebWasm({ wasmBinary: wasmFile("ort-wasm-simd-threaded.wasm") }),
    webgpu: (gpu) => openWebWebgpu({ ...gpu, wasmBinary: wasmFile("ort-wasm-simd-threaded.asyncify.wasm") }),
  },
  runs: Number(process.argv[3] ?? 20),
});
process.stdout.write(`${JSON.stringify(row)}\n`);
