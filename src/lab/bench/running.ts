/**
 * A bundled Worker in real workerd with real local KV and D1, reached on a socket of its own, so that nothing of miniflare stands between
 * the bench and the Worker.
 */
import type { Json } from "miniflare";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { Bundle } from "./bundle.ts";
import type { KvWriter } from "./catalogue.ts";
import { childWorkerds } from "./resident.ts";

export type Vars = Readonly<Record<string, Json>>;

export interface RunningBundle {
  readonly url: string;
  /** Process id of its workerd. */
  readonly pid: number;
  readonly embeddings: () => Promise<KvWriter>;
  stop(): Promise<void>;
}

/** The edge logs every bypass, which is most of what the bench asks for: only its warnings and errors are shown, on stderr. */
function showProblems({ message }: { readonly message: string }): void {
  if (!message.includes('"level":"info"')) process.stderr.write(`${message}\n`);
}

/** Binds KV as EMBEDDINGS and D1 as EVENTS, both empty and in memory. Start one after the other: the workerd is found as the only new child. */
export async function runBundle(bundle: Bundle, vars: Vars = {}): Promise<RunningBundle> {
  const before = new Set(childWorkerds());
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: bundle.modules.map(({ name, type, bytes }) => ({ type, path: name, contents: bytes })),
      compatibilityDate: bundle.compatibilityDate,
      bindings: { ...vars },
      kvNamespaces: { EMBEDDINGS: "bench-embeddings" },
      d1Databases: { EVENTS: "bench-events" },
      host: "127.0.0.1",
      port: 0,
      cf: false,
      handleStructuredLogs: showProblems,
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    }),
  );
  try {
    await miniflare.ready;
    const direct = await miniflare.unsafeGetDirectURL();
    const [pid] = childWorkerds().filter((child) => !before.has(child));
    if (pid === undefined) throw new Error("Cannot find the workerd that was started");
    return {
      url: direct.origin,
      pid,
      embeddings: () => miniflare.getKVNamespace("EMBEDDINGS"),
      stop: () => miniflare.dispose(),
    };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}
