export { deviceId } from './device-id.js';
export { DirectIoError, type DirectIoErrorCode } from './errors.js';
export { openFile, REFUSED, type OpenedFile } from './open-file.js';
export {
  DEFAULT_SETTINGS,
  openReadQueue,
  type OpenedReadQueue,
  type OpenReadQueueOptions,
  type QueueSettings,
} from './open-read-queue.js';
export {
  DIRECT_ALIGNMENT,
  type ReadableFile,
  type ReadMethod,
  type ReadQueue,
  type ReadRequest,
} from './read-queue.js';
export { readRememberedSettings, rememberSettings, settingsPath } from './remembered-settings.js';
export { tuneSettings, type TunedSettings, type TuneOptions } from './tune-settings.js';
