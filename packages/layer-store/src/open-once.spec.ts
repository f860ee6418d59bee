import { OpenOnce } from './open-once.js';

function openCounting({ failures = 0 } = {}) {
  const opened: string[] = [];
  const closed: string[] = [];
  const once = new OpenOnce<string, string>({
    open: async (key) => {
      opened.push(key);
      if (opened.length <= failures) throw new Error('not yet');
      return key.toUpperCase();
    },
    close: async (value) => void closed.push(value),
  });
  return { once, opened, closed };
}

describe('OpenOnce', () => {
  it('opens each key once for all who ask', async () => {
    const { once, opened } = openCounting();
    expect(await Promise.all([once.get('a'), once.get('a'), once.get('b')])).toEqual(['A', 'A', 'B']);
    expect(opened).toEqual(['a', 'b']);
  });

  it('tries again what failed', async () => {
    const { once, opened } = openCounting({ failures: 1 });
    await expect(once.get('a')).rejects.toThrow('not yet');
    expect(await once.get('a')).toBe('A');
    expect(opened).toEqual(['a', 'a']);
  });

  it('closes what is open and what is being opened, and nothing that failed', async () => {
    const { once, closed } = openCounting({ failures: 1 });
    const failing = once.get('a').catch(() => undefined);
    void once.get('b');
    await once.close();
    await failing;
    expect(closed).toEqual(['B']);
  });
});
