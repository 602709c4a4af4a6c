/**
 * Stands for the Python environment (ARMMT_VENV): leaves the files that each module leaves, made from its inputs, and writes down every call. STUB_HANG and
 * STUB_FAIL name a module that waits until its standard input ends, or fails. The real modules are tested in model/tests.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SCRIPT = String.raw`
const { appendFileSync, cpSync, readFileSync, readdirSync, writeFileSync } = require("node:fs");
const { createHash } = require("node:crypto");
const args = process.argv.slice(2);
const home = process.env.ARMMT_VENV;
if (args[0] === "-c") { console.log("0"); process.exit(0); }
const [, attached, name, ...rest] = args;
if (attached !== "armmt.training.attached") { console.error("not attached: " + args); process.exit(1); }
const option = (name) => rest[rest.indexOf(name) + 1];
const [lists, out] = [option("--lists"), option("--out")];
const what = name.split(".").at(-1) + (rest.includes("--seeds") ? " " + option("--seeds") : "");
appendFileSync(home + "/calls", what + "\n");
const write = (name, text) => writeFileSync(out + "/" + name, text);
const work = () => {
  if (name.endsWith("newest")) return cpSync(lists, out, { recursive: true });
  const parquet = createHash("sha256").update(readFileSync(lists + "/lists.parquet")).digest("hex");
  if (name.endsWith("train_student")) {
    const teachers = readdirSync(out).filter((name) => name.startsWith("teacher-")).sort();
    write("student.onnx", [parquet, ...teachers.map((name) => readFileSync(out + "/" + name, "utf8"))].join());
    write("golden.json", "{}");
    write("manifest.json", JSON.stringify({ version: option("--version"), trainedOn: option("--trained-on") }));
    return;
  }
  const teacher = name.endsWith("train_trees") ? "trees" : option("--seeds");
  for (const kind of ["teacher", "targets", "validation"]) write(kind + "-" + teacher + (kind === "teacher" ? ".json" : ".npy"), what);
};
process.stdin.on("end", () => process.exit(1)).resume();
if (what === process.env.STUB_FAIL) { console.error("stub fails"); process.exit(1); }
if (what === process.env.STUB_HANG) { write("half-" + process.pid, ""); appendFileSync(home + "/hung", process.pid + "\n"); setInterval(() => {}, 1000); }
else { work(); process.exit(0); }
`;

export function stubPython(folder: string) {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "stub.cjs"), SCRIPT);
  writeFileSync(join(bin, "python"), `#!/bin/sh\nexec "${process.execPath}" "${join(bin, "stub.cjs")}" "$@"\n`);
  chmodSync(join(bin, "python"), 0o755);
  const read = (name: string): string[] => {
    const path = join(folder, name);
    return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").filter(Boolean) : [];
  };
  return {
    venv: folder,
    /** Modules that ran, or began, since the last `forget`. */
    calls: () => read("calls"),
    /** Ids of the processes that wait. */
    hung: () => read("hung").map(Number),
    forget(): void {
      for (const name of ["calls", "hung"]) writeFileSync(join(folder, name), "");
    },
  };
}
