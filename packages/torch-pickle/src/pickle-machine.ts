// The stack and the memo of the interpreter, and the limits on what a pickle may make of them.

import { PickleTuple, type PickleValue } from './pickle-value.js';
import { exceeds, TorchPickleError } from './torch-pickle-error.js';

/** A tensor takes some 35 opcodes, so 120 000 tensors in one file; each pushes at most one value. */
export const MAX_OPCODES = 2 ** 22;
/** Containers made, and entries copied from one to another. A tensor takes seven. */
export const MAX_OBJECTS = 2 ** 20;

export class PickleMachine {
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #opcodes = 0;
  #objects = 0;

  countOpcode(): void {
    if (++this.#opcodes > MAX_OPCODES) exceeds('MAX_OPCODES', MAX_OPCODES, 'opcodes in a pickle');
  }

  countObjects(count: number): void {
    this.#objects += count;
    if (this.#objects > MAX_OBJECTS) exceeds('MAX_OBJECTS', MAX_OBJECTS, 'objects in a pickle');
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.top();
    this.#stack.length--;
    return value;
  }

  /** Looks at the top. What lies below the last mark is out of reach, as in Python. */
  top(): PickleValue {
    const value = this.#stack[this.#stack.length - 1];
    if (value === undefined || this.#stack.length <= (this.#marks.at(-1) ?? 0)) {
      throw new TorchPickleError(
        'INVALID_PICKLE',
        'Expected a value on the stack of the pickle but it is empty.',
      );
    }
    return value;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** Removes the last mark and what was pushed since. */
  popMark(): PickleValue[] {
    const start = this.#marks.pop();
    if (start === undefined) {
      throw new TorchPickleError(
        'INVALID_PICKLE',
        'Expected a mark on the stack of the pickle but found none.',
      );
    }
    return this.#stack.splice(start);
  }

  /** True when the last mark is on top of the stack. */
  get markOnTop(): boolean {
    return this.#marks.at(-1) === this.#stack.length;
  }

  pushTuple(length: number): void {
    const items: PickleValue[] = [];
    for (let i = 0; i < length; i++) items.unshift(this.pop());
    this.countObjects(1);
    this.push(new PickleTuple(items));
  }

  remember(index: number): void {
    this.#memo.set(index, this.top());
  }

  /** Stores under the next free index, as MEMOIZE does. */
  memoize(): void {
    this.remember(this.#memo.size);
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) {
      throw new TorchPickleError(
        'INVALID_PICKLE',
        `Expected a value in slot ${index} of the pickle's memo.`,
        {
          fields: { index },
        },
      );
    }
    this.push(value);
  }
}
