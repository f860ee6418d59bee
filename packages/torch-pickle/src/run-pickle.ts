// The interpreter: one pickle of plain data and tensors to a value. It knows the opcodes that torch.save writes at
// protocols 1 to 5 (torch cannot write tensors at protocol 0) and refuses the others by name. Semantics: CPython's
// Lib/pickle.py.

import { callGlobal, resolveGlobal } from './globals.js';
import { opcodeName, OPCODES } from './opcodes.js';
import type { PickleCursor } from './pickle-cursor.js';
import { PickleMachine } from './pickle-machine.js';
import { PickleDict, PickleList, PickleTuple, type PickleValue } from './pickle-value.js';
import { setEntry } from './set-entry.js';
import type { StorageTable } from './storage-table.js';
import { quote, TorchPickleError } from './torch-pickle-error.js';

const MAX_PROTOCOL = 5;

/**
 * Reads the pickle at the cursor and leaves the cursor behind it. Storages it refers to are added to `storages`.
 *
 * @throws TorchPickleError `REFUSED_GLOBAL`, `REFUSED_OPCODE`, `TRUNCATED`, `INVALID_PICKLE`, `LIMIT_EXCEEDED`,
 *   `INVALID_TENSOR`, `INVALID_STORAGE`, `UNSUPPORTED`.
 */
export function runPickle(cursor: PickleCursor, storages: StorageTable): PickleValue {
  const machine = new PickleMachine();
  for (;;) {
    const position = cursor.position;
    const code = cursor.u8();
    machine.countOpcode();
    switch (code) {
      case OPCODES.PROTO: {
        const version = cursor.u8();
        if (version > MAX_PROTOCOL)
          invalid(`Expected pickle protocol 0 to ${MAX_PROTOCOL} but found ${version}.`);
        break;
      }
      case OPCODES.FRAME:
        cursor.u64(); // A hint for buffered readers: the opcodes inside follow as if there were no frame.
        break;
      case OPCODES.STOP:
        return machine.pop();

      case OPCODES.NONE:
        machine.push(null);
        break;
      case OPCODES.NEWTRUE:
        machine.push(true);
        break;
      case OPCODES.NEWFALSE:
        machine.push(false);
        break;
      case OPCODES.BININT:
        machine.push(cursor.i32());
        break;
      case OPCODES.BININT1:
        machine.push(cursor.u8());
        break;
      case OPCODES.BININT2:
        machine.push(cursor.u16());
        break;
      case OPCODES.INT:
        machine.push(integerOrBoolean(cursor));
        break;
      case OPCODES.LONG:
        machine.push(cursor.decimal());
        break;
      case OPCODES.LONG1:
        machine.push(cursor.integer(cursor.u8()));
        break;
      case OPCODES.LONG4:
        machine.push(cursor.integer(cursor.i32()));
        break;
      case OPCODES.BINFLOAT:
        machine.push(cursor.f64());
        break;

      case OPCODES.SHORT_BINSTRING:
      case OPCODES.SHORT_BINUNICODE:
        machine.push(cursor.text(cursor.u8()));
        break;
      case OPCODES.BINSTRING:
        machine.push(cursor.text(cursor.i32()));
        break;
      case OPCODES.BINUNICODE:
        machine.push(cursor.text(cursor.u32()));
        break;
      case OPCODES.BINUNICODE8:
        machine.push(cursor.text(cursor.u64()));
        break;
      case OPCODES.SHORT_BINBYTES:
        machine.push(cursor.take(cursor.u8()));
        break;
      case OPCODES.BINBYTES:
        machine.push(cursor.take(cursor.u32()));
        break;
      case OPCODES.BINBYTES8:
      case OPCODES.BYTEARRAY8:
        machine.push(cursor.take(cursor.u64()));
        break;

      case OPCODES.MARK:
        machine.mark();
        break;
      case OPCODES.POP:
        if (machine.markOnTop) machine.popMark();
        else machine.pop();
        break;
      case OPCODES.POP_MARK:
        machine.popMark();
        break;
      case OPCODES.DUP:
        machine.push(machine.top());
        break;
      case OPCODES.PUT:
        machine.remember(Number(cursor.decimal()));
        break;
      case OPCODES.BINPUT:
        machine.remember(cursor.u8());
        break;
      case OPCODES.LONG_BINPUT:
        machine.remember(cursor.u32());
        break;
      case OPCODES.MEMOIZE:
        machine.memoize();
        break;
      case OPCODES.GET:
        machine.recall(Number(cursor.decimal()));
        break;
      case OPCODES.BINGET:
        machine.recall(cursor.u8());
        break;
      case OPCODES.LONG_BINGET:
        machine.recall(cursor.u32());
        break;

      case OPCODES.EMPTY_TUPLE:
        machine.pushTuple(0);
        break;
      case OPCODES.TUPLE1:
        machine.pushTuple(1);
        break;
      case OPCODES.TUPLE2:
        machine.pushTuple(2);
        break;
      case OPCODES.TUPLE3:
        machine.pushTuple(3);
        break;
      case OPCODES.TUPLE:
        machine.countObjects(1);
        machine.push(new PickleTuple(machine.popMark()));
        break;
      case OPCODES.EMPTY_LIST:
        machine.countObjects(1);
        machine.push(new PickleList([]));
        break;
      case OPCODES.LIST:
        machine.countObjects(1);
        machine.push(new PickleList(machine.popMark()));
        break;
      case OPCODES.APPEND:
        append(machine, [machine.pop()]);
        break;
      case OPCODES.APPENDS:
        append(machine, machine.popMark());
        break;
      case OPCODES.EMPTY_DICT:
        machine.countObjects(1);
        machine.push(new PickleDict());
        break;
      case OPCODES.DICT: {
        machine.countObjects(1);
        const items = machine.popMark();
        machine.push(new PickleDict());
        setItems(machine, items);
        break;
      }
      case OPCODES.SETITEM: {
        const value = machine.pop();
        setItems(machine, [machine.pop(), value]);
        break;
      }
      case OPCODES.SETITEMS:
        setItems(machine, machine.popMark());
        break;

      case OPCODES.GLOBAL:
        machine.push(resolveGlobal(cursor.line(), cursor.line()));
        break;
      case OPCODES.STACK_GLOBAL: {
        const name = machine.pop();
        const module = machine.pop();
        if (typeof name !== 'string' || typeof module !== 'string')
          invalid('Expected the name of a global as text.');
        machine.push(resolveGlobal(module, name));
        break;
      }
      case OPCODES.REDUCE: {
        const args = machine.pop();
        machine.push(callGlobal(machine.pop(), args, machine));
        break;
      }
      case OPCODES.BUILD:
        build(machine);
        break;
      case OPCODES.BINPERSID:
        machine.countObjects(1);
        machine.push(storages.refer(machine.pop()));
        break;
      case OPCODES.INST:
        resolveGlobal(cursor.line(), cursor.line()); // A forbidden name says more than a forbidden opcode.
        return refuse(code, position);
      default:
        return refuse(code, position);
    }
  }
}

function append(machine: PickleMachine, values: readonly PickleValue[]): void {
  const list = machine.top();
  if (!(list instanceof PickleList)) invalid('Expected a list to append to.');
  for (const value of values) list.items.push(value);
}

function setItems(machine: PickleMachine, items: readonly PickleValue[]): void {
  const dict = machine.top();
  for (let i = 0; i < items.length; i += 2) {
    const [key, value] = items.slice(i, i + 2);
    if (key === undefined || value === undefined) invalid('Expected a value for every key of a dict.');
    setEntry(dict, key, value);
  }
}

/** The one object with state is a state dict, whose `_metadata` (versions of modules) weights do not need. */
function build(machine: PickleMachine): void {
  const state = machine.pop();
  if (!(machine.top() instanceof PickleDict) || !(state instanceof PickleDict)) {
    invalid('Expected BUILD to give attributes to an OrderedDict.');
  }
}

/** Protocol 1 writes booleans as `I00` and `I01`. */
function integerOrBoolean(cursor: PickleCursor): PickleValue {
  const start = cursor.position;
  const text = cursor.line();
  if (text === '00' || text === '01') return text === '01';
  cursor.position = start;
  return cursor.decimal();
}

function refuse(code: number, position: number): never {
  const opcode = opcodeName(code);
  if (opcode === undefined)
    invalid(`Expected an opcode at byte ${position} of the pickle but found ${code}.`);
  throw new TorchPickleError(
    'REFUSED_OPCODE',
    `Expected a pickle of plain tensors but found the opcode ${quote(opcode)} at byte ${position}. Nothing was executed.`,
    { fields: { opcode, position } },
  );
}

function invalid(message: string): never {
  throw new TorchPickleError('INVALID_PICKLE', message);
}
