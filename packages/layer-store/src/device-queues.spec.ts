import { rememberSettings, settingsPath } from '@airllm/direct-io';
import { temporaryFolder } from '../test/support.js';
import { DeviceQueues } from './device-queues.js';

const folder = temporaryFolder();
const cache = process.env['AIRLLM_CACHE'];
beforeAll(() => (process.env['AIRLLM_CACHE'] = folder.path));
afterAll(() => {
  if (cache === undefined) delete process.env['AIRLLM_CACHE'];
  else process.env['AIRLLM_CACHE'] = cache;
});

it('has one queue for each disk, and closes all', async () => {
  const queues = new DeviceQueues();
  expect(queues.method).toBeUndefined();
  const [first, again, other] = await Promise.all([queues.of(1n), queues.of(1n), queues.of(2n)]);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
  expect(queues.method).toBe(first.method);
  await queues.close();
  await queues.close();
});

it('opens queues as they were asked for, whatever is remembered', async () => {
  // No device has this number, so that it is its own name.
  const device = 0xfff00n;
  await rememberSettings('device 4095:0', { queueDepth: 4, requestBytes: 8192 }, settingsPath());
  const queues = new DeviceQueues({ method: 'node' });
  const queue = await queues.of(device);
  expect(queue.method).toBe('node');
  expect(queues.fallbackReason).toBeUndefined();
  await queues.close();
});
