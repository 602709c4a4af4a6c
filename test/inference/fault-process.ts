/** `node fault-process.ts lost_device`: one fault of faults.ts on Dawn, its report as JSON. */
import { installNodeGpu } from "../../src/inference/node-scorer.ts";
import { openWebWasm } from "../../src/inference/web.ts";
import { openWebWebgpu } from "../../src/inference/web-webgpu.ts";
import { FAULTS, runFault } from "./faults.ts";
import { modelFiles, smallGraph, wasmFile } from "./model-files.ts";

const fault = FAULTS.find((name) => name === process.argv[2]);
if (fault === undefined) throw new Error(`Unknown fault ${process.argv[2]}, expected one of ${FAULTS.join(", ")}`);
const report = await runFault(fault, {
  ...modelFiles(),
  small: smallGraph(),
  gpu: await installNodeGpu(),
  openWasm: () => openWebWasm({ wasmBinary: wasmFile("ort-wasm-simd-threaded.wasm") }),
  openWebgpu: (gpu) => openWebWebgpu({ ...gpu, wasmBinary: wasmFile("ort-wasm-simd-threaded.asyncify.wasm") }),
});
// JSON has no Infinity.
process.stdout.write(`${JSON.stringify({ ...report, maxError: Math.min(report.maxError, 1e9) })}\n`);
// A hung run keeps Dawn's event loop busy for ever.
process.exit(0);
