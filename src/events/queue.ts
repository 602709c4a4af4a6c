/**
 * A queue between edge and store: the sink that sends, and the consumer of the same Worker that writes to another sink.
 *
 * Delivers at least once and in any order; the store deduplicates. An unreadable message is retried until the queue's own dead-letter queue
 * takes it: this code discards nothing.
 */
import type { MessageBatch, Queue } from "@cloudflare/workers-types";
import type { Result } from "../result.ts";
import type { Log } from "../web.ts";
import { type Envelope, parseEnvelope } from "./envelope.ts";
import { bytesOf } from "./keys.ts";
import { attempt, type Sink, writeAsNew } from "./sink.ts";
import type { ServedEvent, UbiQueryRecord } from "./ubi.ts";

/** A message has at most 128 KB with some room for its envelope. */
const MESSAGE_BYTES = 100_000;

const RETRY_DELAY_SECONDS = 30;

/**
 * Exposures and events in a queue, for a consumer that writes them elsewhere.
 *
 * @example
 * import { queue } from "armmt-edge/sinks/queue";
 * const sinks = [queue(env.EVENTS_QUEUE)];
 */
export function createQueueSink(queue: Pick<Queue, "send">): Sink {
  async function send(envelope: Envelope): Promise<void> {
    await queue.send(envelope, { contentType: "json" });
  }
  return {
    name: "queue",
    write: (exposure) => attempt(() => send({ kind: "exposure", exposure })),
    writeExposures: (exposures) => attempt(() => Promise.all(exposures.map((exposure) => send({ kind: "exposure", exposure })))),
    writeEvents: (events) =>
      writeAsNew(events, async () => {
        for (const part of partsOf(events)) await send({ kind: "events", events: part }); // oxlint-disable-line no-await-in-loop
      }),
  };
}

/** In order, each of at most MESSAGE_BYTES as JSON. */
function partsOf(events: readonly ServedEvent[]): readonly ServedEvent[][] {
  const parts: ServedEvent[][] = [];
  let bytes = Infinity;
  for (const event of events) {
    const length = bytesOf(JSON.stringify(event)).length + 1;
    if (bytes + length > MESSAGE_BYTES) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(event);
    bytes += length;
  }
  return parts;
}

/** Writes the messages of a batch to a sink that is not a queue, and acknowledges or retries each. Never rejects. */
export async function consumeBatch(batch: MessageBatch, { sink, log }: { readonly sink: Sink; readonly log: Log }): Promise<void> {
  const exposures: Delivery<UbiQueryRecord>[] = [];
  const events: Delivery<readonly ServedEvent[]>[] = [];
  for (const message of batch.messages) {
    const envelope = parseEnvelope(message.body);
    if (!envelope.ok) {
      log({ level: "error", event: "queue_message_unreadable", id: message.id, detail: envelope.error });
      message.retry({ delaySeconds: RETRY_DELAY_SECONDS });
    } else if (envelope.value.kind === "events") events.push({ message, content: envelope.value.events });
    else exposures.push({ message, content: envelope.value.exposure });
  }
  await Promise.all([
    // Any message may be a repeated delivery: exposures have no id that the store could know.
    settle(exposures, (records) => sink.writeExposures(records, true)),
    settle(events, (lists) => sink.writeEvents(lists.flat())),
  ]);

  async function settle<T>(deliveries: readonly Delivery<T>[], write: (contents: readonly T[]) => Promise<Result<unknown, string>>) {
    if (deliveries.length === 0) return;
    const written = await write(deliveries.map(({ content }) => content));
    if (!written.ok) log({ level: "warn", event: "queue_retry", sink: sink.name, messages: deliveries.length, detail: written.error });
    for (const { message } of deliveries) {
      if (written.ok) message.ack();
      else message.retry({ delaySeconds: RETRY_DELAY_SECONDS });
    }
  }
}

interface Delivery<T> {
  readonly message: MessageBatch["messages"][number];
  readonly content: T;
}

export { createQueueSink as queue };
