/** The edge as a server in Deno, with the demo shop unless --no-demo: `deno task serve`. */
import { DENO } from "../../../runtimes/deno/deno.ts";
import { runCommand } from "../../../runtimes/node/command.ts";
import { createDemo } from "./demo.ts";

const hint = "Start it once with all permissions (deno run -A src/cli/start/server/deno.ts), or start with --no-demo";

await runCommand(process.argv.slice(2), DENO, createDemo(hint));
