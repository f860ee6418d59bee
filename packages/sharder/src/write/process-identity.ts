// Who a process is, so that another one can tell whether it still lives: a pid alone is given again to others.

import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  readonly pid: number;
  /** Moment the process began, in the system's own unit; empty where it cannot be asked. */
  readonly started: string;
  /** Host, boot and (in containers) the namespace in which `pid` means something. */
  readonly machine: string;
}

export function currentProcess(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid) ?? '', machine: machineName() };
}

/** `unknown` for processes of other machines, which cannot be asked. */
export function stateOf(owner: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  if (owner.machine !== machineName()) return 'unknown';
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  return owner.started === (startOf(owner.pid) ?? '') ? 'alive' : 'dead';
}

function machineName(): string {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid'));
  return [hostname(), boot ?? '', namespace ?? ''].join(' ');
}

/** Field 22 of /proc/<pid>/stat, on Linux; the name in field 2 may hold spaces and brackets. */
function startOf(pid: number): string | undefined {
  return attempt(() => {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; nothing of it will go on.
    return fields[0] === 'Z' ? undefined : fields[19];
  });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
