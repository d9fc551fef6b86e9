import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

import { probe } from '../../../extension/relay/probe.ts';
import { startTemporaryBridge } from '../../bridge/temporary-bridge.ts';
import { actAsExtensionPage } from './extension-page.ts';

/** Firefox gives every installation an origin of its own. */
const otherOrigin = 'moz-extension://6f1f2f3a-0b1c-4d2e-8f90-a1b2c3d4e5f6';

const look = (address: string, origin: string) => {
  actAsExtensionPage(origin);
  return probe(address, new AbortController().signal);
};

async function startBridge(): Promise<string> {
  const bridge = await startTemporaryBridge();
  onTestFinished(() => bridge.close());
  return bridge.url;
}

async function startStranger(): Promise<string> {
  const server = createServer((_request, response) => void response.end('{"status":"ok"}'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.each([extensionOrigin, otherOrigin])('before it dials a socket, %s', (origin) => {
  it('sees that the bridge is there, paired with it or not', async () => {
    expect(await look(await startBridge(), origin)).toBeNull();
  });

  it('sees that nothing is there', async () => {
    expect(await look('http://127.0.0.1:1', origin)).toBe('no_bridge');
  });

  it('sees that it is another program', async () => {
    expect(await look(await startStranger(), origin)).toBe('not_our_bridge');
  });
});
