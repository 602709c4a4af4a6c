/** The demo shop as an extension of the servers; its code is loaded only where it is wanted. */
import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import type { Extension } from "../../../runtimes/node/command.ts";
import { folderKv } from "../../../runtimes/node/folder-kv.ts";
import { readModelFiles } from "../../../runtimes/node/models.ts";
import { DEMO_INDEX, withDemo } from "./demo-vars.ts";

/** `hint`: how to start the server so that it can make the demo's data. */
export function createDemo(hint: string): Extension {
  const token = randomBytes(18).toString("base64url");
  return {
    usage: {
      commands: `npm run serve:node -- [options]     (Node)
       deno task serve [options]           (Deno)`,
      added: ", and the demo shop behind it",
      flag: "  --no-demo            without the demo shop: the engines and the storefront of the configuration\n",
    },
    adapt: (vars) => withDemo(vars, token),
    async openFetch({ data: folder, host, json, config, fetch }) {
      const index = config.indexes.get(DEMO_INDEX);
      if (index === undefined) return fetch;
      const data = resolve(folder);
      const [kv, page] = [join(data, "kv"), join(data, "page")];
      const { manifest } = await readModelFiles();
      const { makeDemoReady } = await import("./demo-ready.ts");
      await makeDemoReady({ data, kv, page, index, manifest, reader: folderKv(kv), json, hint });
      const { withDemoShop } = await import("./demo-shop.ts");
      // Only a page on this machine may have a token that opens explanations.
      return withDemoShop({ page, token: isLoopback(host) && config.adminToken === token ? token : undefined, fetch });
    },
  };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
