/**
 * Any number of graphs in one workerd: `POST /name` takes a graph's bytes, `GET /name?k=100&runs=10` runs it and answers when it is done.
 * So the student and its yardstick take turns in the same process, on the same copy of onnxruntime.
 *
 * It keeps no time, like the Worker of one model: the bench measures from outside.
 */
import { createSession, Tensor } from "../../inference/session.ts";
import { createRandomFeeds } from "./reference-feeds.ts";
import { errorText } from "../../web.ts";

const sessions = new Map<string, Awaited<ReturnType<typeof createSession>>>();

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    try {
      if (request.method === "POST") {
        sessions.set(pathname, await createSession(await request.arrayBuffer()));
        return new Response("opened");
      }
      const session = sessions.get(pathname);
      if (session === undefined) return new Response(`No graph was posted to ${pathname}`, { status: 404 });
      const k = Number(searchParams.get("k"));
      for (let run = 0; run < Number(searchParams.get("runs")); run++) {
        const feeds = createRandomFeeds(session.inputNames, k, Tensor);
        const outputs = await session.run(feeds);
        for (const tensor of [...Object.values(feeds), ...Object.values(outputs)]) tensor.dispose();
      }
      return new Response("done");
    } catch (error) {
      return new Response(errorText(error), { status: 500 });
    }
  },
};
