// What is used of @huggingface/jinja. Its own declarations do not resolve under Node's module rules (imports without
// file extensions), so they would silently be `any`.

import * as jinja from '@huggingface/jinja';

declare const program: unique symbol;

/** A parsed template. */
export interface JinjaProgram {
  readonly [program]: true;
}

export interface JinjaEnvironment {
  /** Declares a variable; throws if it is declared. */
  set(name: string, value: unknown): void;
}

export interface JinjaLibrary {
  tokenize: (source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }) => unknown[];
  parse: (tokens: unknown[]) => JinjaProgram;
  Environment: new () => JinjaEnvironment;
  Interpreter: new (environment: JinjaEnvironment) => { run(program: JinjaProgram): { value: unknown } };
}

export const jinjaLibrary = jinja as unknown as JinjaLibrary;
