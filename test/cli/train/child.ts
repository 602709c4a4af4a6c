/** Trains in a process of its own, which a test may kill; a small log is enough. Prints what `armmt train --json` prints. */
import { withLock } from "../../../src/cli/train/lock.ts";
import { trainModel, type TrainOptions } from "../../../src/cli/train/run.ts";

const options: TrainOptions = JSON.parse(process.argv[2] ?? "");
const trained = await withLock(options.out, () => trainModel({ ...options, fewest: 20 }));
process.stdout.write(JSON.stringify(trained));
