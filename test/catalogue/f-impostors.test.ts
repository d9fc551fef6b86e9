import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';

import { extensionOrigin } from '#shared/extension-id.ts';
import { closeCodes, decodeFrameToBridge, encodeFrame, type FrameToBridge } from '#shared/protocol.ts';

import type { Bridge } from '../../bridge/bridge.ts';
import { startLink } from '../../extension/relay/link.ts';
import { readSettings } from '../../extension/settings.ts';
import { hello, open } from '../bridge/connection/connections-rig.ts';
import { auth, firefox, hexBytes, pair, who } from '../bridge/pairing/pairing-rig.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { actAsExtensionPage } from '../extension/relay/extension-page.ts';

/** Rows F of the catalogue, as the extension keeps to them: it speaks to its own bridge and to nothing else. */

let bridge: Bridge;
beforeEach(async () => {
  bridge = await startTemporaryBridge({ requirePairing: true });
});
afterEach(() => bridge.close());

function dial(address: string, secret: string, origin: string = extensionOrigin) {
  const states: string[] = [];
  const link = startLink({
    ...{ address, origin },
    pairing: () => ({ secret, isOfAddress: true }),
    onPaired: () => {},
    isWatched: () => false,
    hello: () => hello() as FrameToBridge & { type: 'hello' },
    onWelcome: () => {},
    onFrame: () => {},
    onState: ({ state }) => states.push(state),
  });
  onTestFinished(link.close);
  return states;
}

it.each<[string, (nonce: string) => object[]]>([
  ['cannot prove that it is the bridge', () => [{ type: 'proof', mac: hexBytes() }]],
  ['leaves the proof out', () => [{ type: 'welcome', version: '1', secret: 'x', resume: [] }]],
  ['mirrors what it hears', (mac) => [{ type: 'proof', mac }]],
])('F6 tells nothing to a program on the port that %s, and says that it is not the bridge', async (_, answers) => {
  actAsExtensionPage();
  const heard: FrameToBridge[] = [];
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Access-Control-Allow-Origin': extensionOrigin }).end();
  });
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.send(encodeFrame({ type: 'challenge', nonce: hexBytes(), mustPair: false }));
    socket.on('message', (data: Buffer) => {
      const frame = decodeFrameToBridge(data.toString('utf8'));
      heard.push(frame);
      if (frame.type === 'auth') for (const answer of answers(frame.mac)) socket.send(JSON.stringify(answer));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const secret = hexBytes();
  const states = dial(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, secret);
  await expect.poll(() => states.at(-1)).toBe('other_bridge');
  expect(new Set(heard.map(({ type }) => type))).toEqual(new Set(['auth']));
  expect(JSON.stringify(heard)).not.toContain(secret);
});

it('F6 tells nothing to a listener in between that passes everything on, since the bridge listens elsewhere', async () => {
  const secret = await pair(bridge);
  const client = await open(bridge.url, { origin: firefox });
  const between = auth(who(bridge, { host: '127.0.0.1:1' }), (await client.challenge).nonce, secret);
  client.send(between.frame);
  expect(await client.closed).toMatchObject({ code: closeCodes.notPaired });
});

it('F7 dials 127.0.0.1, where another program holds the same port of [::1]', async ({ skip }) => {
  actAsExtensionPage();
  const secret = await pair(bridge, { origin: extensionOrigin });
  const heard: string[] = [];
  const { port } = new URL(bridge.url);
  const other = createServer((request, response) => {
    heard.push(request.url ?? '');
    response.end();
  });
  other.listen(Number(port), '::1');
  const isThere = await Promise.race([
    once(other, 'listening').then(() => true),
    once(other, 'error').then(() => false),
  ]);
  if (!isThere) return skip('This machine has no IPv6.');
  onTestFinished(() => void other.close());
  const states = dial(readSettings({ bridgeAddress: `localhost:${port}` }).bridgeAddress, secret);
  await expect.poll(() => states.at(-1)).toBe('connected');
  expect(heard).toEqual([]);
});
