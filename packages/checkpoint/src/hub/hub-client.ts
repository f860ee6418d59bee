// Talking to the hub: which commit a revision is, which files it has, the bytes of a file from an offset.
// Every refusal becomes a typed error here; what is stored where is decided elsewhere.

import { CheckpointError, reasonOf } from '../checkpoint-error.js';
import { isPlainFileName } from '../folder-files.js';
import { TEMPLATE_FOLDER } from './needed-files.js';
import { COMMIT_HASH } from './hub-repo.js';

/** A file of a repository. */
export interface HubFile {
  /** At the root, or in {@link TEMPLATE_FOLDER} with its path. */
  readonly name: string;
  readonly bytes: number;
  /** Name of its blob: SHA-256 of large files (64 digits), git's SHA-1 of others (40). */
  readonly etag: string;
}

/** A repository has a few dozen files; a list without end is not one. */
const MAX_LISTED_FILES = 20_000;
const ETAG = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export interface HubClientOptions {
  readonly endpoint: string;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Only what goes to the network pays for loading it. */
const loadLibrary = () => import('@huggingface/hub');

export class HubClient {
  constructor(
    private readonly id: string,
    private readonly options: HubClientOptions,
  ) {}

  /** The commit of a branch, tag or commit. */
  async resolveCommit(revision: string): Promise<string> {
    const { modelInfo } = await loadLibrary();
    const info = await modelInfo({
      name: this.id,
      revision,
      hubUrl: this.options.endpoint,
      additionalFields: ['sha'],
      fetch: this.fetch,
    });
    if (!COMMIT_HASH.test(info.sha)) {
      throw new CheckpointError(
        'HUB_FAILED',
        `Expected a commit of ${this.id} but the hub sent something else.`,
      );
    }
    return info.sha;
  }

  /**
   * The files at the root, and those of the one folder that is of use. Files whose names or hashes cannot be stored
   * safely are left out.
   */
  async listFiles(commit: string): Promise<HubFile[]> {
    return this.understood(async () => {
      const files: HubFile[] = [];
      const hasTemplates = await this.list(commit, { into: files });
      if (hasTemplates) await this.list(commit, { into: files, folder: TEMPLATE_FOLDER });
      return files;
    });
  }

  /** Whether there is a folder of templates among the entries. */
  private async list(
    commit: string,
    { into, folder }: { into: HubFile[]; folder?: string },
  ): Promise<boolean> {
    const { endpoint: hubUrl } = this.options;
    const prefix = folder === undefined ? '' : `${folder}/`;
    const place = folder === undefined ? {} : { path: folder };
    let hasTemplates = false;
    const { listFiles } = await loadLibrary();
    const entries = listFiles({ repo: this.id, revision: commit, hubUrl, fetch: this.fetch, ...place });
    for await (const { type, path, size, oid, lfs } of entries) {
      hasTemplates ||= type === 'directory' && path === TEMPLATE_FOLDER;
      const etag = lfs?.oid ?? oid ?? '';
      const bytes = lfs?.size ?? size;
      const isSafe = path.startsWith(prefix) && isPlainFileName(path.slice(prefix.length));
      if (type !== 'file' || !isSafe || !ETAG.test(etag) || !Number.isSafeInteger(bytes)) continue;
      if (into.push({ name: path, bytes, etag }) > MAX_LISTED_FILES) {
        throw new CheckpointError('HUB_FAILED', `Expected at most ${MAX_LISTED_FILES} files in ${this.id}.`);
      }
    }
    return hasTemplates;
  }

  /** The response to a request for a file from `offset`: 206 with the rest, or 200 with all of it. */
  openFile(commit: string, file: string, range: { offset: number; signal: AbortSignal }): Promise<Response> {
    const path = file.split('/').map(encodeURIComponent).join('/');
    const url = `${this.options.endpoint}/${this.id}/resolve/${commit}/${path}`;
    const headers = new Headers({ 'accept-encoding': 'identity' });
    if (range.offset > 0) headers.set('range', `bytes=${range.offset}-`);
    return this.fetch(url, { headers, signal: range.signal });
  }

  /** An answer that is not what the hub's protocol says (the page of a proxy, say) is a typed error too. */
  private async understood<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (cause) {
      this.options.signal?.throwIfAborted();
      if (cause instanceof CheckpointError) throw cause;
      const { endpoint } = this.options;
      throw new CheckpointError(
        'HUB_FAILED',
        `Expected an answer of a Hugging Face hub from ${endpoint} for ${this.id} but it was not understood: ` +
          `${reasonOf(cause)}. Check HF_ENDPOINT and any proxy.`,
        { fields: { id: this.id, endpoint }, cause },
      );
    }
  }

  private readonly fetch = async (
    input: string | URL | Request,
    init: RequestInit = {},
  ): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init.headers);
    headers.set('user-agent', 'airllm.ts');
    // The token goes to the hub alone; `fetch` drops it when a redirect leaves the hub for its storage.
    if (this.options.token && url.origin === new URL(this.options.endpoint).origin) {
      headers.set('authorization', `Bearer ${this.options.token}`);
    }
    let response: Response;
    try {
      response = await fetch(url, { signal: this.options.signal ?? null, ...init, headers });
    } catch (cause) {
      this.options.signal?.throwIfAborted();
      throw new CheckpointError(
        'HUB_UNREACHABLE',
        `Could not reach ${url.origin}: ${reasonOf(cause)}. Check the network, or set HF_HUB_OFFLINE=1 to use the cache.`,
        { fields: { id: this.id, url: url.href }, cause },
      );
    }
    if (!response.ok) throw await this.toError(response);
    return response;
  };

  private async toError(response: Response): Promise<CheckpointError> {
    await response.body?.cancel();
    const { status } = response;
    const fields = { id: this.id, status, url: response.url };
    const reason = response.headers.get('x-error-code') ?? `status ${status}`;
    // Without a token the hub answers 401 for private repositories and for those that do not exist.
    if (status === 401 || status === 403) {
      return new CheckpointError(
        'ACCESS_DENIED',
        `The hub refused ${this.id} (${reason}). Check the name; if it is private or gated, ask for access on its page ` +
          'and set HF_TOKEN (or the option hfToken) to a token of an account that has it.',
        { fields },
      );
    }
    if (status === 404) {
      return new CheckpointError(
        'REPO_NOT_FOUND',
        `The hub does not have ${this.id}, this revision or this file (${reason}). Check the names.`,
        { fields },
      );
    }
    return new CheckpointError(
      'HUB_FAILED',
      `The hub answered with ${reason} for ${this.id}. Try again later.`,
      {
        fields,
      },
    );
  }
}
