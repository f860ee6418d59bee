// Views share memory with the tensor they are taken from.

import { Tensor } from './tensor.js';

// 3 rows of 4 columns, 10 elements apart, from element 100 of the arena.
const tensor = new Tensor({ elements: 30, offset: 100 }, 3, 4, 10, 0);

it('a view of columns starts at its first column and keeps the row stride', () => {
  const view = tensor.columns(1, 2);
  expect([view.rows, view.cols, view.rowStride, view.offset]).toEqual([3, 2, 10, 101]);
});

it('a view of rows starts at its first row', () => {
  const view = tensor.rowRange(1, 2);
  expect([view.rows, view.cols, view.rowStride, view.offset]).toEqual([2, 4, 10, 110]);
});

it('a view of a view adds up', () => {
  // Row 2, column 1 + 1: 100 + 2 · 10 + 2.
  expect(tensor.columns(1, 3).rowRange(2, 1).columns(1, 2).offset).toBe(122);
});

it('is contiguous when rows follow each other or there is only one', () => {
  expect(tensor.isContiguous).toBe(false);
  expect(tensor.rowRange(2, 1).isContiguous).toBe(true);
  expect(new Tensor({ elements: 12, offset: 0 }, 3, 4, 4, 0).isContiguous).toBe(true);
});

it.each([
  [3, 2],
  [-1, 2],
  [0, 0],
  [0.5, 1],
  [0, NaN],
])('refuses columns %p, %p of four', (start, count) => {
  expect(() => tensor.columns(start, count)).toThrow(RangeError);
});

it('has no place before its program is finished', () => {
  expect(() => new Tensor({ elements: 1, offset: -1 }, 1, 1, 1, 0).offset).toThrow('finished program');
});
