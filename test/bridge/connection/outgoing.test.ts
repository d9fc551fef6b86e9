import { setImmediate as nextTurn } from 'node:timers/promises';

import { beforeEach, expect, it } from 'vitest';

import { createOutgoing, type Outgoing } from '../../../bridge/connection/outgoing.ts';
import { decodeFrameToExtension, type FrameToExtension } from '#shared/protocol.ts';

import { ids } from './connections-rig.ts';

/** What happened at the socket, in order. */
let seen: string[];
let isDiskFull: boolean;
let outgoing: Outgoing;

beforeEach(() => {
  seen = [];
  isDiskFull = false;
  outgoing = createOutgoing(
    { send: (text: unknown) => void seen.push(decodeFrameToExtension(String(text)).type) },
    { cork: () => void seen.push('['), uncork: () => void seen.push(']') },
    () => {
      if (isDiskFull) throw new Error('full');
      seen.push('on disk');
    },
  );
});

const ping: FrameToExtension = { type: 'ping' };
const cancel: FrameToExtension = { type: 'cancel', requestId: ids.instance };
const ack: FrameToExtension = { type: 'ack', requestIds: [ids.instance] };

it('what is sent leaves at the end of the turn in one write, once the journal has it', async () => {
  outgoing.send(ping);
  outgoing.send(cancel);
  expect(seen).toEqual([]);
  await nextTurn();
  expect(seen).toEqual(['on disk', '[', 'ping', 'cancel', ']']);
});

it('what is sent at once overtakes nothing but acknowledgements, and the journal has it first', async () => {
  outgoing.send(ping);
  outgoing.send(ack);
  outgoing.sendNow(cancel);
  expect(seen).toEqual(['on disk', '[', 'ping', 'cancel', ']']);
  await nextTurn();
  expect(seen.length).toBe(5);
  outgoing.flush();
  expect(seen.slice(5)).toEqual(['on disk', '[', 'ack', ']']);
});

it('nothing leaves that the journal does not have', async () => {
  isDiskFull = true;
  outgoing.send(ping);
  expect(() => outgoing.sendNow(cancel)).toThrow('full');
  isDiskFull = false;
  await nextTurn();
  expect(seen).toEqual([]);
});
