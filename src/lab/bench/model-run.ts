/** The model alone, run on request: `k` candidates, `runs` times; `runs=0` only answers. Works in workerd and in Node. */
import { createList } from "../../cli/build/sample-list.ts";
import type { Scorer } from "../../inference/scorer.ts";
import type { ListTensors } from "../../ranking/features.ts";
import type { Bypass, Result } from "../../result.ts";

const lists = new Map<number, ListTensors>();

export async function runModel(created: Result<Scorer, Bypass>, searchParams: URLSearchParams) {
  if (!created.ok) return { status: 500, body: created.error.detail };
  const k = Number(searchParams.get("k"));
  const list = lists.get(k) ?? createList(k, created.value.manifest);
  lists.set(k, list);
  for (let run = 0; run < Number(searchParams.get("runs")); run++) {
    const scores = await created.value.score(list);
    if (!scores.ok) return { status: 500, body: scores.error.detail };
  }
  return { status: 200, body: "done" };
}
