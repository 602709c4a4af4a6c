/** The part of autocannon that the bench uses; the package brings no types. */
declare module "autocannon" {
  interface AutocannonRequest {
    method?: string;
    path?: string;
    headers?: Record<string, string>;
    body?: string;
  }

  interface Options {
    url: string;
    connections: number;
    /** Seconds. */
    duration: number;
    requests: readonly { setupRequest: (request: AutocannonRequest) => AutocannonRequest }[];
  }

  interface Result {
    readonly non2xx: number;
    readonly errors: number;
    readonly timeouts: number;
  }

  interface Instance extends PromiseLike<Result> {
    on(event: "response", listener: (client: object, statusCode: number, bytes: number, ms: number) => void): this;
  }

  export default function autocannon(options: Options): Instance;
}
