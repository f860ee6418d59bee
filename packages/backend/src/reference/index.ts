export { createReferenceBackend } from './reference-backend.js';
export { weightRows } from './weight-rows.js';
