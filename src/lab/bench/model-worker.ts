/** The model alone in workerd, on the runtime that is deployed. It keeps no time: clocks stand still in workerd, so the bench measures from outside. */
import { loadModels } from "../../runtimes/cloudflare/models.ts";
import { runModel } from "./model-run.ts";

const created = (await loadModels())();

export default {
  async fetch(request: Request): Promise<Response> {
    const { status, body } = await runModel(created, new URL(request.url).searchParams);
    return new Response(body, { status });
  },
};
