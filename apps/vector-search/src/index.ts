export { VectorIndex, type Match } from './vector-index.js';
