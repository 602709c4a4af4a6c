/** The tests of official clients of one engine, in each language that is there. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { findInterpreter, makeEnvironment } from "../../../src/cli/train/python.ts";
import { WINDOW } from "../edge.ts";
import { note } from "../figures.ts";
import { missingForClients, PYTHON, runJava } from "../launch.ts";
import { callJavaScriptClients } from "./javascript.ts";
import { type Call, judgeCall } from "./judge.ts";

type Program = (name: string, engine: string, edge: string) => Promise<readonly Call[]>;

interface Language {
  readonly program: Program;
  readonly engines: readonly string[];
  /** Why it cannot be asked on this machine. */
  readonly problem?: string | undefined;
}

const ENVIRONMENT = fileURLToPath(new URL("../../../node_modules/.cache/armmt-engines/python", import.meta.url));

const callPythonClients: Program = async (name, engine, edge) => {
  const python = await makeEnvironment(ENVIRONMENT, join(PYTHON, "requirements.txt"));
  const options = [join(PYTHON, "clients.py"), name, engine, edge, String(WINDOW)];
  return callsOf((await promisify(execFile)(python, options, { maxBuffer: 2 ** 26 })).stdout);
};

const callJavaClients: Program = async (name, engine, edge) =>
  callsOf(await runJava(name === "solr" ? "solr" : "clients", "Clients", [name, engine, edge, String(WINDOW)]));

/** Programs print them last, behind warnings of libraries. */
function callsOf(printed: string): readonly Call[] {
  const calls: readonly Call[] = JSON.parse(printed.trim().split("\n").at(-1) ?? ""); // oxlint-disable-line no-unsafe-type-assertion
  return calls;
}

const LANGUAGES: Readonly<Record<string, Language>> = {
  JavaScript: { program: callJavaScriptClients, engines: ["opensearch", "elasticsearch-7", "elasticsearch-9"] },
  Python: {
    program: callPythonClients,
    engines: ["opensearch", "elasticsearch-7", "elasticsearch-9", "solr", "vespa"],
    problem: await findInterpreter().then(
      () => undefined,
      (error: unknown) => String(error),
    ),
  },
  Java: { program: callJavaClients, engines: ["opensearch", "elasticsearch-9", "solr"], problem: missingForClients() },
};

/** To be called in the describe() of the engine. */
export function testClients(
  name: string,
  urls: () => { readonly engine: string; readonly edge: string },
  languages: readonly string[] = Object.keys(LANGUAGES),
): void {
  for (const [language, { program, engines, problem }] of Object.entries(LANGUAGES)) {
    if (!engines.includes(name) || !languages.includes(language)) continue;
    if (problem !== undefined) console.warn(`Clients of ${name} in ${language} were not asked: ${problem}`);
    it.skipIf(problem !== undefined)(`serves official clients in ${language}`, async () => {
      const { engine, edge } = urls();
      const calls = await program(name, engine, edge);
      note(`${calls.length} calls by ${[...new Set(calls.map(({ client }) => client))].join("; ")}`);
      expect(calls.length).toBeGreaterThan(0);
      expect(calls.flatMap(faultsOf)).toEqual([]);
    });
  }
}

const faultsOf = (call: Call): readonly string[] => judgeCall(call).map((fault) => `${call.client}: ${call.call}: ${fault}`);
