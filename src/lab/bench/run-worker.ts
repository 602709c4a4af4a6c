/**
 * The model alone in workerd: `GET /?k=50&runs=10` runs it and answers when it is done, `runs=0` only answers.
 *
 * It keeps no time: clocks stand still inside workerd, so the bench measures from outside and subtracts the empty answer.
 */
import { loadModels } from "../../runtimes/cloudflare/models.ts";
import type { ListTensors } from "../../ranking/features.ts";
import { createList } from "../../cli/build/sample-list.ts";

/** On the runtime that is deployed. */
const created = (await loadModels())();

const lists = new Map<number, ListTensors>();

export default {
  async fetch(request: Request): Promise<Response> {
    if (!created.ok) return new Response(created.error.detail, { status: 500 });
    const { searchParams } = new URL(request.url);
    const k = Number(searchParams.get("k"));
    const list = lists.get(k) ?? createList(k, created.value.manifest.dims);
    lists.set(k, list);
    for (let run = 0; run < Number(searchParams.get("runs")); run++) {
      const scores = await created.value.score(list);
      if (!scores.ok) return new Response(scores.error.detail, { status: 500 });
    }
    return new Response("done");
  },
};
