/** A thread of `report --check`: simulates the experiments that it is told to. */
import { parentPort, workerData } from "node:worker_threads";
import { type CheckOptions, runCell } from "./error-check.ts";
import { type Job, jobCell } from "./check.ts";

const options: CheckOptions = workerData;

parentPort?.on("message", (job: Job) => {
  parentPort?.postMessage(runCell(jobCell(job), options, job.runs)); // oxlint-disable-line unicorn/require-post-message-target-origin -- of windows
});
