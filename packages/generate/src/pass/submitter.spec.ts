import type { Command, WeightSlice } from '@airllm/backend';
import { FakeDevice, fakeLease, settled } from '../../test/fakes.js';
import { Submitter } from './submitter.js';

const command = (name: string) => ({ op: name }) as unknown as Command<WeightSlice>;

function openSubmitter() {
  const device = new FakeDevice();
  const computeSeconds = [0, 0];
  return { device, computeSeconds, submitter: new Submitter(device.backend, device.context, computeSeconds) };
}

describe('Submitter', () => {
  it('submits what was pushed, in order, once', () => {
    const { device, submitter } = openSubmitter();
    submitter.push(command('a'));
    submitter.push(command('b'));
    submitter.flush();
    submitter.flush();
    submitter.push(command('c'));
    submitter.flush();
    expect(device.ops).toEqual([['a', 'b'], ['c']]);
  });

  it('releases a tile once, when what was pushed before has run', async () => {
    const { device, submitter } = openSubmitter();
    const lease = fakeLease(0);
    submitter.push(command('a'));
    submitter.releaseAfter(lease);
    submitter.flush();
    await settled();
    expect(lease.releases).toBe(0);
    await device.submissions[0]?.finish();
    expect(lease.releases).toBe(1);
    await submitter.settle();
    await submitter.abandon();
    expect(lease.releases).toBe(1);
  });

  it('has a tile wait for the device also when its commands are submitted already', async () => {
    const { device, submitter } = openSubmitter();
    const lease = fakeLease(0);
    submitter.push(command('a'));
    submitter.flush();
    submitter.releaseAfter(lease);
    submitter.flush();
    expect(device.ops).toEqual([['a'], []]);
    await settled();
    expect(lease.releases).toBe(0);
  });

  it('waits until few enough are in flight', async () => {
    const { device, submitter } = openSubmitter();
    for (const name of ['a', 'b', 'c']) {
      submitter.push(command(name));
      submitter.flush();
    }
    let done = false;
    const settling = submitter.settle(1).then(() => (done = true));
    await device.submissions[0]?.finish();
    expect(done).toBe(false);
    await device.submissions[1]?.finish();
    await settling;
    expect(done).toBe(true);
  });

  it('adds the device’s seconds to the stage that was submitted', async () => {
    const { device, submitter, computeSeconds } = openSubmitter();
    submitter.push(command('a'));
    submitter.flush();
    submitter.stage = 1;
    submitter.push(command('b'));
    submitter.flush();
    await device.submissions[0]?.finish(0.25);
    await device.submissions[1]?.finish(0.5);
    await submitter.settle();
    expect(computeSeconds).toEqual([0.25, 0.5]);
  });

  it('reports the first failure, and releases the tiles of failed submissions', async () => {
    const { device, submitter } = openSubmitter();
    const leases = [fakeLease(0), fakeLease(1)];
    for (const lease of leases) {
      submitter.push(command('a'));
      submitter.releaseAfter(lease);
      submitter.flush();
    }
    await device.submissions[0]?.fail(new Error('first'));
    await device.submissions[1]?.fail(new Error('second'));
    await expect(submitter.settle()).rejects.toThrow('first');
    expect(leases.map(({ releases }) => releases)).toEqual([1, 1]);
  });

  it('abandons what was not submitted, waits for what was, and releases tiles only then', async () => {
    const { device, submitter } = openSubmitter();
    submitter.push(command('a'));
    submitter.flush();
    submitter.push(command('b'));
    const lease = fakeLease(0);
    submitter.releaseAfter(lease);
    let done = false;
    const abandoned = submitter.abandon().then(() => (done = true));
    await settled();
    // The tile may be read by what is still running.
    expect([done, lease.releases]).toEqual([false, 0]);
    await device.submissions[0]?.fail(new Error('the device is gone'));
    await abandoned;
    expect(lease.releases).toBe(1);
    expect(device.ops).toEqual([['a']]);
  });
});
