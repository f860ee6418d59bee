export { assertConforms, ConformanceError } from './assert-conforms.js';
export type { ConformanceCase, ConformanceGroup, ConformanceResult } from './conformance-case.js';
export { conformanceCases } from './conformance-cases.js';
