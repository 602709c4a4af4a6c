/** Options that say where a log and keys are: the same words in every command that has them. */
import type { Command } from "commander";
import { expect, it } from "vitest";
import { createForgetCommand } from "../../src/cli/forget.ts";
import { createGuardCommand } from "../../src/cli/guard.ts";
import { createLadderCommand } from "../../src/cli/ladder.ts";
import { createListsCommand } from "../../src/cli/lists.ts";
import { createPlanCommand } from "../../src/cli/plan.ts";
import { createPublishCommand } from "../../src/cli/publish.ts";
import { createReportCommand } from "../../src/cli/report.ts";

const COMMANDS: readonly Command[] = [
  createReportCommand(),
  createPlanCommand(),
  createGuardCommand(),
  createLadderCommand(),
  createForgetCommand(),
  createListsCommand(),
  createPublishCommand(),
];

it.each([
  ["--persist-to", 7, 1],
  ["--config", 7, 1],
  // D1, KV, or both.
  ["--local", 7, 3],
  // Of D1, and of KV where there is no log.
  ["--binding", 6, 2],
  ["--kv-binding", 2, 1],
  ["--database", 5, 1],
  ["--queries", 4, 1],
  ["--events", 4, 1],
  ["--folder", 3, 1],
  ["--simulated", 2, 1],
])("%s is in %d commands, in %d words", (name, commands, words) => {
  const found = COMMANDS.flatMap(({ options }) => options.filter(({ long }) => long === name));
  expect(found).toHaveLength(commands);
  expect(new Set(found.map(({ description, defaultValue }) => `${description} ${String(defaultValue)}`)).size).toBe(words);
});

it.each([
  ["report", ["key", "--local", "--database", "events.sqlite"]],
  ["plan", ["--lift", "0.1", "--local", "--queries", "queries.ndjson"]],
  ["ladder", ["--local", "--folder", "kv"]],
  ["guard", ["key", "--local", "--folder", "kv"]],
])("%s refuses two places at once, by name", async (name, args) => {
  const command = COMMANDS.find((each) => each.name() === name)!;
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  await expect(command.parseAsync(args, { from: "user" })).rejects.toThrow(`cannot be used with option '--local'`);
});
