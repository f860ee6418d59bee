// The program of the process that tries a device: its name as argument, its answer on a file descriptor of its own.

import { writeSync } from 'node:fs';
import { ANSWER_FD } from './device-answer.js';
import { GPU_DEVICES } from './gpu-devices.js';
import { tryDevice } from './try-device.js';

const device = GPU_DEVICES.find(({ device }) => device === process.argv[2]);
if (!device) throw new TypeError(`Expected the name of a GPU device but received ${process.argv[2]}`);
writeSync(ANSWER_FD, JSON.stringify(await tryDevice(device)));
