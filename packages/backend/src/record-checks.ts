// The shape checks of recording, and how their failures are said.

import { BackendError } from './errors.js';
import type { RoutingRule } from './experts.js';
import type { Tensor } from './tensor.js';
import type { WeightRef } from './weight.js';

export function invalid(message: string): BackendError {
  return new BackendError('INVALID_OPERAND', message);
}

export function expectShape(what: string, tensor: Tensor, rows: number, cols: number): void {
  if (tensor.rows !== rows || tensor.cols !== cols) {
    throw invalid(
      `Expected shape [${rows}, ${cols}] for ${what} but received [${tensor.rows}, ${tensor.cols}]`,
    );
  }
}

export function expectMatrix(weight: WeightRef, rows: number, cols: number): void {
  const shape = matrixShape(weight);
  if (shape[0] !== rows || shape[1] !== cols) {
    throw invalid(`Expected shape [${rows}, ${cols}] for ${weight.name} but it is [${shape.join(', ')}]`);
  }
}

/** For an op that needs all rows at once. */
export function expectWhole(op: string, weight: WeightRef): void {
  if (!weight.whole) throw invalid(`Expected ${weight.name} to be declared whole for ${op}`);
}

export function expectVector(weight: WeightRef, length: number): void {
  if (vectorLength(weight) !== length) {
    throw invalid(
      `Expected length ${length} for ${weight.name} but its shape is [${weight.shape.join(', ')}]`,
    );
  }
}

export function expectPositive(what: string, value: number | undefined): void {
  if (value !== undefined && !(Number.isInteger(value) && value > 0)) {
    throw invalid(`Expected ${what} of at least 1 but received ${value}`);
  }
}

/** Whether rows can choose among `count` experts by this rule. */
export function expectRouting({ topK, correctionBias, groups }: RoutingRule, count: number): void {
  if (groups) {
    expectPositive('groups of experts', groups.count);
    expectPositive('chosen groups', groups.topGroups);
    if (count % groups.count !== 0 || groups.topGroups > groups.count) {
      throw invalid(
        `Expected some of several equal groups of ${count} experts but received ${groups.topGroups} of ${groups.count}`,
      );
    }
  }
  const reachable = groups ? (count / groups.count) * groups.topGroups : count;
  if (!(Number.isInteger(topK) && topK >= 1 && topK <= reachable)) {
    throw invalid(`Expected topK within [1, ${reachable}] but received ${topK}`);
  }
  if (correctionBias) expectVector(correctionBias, count);
}

export function matrixShape(weight: WeightRef): [rows: number, cols: number] {
  const [rows, cols] = weight.shape;
  if (weight.shape.length !== 2 || rows === undefined || cols === undefined) {
    throw invalid(`Expected a matrix for ${weight.name} but its shape is [${weight.shape.join(', ')}]`);
  }
  return [rows, cols];
}

export function vectorLength(weight: WeightRef): number {
  const [length] = weight.shape;
  if (weight.shape.length !== 1 || length === undefined) {
    throw invalid(`Expected a vector for ${weight.name} but its shape is [${weight.shape.join(', ')}]`);
  }
  return length;
}
