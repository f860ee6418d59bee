// Runs one scenario on the backend under test and on a fresh reference backend, and compares.

import type { Backend } from '../backend.js';
import { createReferenceBackend } from '../reference/index.js';
import type { ConformanceResult } from './conformance-case.js';
import { Deviation } from './deviation.js';
import { Workbench } from './workbench.js';

/** Builds its operands from a seed, runs, and returns outputs; called once per backend. */
export interface Scenario {
  readonly label: string;
  readonly outputs: (bench: Workbench) => Promise<Float32Array>;
}

export async function compareWithReference(
  backend: Backend,
  scenarios: Iterable<Scenario>,
): Promise<ConformanceResult> {
  const deviation = new Deviation();
  await using reference = createReferenceBackend();
  for (const { label, outputs } of scenarios) {
    try {
      deviation.add(label, await onBench(backend, outputs), await onBench(reference, outputs));
    } catch (error) {
      deviation.fail(`${label}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return deviation.result();
}

/** Runs `use` on a workbench and frees its memory. */
export async function onBench<T>(backend: Backend, use: (bench: Workbench) => Promise<T>): Promise<T> {
  const bench = new Workbench(backend);
  try {
    return await use(bench);
  } finally {
    bench.dispose();
  }
}
