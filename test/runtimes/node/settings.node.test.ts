import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VARIABLE_NAMES } from "../../../src/config/config.ts";
import { SECRET_NAMES } from "../../../src/config/fields.ts";
import { withDemo } from "../../../src/cli/start/server/demo-vars.ts";
import { parseFlags } from "../../../src/runtimes/node/command.ts";
import { readSettings, StartError } from "../../../src/runtimes/node/settings.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armmt-settings-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const INDEX = '[vars.INDEXES.products]\nbackend = "elasticsearch"\nurl = "http://127.0.0.1:9200"\nwindow = 50\n';

function file(name: string, text: string): string {
  const path = join(folder, `${name}.toml`);
  writeFileSync(path, text);
  return path;
}

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof StartError) return error.problems;
    throw error;
  }
  throw new Error("expected a StartError");
}

describe("readSettings()", () => {
  it("reads the project's own wrangler.toml as the Worker does", () => {
    const { config } = readSettings({ file: "wrangler.toml", env: {} });
    expect(config.indexes.get("products")).toMatchObject({ backend: "elasticsearch", window: 100, catalog: "products" });
    expect(config.experiments.map(({ key }) => key)).toEqual(["rerank"]);
  });

  it("lets the environment win, with values as text, and takes secrets from it", () => {
    const env = {
      RANK_BUDGET_MS: "150",
      EXPERIMENTS: '[{"key":"other","variations":["control","armmt"]}]',
      ADMIN_TOKEN: "sixteen-letters-x",
    };
    const { config } = readSettings({ file: file("env", `[vars]\nRANK_BUDGET_MS = 100\n${INDEX}`), env });
    expect(config).toMatchObject({ rankBudgetMs: 150, adminToken: "sixteen-letters-x" });
    expect(config.experiments.map(({ key }) => key)).toEqual(["other"]);
  });

  it("refuses every secret that stands in the file, without telling it", () => {
    const secrets = SECRET_NAMES.map((name) => `${name} = "hidden-hidden-hidden-hidden-hidden-"`).join("\n");
    const problems = problemsOf(() => readSettings({ file: file("secrets", `[vars]\n${secrets}\n${INDEX}`), env: {} }));
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual(SECRET_NAMES);
    expect(problems.join()).not.toContain("hidden");
    expect(VARIABLE_NAMES).toEqual(expect.arrayContaining([...SECRET_NAMES]));
  });

  it("refuses what only Cloudflare has", () => {
    const text = `[vars]\nEVENT_SINKS = ["d1", "queue"]\nVARIANT_FLAG = "rerank"\n${INDEX}`;
    expect(problemsOf(() => readSettings({ file: file("cloudflare", text), env: {} }))).toEqual([
      'EVENT_SINKS names "queue", which only Cloudflare has: use "d1", here the file events.sqlite',
      expect.stringContaining('VARIANT_FLAG is "rerank", but a server has no flag client: take it out'),
    ]);
  });

  it("names a file that is not there, is no TOML, or has something else under vars", () => {
    const missing = join(folder, "missing.toml");
    expect(problemsOf(() => readSettings({ file: missing, env: {} }))[0]).toMatch(
      /^Cannot read .+missing\.toml .+ENOENT.+--config <file>$/,
    );
    expect(problemsOf(() => readSettings({ file: file("broken", "[vars\n"), env: {} }))[0]).toMatch(
      /broken\.toml is not TOML: .+\n\n1: {2}\[vars/s,
    );
    expect(problemsOf(() => readSettings({ file: file("text", 'vars = "x"'), env: {} }))[0]).toContain("vars in");
  });
});

describe("withDemo()", () => {
  it("puts the shop behind the index of its page and leaves the rest", () => {
    const INDEXES = { products: { url: "https://engine.example", window: 30 }, shoes: { url: "https://other.example" } };
    const made = withDemo({ INDEXES, RANK_BUDGET_MS: 7 }, "made-here");
    expect(made).toEqual({
      problems: [],
      vars: {
        ADMIN_TOKEN: "made-here",
        RANK_BUDGET_MS: 7,
        STOREFRONT_URL: "https://demo-shop.invalid",
        INDEXES: {
          products: { backend: "elasticsearch", catalog: "products", url: "https://demo-shop.invalid", window: 30 },
          shoes: INDEXES.shoes,
        },
      },
    });
    expect(withDemo({ INDEXES: JSON.stringify(INDEXES), RANK_BUDGET_MS: 7 }, "made-here")).toEqual(made);
    expect(withDemo({ INDEXES, ADMIN_TOKEN: "given" }, "made-here").vars["ADMIN_TOKEN"]).toBe("given");
  });
});

describe("parseFlags()", () => {
  it("takes the port from the flag, then PORT, then 8788", () => {
    expect(parseFlags([], {})).toMatchObject({ port: 8788, host: "127.0.0.1", hasDemo: true, provider: "auto" });
    expect(parseFlags([], { PORT: "99" }).port).toBe(99);
    expect(parseFlags(["--port", "0"], { PORT: "99" }).port).toBe(0);
    expect(parseFlags(["--no-demo", "--host", "0.0.0.0"], {})).toMatchObject({ hasDemo: false, host: "0.0.0.0" });
  });

  it("tells all that is wrong, where it stands", () => {
    expect(problemsOf(() => parseFlags(["--config", ""], { PORT: "-1" }))).toEqual([
      "--config is empty: name a wrangler.toml",
      'Environment variable PORT is "-1": use a number from 0 to 65535',
    ]);
    expect(problemsOf(() => parseFlags(["--prot", "1"], {}))).toEqual([
      expect.stringMatching(/^Unknown option '--prot'.+--help for usage\)$/),
    ]);
  });
});
