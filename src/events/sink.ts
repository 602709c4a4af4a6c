/** Where exposure records go. The interface only; `d1.ts` fills it. */
import type { Result } from "../result.ts";
import type { UbiQueryRecord } from "./ubi.ts";

export interface ExposureSink {
  /** Never rejects; the error says what the store said. Called in `waitUntil`, so no shopper waits for it. */
  write(record: UbiQueryRecord): Promise<Result<true, string>>;
}
