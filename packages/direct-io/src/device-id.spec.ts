import { deviceNumber, parseMountSource } from './device-id.js';

const MOUNT_INFO = `22 27 0:21 / /proc rw,nosuid - proc proc rw
27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 27 0:55 / /mnt/models rw - nfs4 server:/models rw,vers=4.2
`;

describe('deviceNumber', () => {
  it.each([
    // makedev(254, 1) = 254 << 8 | 1
    [0xfe01n, '254:1'],
    // makedev(259, 300): 259 << 8 | 300 & 0xff | (300 & ~0xff) << 12
    [(259n << 8n) | 0x2cn | (0x100n << 12n), '259:300'],
    // makedev(5000, 0): the upper bits of the major stand 32 bits further up
    [((5000n & 0xfffn) << 8n) | ((5000n & ~0xfffn) << 32n), '5000:0'],
  ])('of %d is %s', (device, number) => expect(deviceNumber(device)).toBe(number));
});

describe('parseMountSource', () => {
  it('is the file system and what is mounted', () => {
    expect(parseMountSource(MOUNT_INFO, '254:1')).toBe('ext4 /dev/vda1');
    expect(parseMountSource(MOUNT_INFO, '0:55')).toBe('nfs4 server:/models');
  });

  it('is unknown for a device that is not mounted, or of no text at all', () => {
    expect(parseMountSource(MOUNT_INFO, '8:0')).toBeUndefined();
    expect(parseMountSource('', '254:1')).toBeUndefined();
  });
});
