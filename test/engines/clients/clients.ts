/** The tests of official clients of one engine, in each language that is there. */
import { expect, it } from "vitest";
import { note } from "../figures.ts";
import { callJavaScriptClients } from "./javascript.ts";
import { type Call, judgeCall } from "./judge.ts";

type Program = (name: string, engine: string, edge: string) => Promise<readonly Call[]>;

const PROGRAMS: Readonly<Record<string, Program>> = { JavaScript: callJavaScriptClients };

/** Calls ("client: call") that fail until somebody repairs the edge: the test then asks for the line to go. */
const FAILING: readonly (readonly [calls: RegExp, why: string])[] = [
  [/, gzip: (?!ping|info)/, "compressed requests are not read"],
  [/^elasticsearch-(js|py) 7/, "GET / is not answered, and the client asks for it before its first call"],
  [/^opensearch-.*: info/, "GET / is not answered"],
];

/** To be called in the describe() of the engine. */
export function testClients(name: string, urls: () => { readonly engine: string; readonly edge: string }): void {
  for (const [language, program] of Object.entries(PROGRAMS)) {
    it(`serves official clients in ${language}`, async () => {
      const { engine, edge } = urls();
      const calls = await program(name, engine, edge);
      expect(calls.length).toBeGreaterThan(0);
      const faults = calls.flatMap((call) => {
        const label = `${call.client}: ${call.call}`;
        const found = judgeCall(call);
        const known = FAILING.find(([pattern]) => pattern.test(label))?.[1];
        if (known === undefined) return found.map((fault) => `${label}: ${fault}`);
        note(`${label} fails: ${known}`);
        return found.length > 0 ? [] : [`${label} works: take it out of FAILING`];
      });
      const clients = [...new Set(calls.map(({ client }) => client))];
      note(`${calls.length} calls by ${clients.join("; ")}`);
      expect(faults).toEqual([]);
    });
  }
}
