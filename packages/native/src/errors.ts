// Errors of loading and building native addons.

import { AirllmError } from '@airllm/errors';

/** Codes: `ADDON_NOT_BUILT`, `ADDON_LOAD_FAILED`, `ADDON_BUILD_FAILED`. */
export type NativeAddonErrorCode = 'ADDON_NOT_BUILT' | 'ADDON_LOAD_FAILED' | 'ADDON_BUILD_FAILED';

/** Thrown when a native addon is missing, does not load, or does not build. */
export class NativeAddonError extends AirllmError {
  declare readonly code: NativeAddonErrorCode;

  constructor(
    code: NativeAddonErrorCode,
    message: string,
    options: { fields?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { code, ...options });
  }
}
