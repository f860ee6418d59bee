// A server on this machine that speaks the part of the hub's protocol a download uses: the commit of a
// revision, the list of files, and files with ETag, Range and the redirect to storage of large ones.

import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Files } from './make-checkpoint.js';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

export interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export interface FakeHubOptions {
  readonly id?: string;
  /** Requests without this token are refused. */
  readonly token?: string;
  /** Status and code of a refusal for everything. */
  readonly refuse?: { status: number; code?: string };
  /** The list of files goes on at another origin. */
  readonly listElsewhere?: boolean;
  /** Ignore Range, as some proxies do. */
  readonly noRange?: boolean;
}

/** Names of blobs, computed as git and git-lfs do. */
export const gitOid = (content: Uint8Array): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
export const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

export class FakeHub implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  /** Connections to storage are cut after this many bytes, as often as there are entries. */
  readonly cuts: number[] = [];
  /** What is sent instead of a file's bytes. */
  readonly damage = new Map<string, Uint8Array>();
  private readonly files: ReadonlyMap<string, Buffer>;
  private readonly server: Server;

  private constructor(
    files: Files,
    private readonly options: FakeHubOptions,
  ) {
    this.files = new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)]));
    this.server = createServer((request, response) => this.answer(request, response));
  }

  static async start(files: Files, options: FakeHubOptions = {}): Promise<FakeHub> {
    const hub = new FakeHub(files, options);
    await new Promise<void>((resolve) => hub.server.listen(0, '127.0.0.1', resolve));
    return hub;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Storage is another origin: the same server under another name. */
  get storage(): string {
    return this.endpoint.replace('127.0.0.1', 'localhost');
  }

  get bodyRequests(): SeenRequest[] {
    return this.requests.filter(({ path }) => path.includes('/resolve/'));
  }

  get storageRequests(): SeenRequest[] {
    return this.requests.filter(({ path }) => path.startsWith('/storage/'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', this.endpoint);
    const { range, authorization } = request.headers;
    this.requests.push({ path: pathname, range, authorization });
    if (pathname.startsWith('/storage/'))
      return this.sendFile(request, response, pathname.slice('/storage/'.length));

    if (pathname === '/elsewhere') return send(response, 200, this.tree().slice(1));
    const { token, refuse, id = 'owner/name' } = this.options;
    if (refuse) return send(response, refuse.status, { error: 'no' }, refuse.code);
    if (token !== undefined && authorization !== `Bearer ${token}`) {
      return send(response, 401, { error: 'no' }, 'GatedRepo');
    }
    if (pathname === `/api/models/${id}/revision/main`) {
      return send(response, 200, {
        _id: '1',
        id,
        sha: COMMIT,
        private: false,
        downloads: 0,
        likes: 0,
        gated: false,
      });
    }
    if (pathname === `/api/models/${id}/tree/${COMMIT}`) {
      if (!this.options.listElsewhere) return send(response, 200, this.tree());
      response.setHeader('link', `<${this.storage}/elsewhere>; rel="next"`);
      return send(response, 200, this.tree().slice(0, 1));
    }
    const treePrefix = `/api/models/${id}/tree/${COMMIT}/`;
    if (pathname.startsWith(treePrefix)) {
      return send(response, 200, this.tree(decodeURIComponent(pathname.slice(treePrefix.length))));
    }
    const prefix = `/${id}/resolve/${COMMIT}/`;
    if (pathname.startsWith(prefix)) return this.resolve(request, response, pathname.slice(prefix.length));
    send(response, 404, { error: 'not found' }, 'RepoNotFound');
  }

  /** What lies directly in a folder, as the hub lists it. */
  private tree(folder = ''): unknown[] {
    const prefix = folder === '' ? '' : `${folder}/`;
    const inside = [...this.files].filter(([path]) => path.startsWith(prefix));
    const isDirect = (path: string): boolean => !path.slice(prefix.length).includes('/');
    const folders = new Set(
      inside
        .filter(([path]) => !isDirect(path))
        .map(([path]) => path.slice(0, path.indexOf('/', prefix.length))),
    );
    const files = inside
      .filter(([path]) => isDirect(path))
      .map(([path, content]) => ({
        ...{ type: 'file', path, size: content.length, oid: gitOid(content) },
        // What git holds for a large file is a pointer; `oid` is its hash, not that of the content.
        ...(isLarge(path) && {
          oid: gitOid(Buffer.from(`pointer to ${path}`)),
          lfs: { oid: sha256(content), size: content.length, pointerSize: 134 },
        }),
      }));
    const directories = folder === '' ? ['original', ...folders] : [...folders];
    return [...files, ...directories.map((path) => ({ type: 'directory', path, size: 0, oid: COMMIT }))];
  }

  private resolve(request: IncomingMessage, response: ServerResponse, path: string): void {
    const content = this.files.get(path);
    if (content === undefined) return send(response, 404, { error: 'no' }, 'EntryNotFound');
    if (!isLarge(path)) return this.sendFile(request, response, path);
    response.writeHead(302, {
      location: `${this.storage}/storage/${path}`,
      'x-repo-commit': COMMIT,
      'x-linked-etag': `"${sha256(content)}"`,
      'x-linked-size': content.length,
    });
    response.end();
  }

  private sendFile(request: IncomingMessage, response: ServerResponse, path: string): void {
    const content = this.damage.get(path) ?? this.files.get(path) ?? Buffer.alloc(0);
    const from = this.options.noRange
      ? 0
      : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const body = content.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': body.length,
      etag: `"${gitOid(content)}"`,
      'x-repo-commit': COMMIT,
      ...(from > 0 && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
    });
    const cut = isLarge(path) ? this.cuts.shift() : undefined;
    if (cut === undefined) response.end(body);
    else response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
  }
}

function isLarge(path: string): boolean {
  return path.endsWith('.safetensors');
}

function send(response: ServerResponse, status: number, body: unknown, errorCode?: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(errorCode !== undefined && { 'x-error-code': errorCode }),
  });
  response.end(JSON.stringify(body));
}
