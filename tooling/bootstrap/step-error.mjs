// The one error of the bootstrap: a sentence for the person at the terminal, with no stack.
export class StepError extends Error {
  name = 'StepError';
}
