/** The script of the page of rules at /armmt/rules.html, bundled into assets/rules-page.bin as the dashboard is into src/dashboard/bundled.ts. */
import { openShell } from "../shell.ts";
import { viewRules } from "./view.ts";

openShell(async () => ({ nodes: [await viewRules()], note: "" }));
