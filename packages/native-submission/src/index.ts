export { encodeSubmission, type EncodableSubmission } from './encode-submission.js';
export { expectCacheShape, expectSize } from './expect-size.js';
export { callNative, toBackendError } from './native-error.js';
export { tensorWords } from './encode/words.js';
