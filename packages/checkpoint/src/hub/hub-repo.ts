// Names on the hub: repositories and revisions. They become parts of paths and addresses, so only what the
// hub itself allows passes.

import { CheckpointError } from '../checkpoint-error.js';

/** A full commit hash; such a revision never changes. */
export const COMMIT_HASH = /^[0-9a-f]{40}$/;

const MAX_ID_CHARS = 96;
const MAX_REVISION_CHARS = 255;

/**
 * True for `owner/name` or `name` as the hub allows them (rules of huggingface_hub's `validate_repo_id`):
 * letters, digits, `-`, `_`, `.`, no `--` or `..`, neither `-` nor `.` at an end, not `.git` at the end.
 */
export function isHubId(id: string): boolean {
  const part = /^[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?$/;
  const parts = id.split('/');
  return (
    id.length <= MAX_ID_CHARS &&
    parts.length <= 2 &&
    parts.every((name) => part.test(name)) &&
    !id.includes('--') &&
    !id.includes('..') &&
    !id.endsWith('.git')
  );
}

/** Checks a branch, tag, `refs/pr/1` or commit. @throws CheckpointError `INVALID_OPTION`. */
export function checkRevision(revision: string): string {
  const parts = revision.split('/');
  const valid = revision.length <= MAX_REVISION_CHARS && parts.every((part) => /^[\w+-][\w.+-]*$/.test(part));
  if (!valid || revision.includes('..')) {
    throw new CheckpointError(
      'INVALID_OPTION',
      `Expected revision to be a branch, tag or commit but found ${JSON.stringify(revision.slice(0, MAX_REVISION_CHARS))}.`,
      { fields: { revision } },
    );
  }
  return revision;
}
