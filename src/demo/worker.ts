/**
 * The demo shop: a Worker of its own that stands for any shop behind the edge. It knows nothing of re-ranking.
 */
import { createShopHandler } from "./routes.ts";

export default { fetch: createShopHandler() };
