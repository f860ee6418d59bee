// Where the embedded checkpoints lie. Two folders in the Hugging Face layout; opening them is the caller's.
import { fileURLToPath } from 'node:url';

export const demoModelFolder = fileURLToPath(new URL('./model', import.meta.url));
export const draftModelFolder = fileURLToPath(new URL('./draft', import.meta.url));
