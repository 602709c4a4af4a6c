/**
 * The service worker without its events: opens the edge on the stored files, answers searches, updates the files, and reports its status.
 *
 * After any failure the request is not answered here: it goes to the network as the page sent it.
 */
import type { Fetch } from "../../backends/engine.ts";
import { ConfigurationError } from "../../edge.ts";
import { DEVICE_HEADER, OUTCOME_HEADER } from "../../protocol.ts";
import type { ProviderPreference } from "../../inference/providers.ts";
import { withTimeout } from "../../web.ts";
import { type BrowserEdge, createBrowserEdge } from "./edge.ts";
import type { FileManifest } from "./file-manifest.ts";
import { createFileKv, type FileStore } from "./files.ts";
import { viewedItems } from "./history.ts";
import type { FetchProgress } from "./messages.ts";
import { FileError, ownFailure, type Problem, problemOf } from "./problem.ts";
import { type DeviceScorer, openDeviceScorer, scorerFiles, scorerKey } from "./scorer.ts";

export interface BrowserWorkerOptions {
  readonly store: FileStore;
  /** Origin of the page and its searches. */
  readonly origin: string;
  readonly preference: ProviderPreference;
  /** Sends a search to the engine. */
  readonly fetch: Fetch;
}

/** Source of the engine's reply, reported by its fetcher. */
export type EngineSource = "network" | "device";

/** Minimum interval between update checks. */
const UPDATE_INTERVAL_MS = 60_000;
/** Minimum interval between attempts to open the edge. */
const RETRY_INTERVAL_MS = 10_000;
/** How long a search waits for the model; then the network answers. */
const READY_TIMEOUT_MS = 5000;

interface Opened {
  readonly edge: BrowserEdge;
  readonly scorer: Promise<DeviceScorer>;
}

export class BrowserWorker {
  readonly #options: BrowserWorkerOptions;
  #opened: Promise<Opened> | undefined;
  #openedAt = 0;
  /** Files and edge are open; the model may still be loading. */
  #isOpen = false;
  #checkedAt = 0;
  /** Kept across updates of other files: onnxruntime starts once. */
  #scorer: { readonly key: string; readonly promise: Promise<DeviceScorer> } | undefined;
  #problem: Problem | undefined;
  #updateProblem: Problem | undefined;
  #isRemoved = false;
  readonly #searches = { device: 0, network: new Map<string, number>() };
  #engine: EngineSource | undefined;

  constructor(options: BrowserWorkerOptions) {
    this.#options = options;
  }

  /** Fetches the files, and starts the model, which checks it. Throws a FileError. */
  async install(onProgress: (progress: FetchProgress) => void): Promise<void> {
    const { store } = this.#options;
    // Later searches try again what fails below, until everything is deleted.
    await store.expect();
    const manifest = await store.fetchManifest();
    await this.#use(manifest, onProgress);
    const { scorer } = await this.#open();
    await scorer;
  }

  /** The next search opens the edge on these files. */
  async #use(manifest: FileManifest, onProgress: (progress: FetchProgress) => void): Promise<void> {
    await installFiles(this.#options.store, manifest, onProgress);
    this.#opened = undefined;
  }

  /** Starts the model for the next search. Never rejects: that search reports the failure. */
  async warmUp(): Promise<void> {
    if (this.#isRemoved) return;
    await this.#open()
      .then(({ scorer }) => scorer)
      .catch(() => undefined);
  }

  /** The reply, or undefined where the request is not a search or failed; status() has the reason. */
  async search(request: Request, keepAlive: (work: Promise<unknown>) => void): Promise<Response | undefined> {
    if (this.#isRemoved) return undefined;
    if (!this.#isOpen && (await this.#options.store.cachedManifest()) === undefined) {
      // No request waits for a download.
      keepAlive(this.warmUp());
      return undefined;
    }
    try {
      const { edge, scorer } = await this.#open();
      if (!edge.isSearch(request)) return undefined;
      const ready = await withTimeout(scorer, READY_TIMEOUT_MS, () => undefined);
      if (ready === undefined) throw new FileError("not_ready", `The model was not ready within ${READY_TIMEOUT_MS} ms`);
      const model = ready.scorers();
      if (!model.ok) throw new FileError("model_unavailable", `${model.error.reason}: ${model.error.detail}`);
      const history = (await viewedItems()).map(({ id }) => id);
      const reply = await edge.search(request, history, keepAlive);
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
      answer.headers.set(DEVICE_HEADER, `provider=${ready.state().provider}${from}`);
      return answer;
    } catch (cause) {
      this.#problem = problemOfOpening(cause);
      this.#count(this.#problem.reason);
      return undefined;
    }
  }

  #count(reason: string): void {
    const { network } = this.#searches;
    network.set(reason, (network.get(reason) ?? 0) + 1);
  }

  /** Called for each reply of the engine. */
  noteEngine(source: EngineSource): void {
    this.#engine = source;
  }

  /** Checks for another files.json, at most once a minute. Resolves to true where this worker's script is too old for it. */
  async update(onProgress: (progress: FetchProgress) => void, now = Date.now()): Promise<boolean> {
    if (this.#isRemoved || now - this.#checkedAt < UPDATE_INTERVAL_MS) return false;
    this.#checkedAt = now;
    const { store } = this.#options;
    try {
      const [fresh, cached] = await Promise.all([store.fetchManifest(), store.cachedManifest()]);
      if (JSON.stringify(fresh) !== JSON.stringify(cached)) {
        scorerFiles(fresh);
        await this.#use(fresh, onProgress);
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
    const manifest = await store.cachedManifest();
    const files = manifest === undefined ? [] : await store.cachedFiles(manifest);
    const opened = this.#isRemoved ? undefined : await this.#open().catch(note);
    const scorer = await opened?.scorer.catch(note);
    const model = scorer?.scorers();
    return {
      preference,
      ...scorer?.state(),
      model: model?.ok === true ? model.value.manifest.version : null,
      problem: this.#isRemoved ? { reason: "removed", detail: "Deleted from this device" } : (this.#problem ?? null),
      update: this.#updateProblem ?? null,
      files: { count: manifest?.files.length ?? 0, held: files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) },
      searches: { device: this.#searches.device, network: Object.fromEntries(this.#searches.network) },
      engine: this.#engine ?? null,
      edge: opened === undefined ? null : await opened.edge.describe(),
    };
  }

  /** A file of files.json by name; undefined where it is not listed. Rejects with a FileError. */
  async readFile(name: string): Promise<Uint8Array | undefined> {
    const file = (await this.#options.store.cachedManifest())?.files.find((listed) => listed.name === name);
    return file === undefined ? undefined : this.#options.store.read(file);
  }

  /** False after a deletion, also in a worker that was started since: then nothing may be stored. */
  async mayKeep(): Promise<boolean> {
    return !this.#isRemoved && (await this.#options.store.isExpected());
  }

  /** Deletes the files; nothing is answered or stored afterwards. */
  async remove(): Promise<void> {
    this.#isRemoved = true;
    this.#opened = undefined;
    await this.#options.store.clear();
  }

  /** Once per start of the worker, and again some time after a failure. */
  #open(): Promise<Opened> {
    const now = Date.now();
    if (this.#opened !== undefined) return this.#opened;
    if (this.#problem !== undefined && now - this.#openedAt < RETRY_INTERVAL_MS && this.#openedAt > 0) {
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
    let manifest = await store.cachedManifest();
    if (manifest === undefined) {
      // Deleted, then started again for a page that was still open.
      if (!(await store.isExpected())) throw new FileError("removed", "Nothing is stored on this device: load the page again");
      manifest = await store.fetchManifest();
      await installFiles(store, manifest);
    }
    const scorer = this.#openScorer(manifest);
    let current: DeviceScorer | undefined;
    // The rejection may come before anything awaits it.
    void scorer.then((opened) => (current = opened)).catch(() => undefined);
    const edge = createBrowserEdge({
      config: manifest.config,
      origin,
      kv: createFileKv(store, manifest),
      scorer: (version) =>
        current?.scorers(version) ?? { ok: false, error: { reason: "model_unavailable", detail: "The model is being loaded" } },
      fetch,
    });
    this.#isOpen = true;
    return { edge, scorer };
  }

  #openScorer(fileManifest: FileManifest): Promise<DeviceScorer> {
    const key = scorerKey(fileManifest);
    const previous = this.#scorer;
    if (previous?.key === key) return previous.promise;
    const promise = openDeviceScorer(fileManifest, this.#options.store, this.#options.preference);
    this.#scorer = { key, promise };
    promise
      .catch(() => {
        if (this.#scorer?.promise === promise) this.#scorer = undefined;
      })
      // Frees the memory of the previous model.
      .then(() => previous?.promise)
      .then((scorer) => scorer?.dispose())
      .catch(() => undefined);
    return promise;
  }
}

async function installFiles(store: FileStore, manifest: FileManifest, onProgress?: (progress: FetchProgress) => void): Promise<void> {
  const files = manifest.files.filter(({ when }) => when === "install");
  await store.fetchMissing(files, onProgress);
  await store.cacheManifest(manifest);
}

function problemOfOpening(cause: unknown): Problem {
  return cause instanceof ConfigurationError ? { reason: "configuration", detail: cause.message } : problemOf(cause);
}
