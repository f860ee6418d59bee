import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFile } from './open-file.js';
import { tuneSettings } from './tune-settings.js';

it('finds settings that a queue accepts, and a rate', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'airllm-tune-'));
  const path = join(folder, 'file');
  const fileBytes = 3 * 65536;
  await writeFile(path, new Uint8Array(fileBytes));
  const { file } = await openFile(path, { direct: false });
  const memories = [new Uint8Array(65536), new Uint8Array(65536)];
  const { queueDepth, requestBytes, bytesPerSecond } = await tuneSettings({
    ...{ file, fileBytes, memories },
    milliseconds: 1,
  });
  expect([8, 16, 32]).toContain(queueDepth);
  expect([2 ** 18, 2 ** 19, 2 ** 20, 2 ** 21]).toContain(requestBytes);
  expect(bytesPerSecond).toBeGreaterThan(0);
  await file.handle.close();
  await expect(tuneSettings({ file, fileBytes, memories, milliseconds: 1 })).rejects.toMatchObject({
    code: 'READ_FAILED',
    fields: { path },
  });
  await rm(folder, { recursive: true });
});
