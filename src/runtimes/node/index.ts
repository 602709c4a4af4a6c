/** `armmt-edge/node`: the edge as a server in Node, and its parts. */
export { folderKv } from "./folder-kv.ts";
export type { NodeModel } from "./models.ts";
export { nodeScorer, type NodeScorerOptions, serve } from "./node.ts";
export type { RunningServer, ServeOptions } from "./serve.ts";
export { StartError } from "./settings.ts";
export { sqliteSink } from "./sqlite.ts";
