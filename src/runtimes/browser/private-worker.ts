/**
 * What the service worker does, without its events: opens the edge on what is stored here, answers searches, keeps the files up to date, and
 * says how it stands.
 *
 * One rule over all: whatever fails, the request is not answered here, and goes to the network as the page sent it.
 */
import type { Fetch } from "../../backends/engine.ts";
import { ConfigurationError, logToConsole as log } from "../../edge.ts";
import { DEVICE_HEADER, OUTCOME_HEADER } from "../../protocol.ts";
import type { ProviderPreference } from "../../inference/providers.ts";
import type { DeviceScorer } from "./device-scorer.ts";
import { openDeviceScorer, scorerKey, scorerFiles } from "./device-scorer.ts";
import type { PrivateEdge } from "./create-private-edge.ts";
import { createPrivateEdge } from "./create-private-edge.ts";
import type { FetchProgress, FileStore } from "./files.ts";
import { viewedItems } from "./history.ts";
import { createFileKv } from "./kv.ts";
import type { Listing } from "./listing.ts";
import type { Problem } from "./problem.ts";
import { FileError, problemOf } from "./problem.ts";
import { ownFailure } from "./reply.ts";

export interface PrivateWorkerOptions {
  readonly store: FileStore;
  /** Of the page and its searches. */
  readonly origin: string;
  readonly preference: ProviderPreference;
  /** To the engine. */
  readonly fetch: Fetch;
}

/** Where the engine's reply came from; told by whoever fetched it. */
export type EngineSource = "network" | "device";

/** An update of files.json is looked for at most so often. */
const UPDATE_EVERY_MS = 60_000;
/** After a failure the next search tries again, but not each of them. */
const RETRY_AFTER_MS = 10_000;
/** Of a worker that has just started; beyond it the network answers. */
const READY_WITHIN_MS = 5000;

interface Opened {
  readonly edge: PrivateEdge;
  readonly scorer: Promise<DeviceScorer>;
}

export class PrivateWorker {
  readonly #options: PrivateWorkerOptions;
  #opened: Promise<Opened> | undefined;
  #openedAt = 0;
  /** Files and edge; the model may still be on its way. */
  #isOpen = false;
  #checkedAt = 0;
  /** Models outlive an update of the files that does not touch them: onnxruntime starts once. */
  #scorer: { readonly key: string; readonly promise: Promise<DeviceScorer> } | undefined;
  #problem: Problem | undefined;
  #updateProblem: Problem | undefined;
  #isRemoved = false;
  readonly #searches = { device: 0, network: new Map<string, number>() };
  #engine: EngineSource | undefined;

  constructor(options: PrivateWorkerOptions) {
    this.#options = options;
  }

  /** Fetches what is needed before it is needed, and starts the model once, which proves it. Throws a FileError. */
  async install(onProgress: (progress: FetchProgress) => void): Promise<void> {
    const { store } = this.#options;
    // What fails below is tried again by whoever searches, until it is deleted.
    await store.expect();
    const listing = await store.fetchListing();
    await store.fetchMissing(wantedFirst(listing), onProgress);
    await store.hold(listing);
    this.#opened = undefined;
    await (
      await this.#open()
    ).scorer;
  }

  /** Starts the model, for the search that is about to come. Never rejects: that search will say what is wrong. */
  async warmUp(): Promise<void> {
    if (this.#isRemoved) return;
    await this.#open()
      .then(({ scorer }) => scorer)
      .catch(() => undefined);
  }

  /** The answer, or undefined: then it is not for this worker, or it failed, and status() says why. */
  async search(request: Request, keepAlive: (work: Promise<unknown>) => void): Promise<Response | undefined> {
    if (this.#isRemoved) return undefined;
    if (!this.#isOpen && !(await this.#isInstalled())) {
      // Whatever this request is, it does not wait for a download.
      keepAlive(this.warmUp());
      return undefined;
    }
    try {
      const { edge, scorer } = await this.#open();
      if (!edge.isSearch(request)) return undefined;
      return await this.#answer(request, edge, await within(scorer, READY_WITHIN_MS), keepAlive);
    } catch (cause) {
      this.#problem = problemOfOpening(cause);
      this.#count(this.#problem.reason);
      return undefined;
    }
  }

  async #answer(
    request: Request,
    edge: PrivateEdge,
    scorer: DeviceScorer,
    keepAlive: (work: Promise<unknown>) => void,
  ): Promise<Response | undefined> {
    const model = scorer.scorers();
    if (!model.ok) throw new FileError("model_unavailable", `${model.error.reason}: ${model.error.detail}`);
    const reply = await edge.search(
      request,
      (await viewedItems()).map(({ id }) => id),
      keepAlive,
    );
    const failure = ownFailure(reply.headers.get(OUTCOME_HEADER));
    if (failure !== undefined) {
      this.#count(failure);
      await reply.body?.cancel();
      return undefined;
    }
    this.#searches.device++;
    this.#problem = undefined;
    const answer = new Response(reply.body, reply);
    const from = this.#engine === undefined ? "" : `; engine=${this.#engine}`;
    answer.headers.set(DEVICE_HEADER, `provider=${scorer.state().provider}${from}`);
    return answer;
  }

  async #isInstalled(): Promise<boolean> {
    return (await this.#options.store.heldListing()) !== undefined;
  }

  #count(reason: string): void {
    const { network } = this.#searches;
    network.set(reason, (network.get(reason) ?? 0) + 1);
  }

  /** Told by whoever asks the engine. */
  noteEngine(source: EngineSource): void {
    this.#engine = source;
  }

  /** Looks for another files.json, at most once a minute. Resolves to true where this worker's own script is too old for it. */
  async update(onProgress: (progress: FetchProgress) => void, now = Date.now()): Promise<boolean> {
    if (this.#isRemoved || now - this.#checkedAt < UPDATE_EVERY_MS) return false;
    this.#checkedAt = now;
    const { store } = this.#options;
    try {
      const [fresh, held] = await Promise.all([store.fetchListing(), store.heldListing()]);
      if (JSON.stringify(fresh) !== JSON.stringify(held)) {
        scorerFiles(fresh);
        await store.fetchMissing(wantedFirst(fresh), onProgress);
        await store.hold(fresh);
        this.#opened = undefined;
      }
      this.#updateProblem = undefined;
      return false;
    } catch (cause) {
      this.#updateProblem = problemOf(cause);
      return this.#updateProblem.reason === "worker_outdated";
    }
  }

  /** For status.json. */
  async status(): Promise<object> {
    const { store, preference } = this.#options;
    const note = (cause: unknown): void => void (this.#problem = problemOfOpening(cause));
    const listing = await store.heldListing();
    const files = listing === undefined ? [] : await store.held(listing);
    const opened = this.#isRemoved ? undefined : await this.#open().catch(note);
    const scorer = await opened?.scorer.catch(note);
    const model = scorer?.scorers();
    return {
      preference,
      ...scorer?.state(),
      model: model?.ok === true ? model.value.manifest.version : null,
      problem: this.#isRemoved ? { reason: "removed", detail: "Deleted from this device" } : (this.#problem ?? null),
      update: this.#updateProblem ?? null,
      files: { count: listing?.files.length ?? 0, held: files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) },
      searches: { device: this.#searches.device, network: Object.fromEntries(this.#searches.network) },
      engine: this.#engine ?? null,
      edge: opened === undefined ? null : await opened.edge.describe(),
    };
  }

  /** A file of the listing by name; undefined where it lists none. Rejects with a FileError. */
  async readFile(name: string): Promise<Uint8Array | undefined> {
    const file = (await this.#options.store.heldListing())?.files.find((one) => one.name === name);
    return file === undefined ? undefined : this.#options.store.read(file);
  }

  /** Whether anything may be kept on this device: not after it was deleted, also in a worker that was started again since. */
  async mayKeep(): Promise<boolean> {
    return !this.#isRemoved && (await this.#options.store.isExpected());
  }

  /** From now on nothing is answered or stored; what is stored goes. */
  async remove(): Promise<void> {
    this.#isRemoved = true;
    this.#opened = undefined;
    await this.#options.store.clear();
  }

  /** Once per start of the worker; after a failure again, a while later. */
  #open(): Promise<Opened> {
    const now = Date.now();
    if (this.#opened !== undefined) return this.#opened;
    if (this.#problem !== undefined && now - this.#openedAt < RETRY_AFTER_MS && this.#openedAt > 0) {
      return Promise.reject(new FileError(this.#problem.reason, this.#problem.detail));
    }
    this.#openedAt = now;
    const opening = this.#openFiles();
    this.#opened = opening;
    const note = (cause: unknown): void => {
      if (this.#opened !== opening) return;
      this.#opened = undefined;
      this.#problem = problemOfOpening(cause);
    };
    void opening.then(({ scorer }) => scorer).then(() => (this.#problem = undefined), note);
    return opening;
  }

  async #openFiles(): Promise<Opened> {
    const { store, origin, fetch } = this.#options;
    let listing = await store.heldListing();
    if (listing === undefined) {
      // Deleted, and started again for a page that was open then.
      if (!(await store.isExpected())) throw new FileError("removed", "Nothing is stored on this device: load the page again");
      listing = await store.fetchListing();
      await store.fetchMissing(wantedFirst(listing));
      await store.hold(listing);
    }
    const scorer = this.#openScorer(listing);
    // Nobody may be there to hear of it yet.
    scorer.catch(() => undefined);
    let current: DeviceScorer | undefined;
    void scorer.then((opened) => (current = opened)).catch(() => undefined);
    const edge = createPrivateEdge({
      config: listing.config,
      origin,
      kv: createFileKv(store, listing),
      scorer: (version) =>
        current?.scorers(version) ?? { ok: false, error: { reason: "model_unavailable", detail: "The model is being loaded" } },
      fetch,
    });
    this.#isOpen = true;
    return { edge, scorer };
  }

  #openScorer(listing: Listing): Promise<DeviceScorer> {
    const key = scorerKey(listing);
    const known = this.#scorer;
    if (known?.key === key) return known.promise;
    const promise = openDeviceScorer({ listing, store: this.#options.store, preference: this.#options.preference, log });
    this.#scorer = { key, promise };
    promise
      .catch(() => {
        if (this.#scorer?.promise === promise) this.#scorer = undefined;
      })
      // The model before this one gives its memory back.
      .then(() => known?.promise)
      .then((before) => before?.dispose())
      .catch(() => undefined);
    return promise;
  }
}

function wantedFirst({ files }: Listing): Listing["files"] {
  return files.filter(({ when }) => when === "install");
}

function problemOfOpening(cause: unknown): Problem {
  return cause instanceof ConfigurationError ? { reason: "configuration", detail: cause.message } : problemOf(cause);
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new FileError("not_ready", `The model was not ready within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
