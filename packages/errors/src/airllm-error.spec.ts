// What callers may rely on: the code, the fields, the cause, and recognition across copies of the package.

import { jest } from '@jest/globals';
import { AirllmError } from './airllm-error.js';

class ReadError extends AirllmError {}

it('carries code, fields and cause, and the name of its class', () => {
  const cause = new Error('disk');
  const error = new ReadError('Expected 8 bytes but found 3', {
    code: 'TRUNCATED',
    fields: { found: 3 },
    cause,
  });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'ReadError',
    message: 'Expected 8 bytes but found 3',
    code: 'TRUNCATED',
    fields: { found: 3 },
    cause,
  });
});

it('has no cause and no fields unless given', () => {
  const error = new AirllmError('Expected a name', { code: 'NO_NAME' });
  expect('cause' in error).toBe(false);
  expect(error.fields).toEqual({});
});

describe('isInstance', () => {
  it('accepts errors of this copy of the package and of another', async () => {
    jest.resetModules();
    const { AirllmError: Other } = await import('./airllm-error.js');
    const foreign = new Other('x', { code: 'X' });
    expect(foreign).not.toBeInstanceOf(AirllmError);
    expect(AirllmError.isInstance(foreign)).toBe(true);
    expect(AirllmError.isInstance(new ReadError('x', { code: 'X' }))).toBe(true);
  });

  it.each([new Error('x'), { code: 'X', message: 'x' }, 'x', null, undefined])('refuses %p', (value) => {
    expect(AirllmError.isInstance(value)).toBe(false);
  });
});
