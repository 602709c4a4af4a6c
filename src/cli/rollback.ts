/**
 * `armmt rollback`: makes the previous set live again, by one write of the pointer. A second rollback undoes the first.
 */
import { Command } from "commander";
import { setKey } from "../embeddings/store.ts";
import { addNamespaceFlags, type NamespaceFlags, readPointer, withNamespace, writePointer } from "./publish.ts";
import type { Namespace } from "./publish/namespace.ts";
import { UserError } from "../web.ts";

export interface RollbackReport {
  readonly catalog: string;
  /** Live now. */
  readonly version: string;
  /** Live before, and again after another rollback. */
  readonly previous: string;
  readonly place: string;
}

/** Throws a UserError where no previous set exists or its keys are gone. */
export async function rollBack(namespace: Namespace, catalog: string): Promise<RollbackReport> {
  const current = await readPointer(namespace, catalog);
  if (current === undefined) {
    throw new UserError(`Nothing is published for "${catalog}" in ${namespace.place}: run armmt publish, or name another with --catalog`);
  }
  const { version, previous } = current;
  if (previous === null) {
    throw new UserError(`Version ${version} of "${catalog}" is the first one published in ${namespace.place}: there is none to go back to`);
  }
  const key = setKey(catalog, previous);
  if (!(await namespace.keys(key)).has(key)) {
    throw new UserError(`Version ${previous} of "${catalog}" is no longer in ${namespace.place} (no key ${key}): publish its folder again`);
  }
  await writePointer(namespace, catalog, { version: previous, previous: version, publishedAt: new Date().toISOString() });
  return { catalog, version: previous, previous: version, place: namespace.place };
}

export function createRollbackCommand(): Command {
  return addNamespaceFlags(new Command("rollback").description("Make the set published before live again")).action(
    async (flags: NamespaceFlags) => {
      const report = await withNamespace(flags, (namespace) => rollBack(namespace, flags.catalog));
      const { catalog, version, previous, place } = report;
      process.stdout.write(
        flags.json === true
          ? `${JSON.stringify(report, undefined, 2)}\n`
          : `${catalog}: version ${version} is live again in ${place}, ${previous} is not; a second rollback undoes this\n`,
      );
    },
  );
}
