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

const origins = [extensionOrigin, otherOrigin];

const look = (address: string, origin: string) => {
  actAsExtensionPage(origin);
  return probe(address, origin, new AbortController().signal);
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

describe('before a socket is dialled', () => {
  it.each(origins)('%s sees that the bridge is there', async (origin) => {
    expect(await look(await startBridge(), origin)).toBeNull();
  });

  it.each(origins)('%s sees that nothing is there', async (origin) => {
    expect(await look('http://127.0.0.1:1', origin)).toBe('no_bridge');
  });

  it('the extension with our id sees that it is another program', async () => {
    expect(await look(await startStranger(), extensionOrigin)).toBe('not_our_bridge');
  });

  it('any other leaves it to the socket to tell what is there', async () => {
    expect(await look(await startStranger(), otherOrigin)).toBeNull();
  });
});
