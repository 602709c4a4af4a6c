/** The golden cases in workerd: `GET /` answers with the largest error, `GET /?runs=10` when it has scored a hundred candidates so often. */
import goldenJson from "../../../model/golden.json";
import manifest from "../../../model/manifest.json";
import model from "../../../model/student.onnx";
import { parseGolden } from "../../../src/inference/golden.ts";
import type { Scorer } from "../../../src/inference/scorer.ts";
import { createWasmScorer } from "../../harness/wasm-scorer.ts";
import { worstError } from "../golden-table.ts";

const created = await createWasmScorer({ model, manifest });

export default {
  async fetch(request: Request): Promise<Response> {
    if (!created.ok) return new Response(created.error.detail, { status: 500 });
    const scorer: Scorer = created.value;
    const runs = new URL(request.url).searchParams.get("runs");
    const { cases } = parseGolden(goldenJson);
    if (runs === null) return Response.json({ provider: "wasm", cases: cases.length, maxError: await worstError(scorer, cases) });
    const { list } = cases.find(({ name }) => name === "a hundred candidates")!;
    for (let run = 0; run < Number(runs); run++) await scorer.score(list);
    return new Response("done");
  },
};
