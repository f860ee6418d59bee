export { NativeAddonError, type NativeAddonErrorCode } from './errors.js';
export { loadAddon, type LoadAddonOptions } from './load-addon.js';
