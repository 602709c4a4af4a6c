/** The part of autocannon that the bench uses; the package has no types. */
declare module "autocannon" {
  interface Options {
    url: string;
    connections: number;
    /** Seconds. */
    duration: number;
    requests: readonly { setupRequest: (request: object) => object }[];
    setupClient?: (client: Client) => void;
  }

  /** One connection. `headers` comes before the instance's `response` of the same reply: names and values in turns. */
  interface Client {
    on(event: "headers", listener: (head: { readonly headers: readonly string[] }) => void): this;
  }

  interface Instance extends PromiseLike<{ readonly non2xx: number; readonly errors: number; readonly timeouts: number }> {
    on(event: "response", listener: (client: object, statusCode: number, bytes: number, ms: number) => void): this;
  }

  export default function autocannon(options: Options): Instance;
}
