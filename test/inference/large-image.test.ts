/**
 * A snapshot of several models needs more memory than onnxruntime-web asks for. The memory must have that size before onnxruntime-web takes views
 * of it: one that grows later leaves it with views of nothing ("set on a detached ArrayBuffer"). In a file of its own: an isolate has one runtime.
 */
import { expect, it } from "vitest";
import edge from "../../.armmt/edge/edge.bin";
import module from "../../.armmt/edge/runtime.wasm";
import golden from "../../model/golden.json";
import { decodeEdgeFile } from "../../src/inference/edge-file.ts";
import { parseGolden } from "../../src/inference/golden.ts";
import { createSessionScorer } from "../../src/inference/session-scorer.ts";
import { createWorkerdRuntime } from "../../src/inference/workerd.ts";

const { models, snapshot } = decodeEdgeFile(edge);

it.skipIf(snapshot === undefined)(
  "opens sessions of a snapshot for 40 MB, one after the other (skipped before `armmt build`)",
  async () => {
    const sha256 = models.flatMap(({ model }) => (model instanceof ArrayBuffer ? [] : model.sha256));
    const large = { ...snapshot!, head: { ...snapshot!.head, memoryBytes: 640 * 65_536 } };
    const runtime = createWorkerdRuntime({ module, image: { snapshot: large, sha256 } });
    const [first] = parseGolden(golden).cases;
    for (let n = 0; n < 3; n++) {
      const created = await createSessionScorer({ ...models[0]!, runtime });
      if (!created.ok) throw new Error(created.error.detail);
      const scored = await created.value.score(first!.list);
      expect(scored.ok && Math.abs(scored.value.score[0]! - first!.score[0]!)).toBeLessThan(1e-4);
    }
  },
);
