export { checkCacheShape } from './check-batch.js';
export { checkCommand } from './check-command.js';
export { checkTensor, checkWrite } from './check-operands.js';
export { createReferenceBackend } from './reference-backend.js';
export { weightRows } from './weight-rows.js';
