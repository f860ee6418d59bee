import { closestName } from './closest-name.js';

describe('closestName', () => {
  const names = ['hfToken', 'maxSeqLen', 'layerShardsSavingPath', 'dtype', 'device'];

  it.each([
    ['hf_token', 'hfToken'],
    ['layer_shards_saving_path', 'layerShardsSavingPath'],
    ['maxSeqLength', 'maxSeqLen'],
    ['dtpye', 'dtype'],
    ['devcie', 'device'],
  ])('takes %p for %p', (given, expected) => {
    expect(closestName(given, names)).toBe(expected);
  });

  it('suggests nothing for what is like no name', () => {
    expect(closestName('temperature', names)).toBeUndefined();
    expect(closestName('', names)).toBeUndefined();
  });
});
