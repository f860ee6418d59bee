import { parseDeviceMemory } from './device-memory.js';

it.each([
  ['1GB', { bytes: 1e9 }],
  [5e8, { bytes: 5e8 }],
  ['50%', { share: 0.5 }],
  [' 100 % ', { share: 1 }],
  ['auto', {}],
])('%p', (given, expected) => {
  expect(parseDeviceMemory(given)).toEqual(expected);
});

it.each(['lots', '0%', '101%', 0, -1, NaN])('refuses %p, naming the option', (given) => {
  expect(() => parseDeviceMemory(given)).toThrow(
    expect.objectContaining({
      code: 'INVALID_OPTION',
      fields: expect.objectContaining({ option: 'memory.device', found: given }),
    }),
  );
});
