/** The edge as a server in Node, with the demo shop unless --no-demo: `npm run serve:node`. */
import { runCommand } from "../../../runtimes/node/command.ts";
import { NODE } from "../../../runtimes/node/node.ts";
import { createDemo } from "./demo.ts";

await runCommand(process.argv.slice(2), NODE, createDemo("Install the development dependencies (npm ci), or start with --no-demo"));
