/** The least that can stand before an engine: asks it what was asked, and streams back what it says. ENGINE is its URL. */
interface Env {
  readonly ENGINE: string;
}

export default {
  async fetch(request: Request, { ENGINE }: Env): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const { method, body } = request;
    const reply = await fetch(`${ENGINE}${pathname}${search}`, { method, body, headers: { "content-type": "application/json" } });
    return new Response(reply.body, { status: reply.status, headers: { "content-type": "application/json" } });
  },
};
