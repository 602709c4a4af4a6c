/** Requests to the edge that serves this page. The token stands in this tab's sessionStorage, and goes nowhere but into their `authorization` header. */

export const KEY = "armmt-admin";

export class Refusal extends Error {}

/** `answer`: what the edge says besides. */
export class Failure extends Error {
  readonly status: number;
  readonly answer: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, answer: Readonly<Record<string, unknown>>) {
    super(message);
    this.status = status;
    this.answer = answer;
  }
}

/** Rejects with a Refusal without the right token, else with a Failure. */
export async function ask<T>(path: string, body?: object): Promise<T> {
  const reply = await fetch(path, {
    headers: {
      authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    credentials: "omit",
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
  });
  if (reply.status === 401) throw new Refusal("This is not the admin token of this edge.");
  const answer = await reply.json().catch(() => ({}));
  if (!reply.ok)
    throw new Failure(reply.status, String(answer.error ?? answer.problems?.join("\n") ?? `${path} answered ${reply.status}`), answer);
  return answer;
}
