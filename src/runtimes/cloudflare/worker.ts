/** This project's own Worker: all dialects, configured by wrangler.toml. A shop writes such a file itself, see examples/worker. */
import rulesPage from "../../../assets/rules-page.bin";
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import { createWorker } from "./index.ts";
import { MODELS } from "./models.ts";

export default await createWorker({ models: MODELS, rulesPage, dialects: [...ALL_DIALECTS.values()] });
