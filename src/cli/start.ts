/** `armmt start` (npm start): the demo, from catalogue to a running edge. The work is in start/run.ts, loaded on demand. */
import { Command, InvalidArgumentError } from "commander";
import { addFieldFlags } from "./catalog/fields.ts";
import { TEXT_ENCODER_HELP } from "./embed/text/named.ts";
import type { StartFlags } from "./start/run.ts";

export function createStartCommand(): Command {
  const command = new Command("start")
    .description("Run the demo on this machine: the edge Worker in front of a shop, both in workerd")
    .option("--catalog <source>", 'a folder with products.jsonl or products.csv and pictures, such a file, or "drawn"', "drawn")
    .option("--port <number>", "port of the edge and its page", parsePort, 8787)
    .option("--shop-port <number>", "port of the shop", parsePort, 8788)
    .option("--image-encoder <encoder>", "builtin, a path to an .onnx file, or hf:<owner>/<model>", "builtin")
    .option("--text-encoder <encoder>", TEXT_ENCODER_HELP)
    .option("--picture-aspect <w:h>", "show pictures at this width to height, such as 3:4", parseAspect)
    .option("--skip-unreadable", "embed products whose picture cannot be read without picture")
    .option("--rebuild", "embed again although it has been done")
    .option("--home <folder>", "where vectors and local KV are kept (default: .armmt in the project)")
    .option("--json", "print one line of JSON when ready, and no progress");
  return addFieldFlags(command)
    .addHelpText(
      "after",
      `
Examples:
  $ npm start                                     2,400 drawn products on http://localhost:8787
  $ npm start -- --catalog path/to/folder         your own products
  $ npm start -- --port 9000 --shop-port 9001     other ports`,
    )
    .action(async (flags: StartFlags) => {
      const { runDemo } = await import("./start/run.ts");
      await runDemo(flags);
    });
}

/** A port, 1..65535. */
function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError(`"${text}" is not a port; give a number from 1 to 65535.`);
  return port;
}

/** `3:4` → 0.75 */
function parseAspect(text: string): number {
  const [, width, height] = /^(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  const aspect = Number(width) / Number(height);
  if (!(aspect >= 0.1 && aspect <= 10)) throw new InvalidArgumentError(`"${text}" is not an aspect; give width:height, such as 3:4.`);
  return aspect;
}
