import { checkDtype } from './check-dtype.js';

describe('checkDtype', () => {
  it('takes auto and the dtype of the checkpoint, under either name', () => {
    expect(() => checkDtype('auto', {})).not.toThrow();
    expect(() => checkDtype('bfloat16', { dtype: 'bfloat16' })).not.toThrow();
    expect(() => checkDtype('float16', { torch_dtype: 'float16' })).not.toThrow();
  });

  it.each([[{ dtype: 'bfloat16' }], [{}]])('refuses a conversion of %p', (config) => {
    expect(() => checkDtype('float32', config)).toThrow(
      expect.objectContaining({ code: 'NOT_YET', fields: expect.objectContaining({ option: 'dtype' }) }),
    );
  });
});
