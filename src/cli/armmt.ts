#!/usr/bin/env node
/** The command `armmt` of the package. */
import { run, SHOP_COMMANDS } from "./main.ts";

// Started by another armmt (child.ts): it ends with that one, however that ends. Waiting for this must not keep the process alive.
if (process.channel !== undefined) {
  process.once("disconnect", () => process.exit(1)); // oxlint-disable-line no-process-exit
  process.channel.unref();
}

process.exitCode = await run(process.argv.slice(2), SHOP_COMMANDS);
