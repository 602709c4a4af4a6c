/** Requests of stock clients, and requests that name an index which is not configured, at a real engine behind the edge. */
import type { ForeignRequest } from "../backends/foreign/surface.ts";
import { ask, type Shape } from "./judge.ts";
import { SECRET_TEXT } from "./shop.ts";

/** As a shape whose outcome is open. */
export function shapeOf({ path, method, search, body, contentType }: ForeignRequest): Shape {
  const text = typeof body === "string" ? body : new TextDecoder().decode(body);
  const label = `${method} ${path}${search} ${text}`.slice(0, 300);
  const type = contentType === undefined ? {} : { headers: { "content-type": contentType } };
  return { label, method, path: `${path}${search}`, outcome: "any", ...(method === "POST" && text !== "" && { body: text, ...type }) };
}

/** What the edge let through; empty where all is well. */
export async function trespasses(attacks: readonly ForeignRequest[], edge: string): Promise<string[]> {
  const faults: string[] = [];
  for (const attack of attacks) {
    const shape = shapeOf(attack);
    const { status, body } = await ask(edge, shape); // oxlint-disable-line no-await-in-loop
    if (body.includes(SECRET_TEXT)) faults.push(`${shape.label}: the secret is in the reply`);
    // Of several searches in one request, those for configured indexes are answered beside it.
    const isErrorPart = status === 200 && body.includes('"type":"index_not_found_exception"');
    if (status !== 400 && status !== 404 && !isErrorPart) faults.push(`${shape.label}: ${status} ${body.slice(0, 200)}`);
  }
  return faults;
}
