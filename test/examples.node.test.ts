/** The example of Next.js without Next: its lockfile, and its page rendered before a stand-in of the edge. `npm run test:next` starts it for real. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listen, type Listening } from "./clients/servers.ts";

const EXAMPLE = fileURLToPath(new URL("../examples/next/", import.meta.url));
const read = (file: string): string => readFileSync(join(EXAMPLE, file), "utf8");

const names = v.record(v.string(), v.string());
const lockfile = v.object({
  packages: v.record(
    v.string(),
    v.object({ dependencies: v.optional(names), version: v.optional(v.string()), resolved: v.optional(v.string()) }),
  ),
});

/** The page as Next would render it: its component is asked with the parameters, and `next/headers` gives the shopper's headers. */
const RENDERER = `
import { renderToStaticMarkup } from "react-dom/server";
import Layout from "./app/layout.jsx";
import Page from "./app/page.jsx";
export const render = async (params) => renderToStaticMarkup(Layout({ children: await Page({ searchParams: Promise.resolve(params) }) }));
`;

const module = v.object({ render: v.pipe(v.function(), v.args(v.tuple([names])), v.returnsAsync(v.string())) });

describe("examples/next", () => {
  it("has a lockfile of its own dependencies, without the addresses of a registry", () => {
    const { dependencies } = v.parse(v.object({ dependencies: names }), JSON.parse(read("package.json")));
    const { "": own, ...others } = v.parse(lockfile, JSON.parse(read("package-lock.json"))).packages;
    expect(own?.dependencies).toEqual(dependencies);
    for (const [name, version] of Object.entries(dependencies)) expect(others[`node_modules/${name}`]?.version).toBe(version);
    expect(Object.values(others).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });

  it("asks the demo's edge where nothing else is said", () => {
    expect(read("search.mjs")).toContain('process.env.SEARCH_URL ?? "http://127.0.0.1:8787"');
  });

  describe("its page", () => {
    const folder = mkdtempSync(join(tmpdir(), "armmt-next-page-"));
    const shopper = new Headers({ "user-agent": "Shopper/1", "x-armmt-session": "s-1", cookie: "secret=1" });
    let edge: Listening;
    let isDown = false;
    let render: (params: Record<string, string>) => Promise<string>;

    beforeAll(async () => {
      edge = await listen(async () => {
        if (isDown) return new Response("down", { status: 503 });
        const hits = ["p2", "p1"].map((id) => ({ _id: id, _source: { title: `<${id}>` } }));
        return Response.json({ hits: { total: { value: 41 }, hits } }, { headers: { "x-armmt": "applied; model=test" } });
      });
      const outfile = join(folder, "page.cjs");
      await build({
        stdin: { contents: RENDERER, resolveDir: EXAMPLE, loader: "js" },
        outfile,
        bundle: true,
        format: "cjs",
        platform: "node",
        jsx: "automatic",
        define: { "process.env.SEARCH_URL": JSON.stringify(edge.url), "process.env.NODE_ENV": '"production"' },
        plugins: [
          {
            name: "headers of the shopper",
            setup(at) {
              at.onResolve({ filter: /^next\/headers$/ }, ({ path }) => ({ path, namespace: "next" }));
              at.onLoad({ filter: /.*/, namespace: "next" }, () => ({
                contents: `export const headers = async () => new Headers(${JSON.stringify([...shopper])});`,
              }));
            },
          },
        ],
      });
      ({ render } = v.parse(module, createRequire(import.meta.url)(outfile)));
    });

    afterAll(async () => {
      await edge.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it("shows hits in the edge's order, and leads to the next page while there is one", async () => {
      const html = await render({ q: "black" });
      expect(html).toContain('<ol><li data-id="p2">&lt;p2&gt;</li><li data-id="p1">&lt;p1&gt;</li></ol><a href="?q=black&amp;page=2">');
      expect(html).toContain("41 products, applied; model=test");
      expect(await render({ q: "black", page: "2" })).not.toContain("page=3");
    });

    it("asks as the shopper, for the page that is shown", async () => {
      edge.exchanges.length = 0;
      await render({ q: "black", page: "2" });
      expect(edge.exchanges).toHaveLength(1);
      const { path, headers, body } = edge.exchanges[0]!;
      expect(path).toBe("/products/_search");
      expect(headers).toMatchObject({ "user-agent": "Shopper/1", "x-armmt-session": "s-1" });
      expect(headers).not.toHaveProperty("cookie");
      expect(JSON.parse(body)).toMatchObject({ query: { multi_match: { query: "black" } }, from: 24, size: 24 });
    });

    it("fails where the edge does", async () => {
      isDown = true;
      await expect(render({ q: "black" })).rejects.toThrow("answers with status 503");
    });
  });
});
