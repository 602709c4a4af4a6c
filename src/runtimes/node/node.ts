/** The edge as a server in Node: `node src/runtimes/node/node.ts --help`. With the demo shop: cli/start/server/node.ts. */
import type { Log } from "../../web.ts";
import { logToConsole as log } from "../../edge.ts";
import type { ProviderPreference } from "../../inference/providers.ts";
import { installNodeGpu } from "../../inference/node-scorer.ts";
import { runCommand } from "./command.ts";
import { type NodeModel, openModel, readModelFiles } from "./models.ts";
import { engineFetch } from "./engine-fetch.ts";
import { listen } from "./listen.ts";
import { type RunningServer, type Runtime, type ServeOptions, startServer } from "./serve.ts";

export const NODE: Runtime = {
  name: `Node ${process.versions.node}`,
  fetch: engineFetch,
  openGpu: async () => {
    try {
      return await installNodeGpu();
    } catch (cause) {
      log({ level: "info", event: "no_dawn", detail: `WebGPU in Node needs the package webgpu: ${String(cause)}` });
      return undefined;
    }
  },
  listen,
};

export interface NodeScorerOptions {
  /** Folder with student.onnx, manifest.json and golden.json. Default: the model of the package. */
  readonly folder?: string | undefined;
  /** Default "auto": WebGPU where it works, else WebAssembly. */
  readonly provider?: ProviderPreference | undefined;
  /** Default: one line of JSON per entry on the console. */
  readonly log?: Log | undefined;
}

/** For `scorer` of an edge. Rejects with a StartError where a file is missing. */
export async function nodeScorer({ folder, provider = "auto", log: logTo = log }: NodeScorerOptions = {}): Promise<NodeModel> {
  return openModel(await readModelFiles(folder), { preference: provider, openGpu: () => NODE.openGpu(), log: logTo });
}

/**
 * Starts the edge as an HTTP server. Rejects with a StartError where the port is taken or a file is missing, and with a ConfigurationError.
 *
 * @example
 * const server = await serve({ env: { INDEXES: { products: { backend: "elasticsearch", url: "http://localhost:9200", window: 100 } } } });
 * process.once("SIGTERM", () => void server.stop());
 */
export function serve(options: ServeOptions): Promise<RunningServer> {
  return startServer(options, NODE);
}

if (import.meta.main) await runCommand(process.argv.slice(2), NODE);
