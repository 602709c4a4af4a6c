/** This project's own Worker: all dialects, configured by wrangler.toml. A shop writes such a file itself, see examples/worker. */
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import { createWorker } from "./index.ts";
import { MODELS } from "./models.ts";

export default await createWorker({ models: MODELS, dialects: [...ALL_DIALECTS.values()] });
