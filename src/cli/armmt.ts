#!/usr/bin/env node
/** The command `armmt` of the package. */
import { run, SHOP_COMMANDS } from "./main.ts";

process.exitCode = await run(process.argv.slice(2), SHOP_COMMANDS);
