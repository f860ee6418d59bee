// What a process that tried a device tells the one that asked: checked there, since a broken driver may write anything.

import { z } from 'zod';

export type DeviceAnswer =
  | { readonly works: true; readonly name: string; readonly isSoftware: boolean }
  | { readonly works: false; readonly reason: string };

/** The file descriptor that answers are written to: drivers write to the usual ones. */
export const ANSWER_FD = 3;
/** More is not ours. */
export const MAX_ANSWER_BYTES = 16 * 1024;

const text = z.string().max(MAX_ANSWER_BYTES);
const schema = z.discriminatedUnion('works', [
  z.strictObject({ works: z.literal(true), name: text, isSoftware: z.boolean() }),
  z.strictObject({ works: z.literal(false), reason: text }),
]);

/** Undefined for what is no answer. */
export function parseDeviceAnswer(json: string): DeviceAnswer | undefined {
  try {
    return schema.parse(JSON.parse(json));
  } catch {
    return undefined;
  }
}
