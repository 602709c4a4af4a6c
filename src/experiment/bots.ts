/** Crawlers, which experiments leave out: they see pages too, and buy nothing. */
import { isbot } from "isbot";
import { USER_AGENT_HEADER } from "../protocol.ts";

/**
 * Judges the user agent that a server passes on, else the request's own if it looks like a browser's. Any other user agent is a program of the
 * shop, which searches for a shopper.
 */
export function isBot(headers: Headers): boolean {
  const given = headers.get(USER_AGENT_HEADER);
  if (given !== null) return isbot(given);
  const own = headers.get("user-agent");
  return own !== null && own.startsWith("Mozilla/") && isbot(own);
}
