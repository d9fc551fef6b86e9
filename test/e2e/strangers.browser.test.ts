import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';

import { extensionOrigin } from '#shared/extension-id.ts';
import { closeCodes, protocolVersion, versionMismatch } from '#shared/protocol.ts';

import { setOptions, waitForText } from '../browser/person.ts';
import { startRig, until, type Rig } from '../browser/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.close());

/** Sends the extension to `server` instead of the bridge, and reads what its popup then says. */
async function sentenceAbout(server: Server, pattern: RegExp): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await setOptions(rig.chromium, { bridgeAddress: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const popup = await rig.chromium.openPage('popup.html');
  const sentence = await waitForText(popup, '#sentence', pattern);
  expect(await popup.$eval('#light', (light) => light.getAttribute('data-color'))).toBe('red');
  await popup.close();
  return sentence;
}

it('says that another program has the port, and tells that program nothing', async () => {
  const heard: string[] = [];
  const stranger = createServer((request, response) => {
    heard.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
    response.end('{"status":"ok"}');
  });
  expect(await sentenceAbout(stranger, /Another program/)).toContain('give bridge and extension another port');
  expect(new Set(heard)).toEqual(new Set(['GET /health ']));
});

it('says which side to update where the bridge speaks a newer version', async () => {
  const newer = createServer((_request, response) => {
    response.setHeader('Access-Control-Allow-Origin', extensionOrigin).end('{"status":"ok"}');
  });
  const sockets = new WebSocketServer({ server: newer });
  const sentence = `Update the extension: it speaks v${protocolVersion}, the bridge v${protocolVersion + 1}.`;
  sockets.on('connection', (socket) => socket.close(closeCodes.wrongVersion, sentence));
  expect(await sentenceAbout(newer, /Update/)).toBe(sentence);
  // The other way round, the bridge says it in the same words.
  expect(versionMismatch([`puter-bridge.v${protocolVersion + 1}`])).toMatch(/^Update the bridge: /);
});

it('finds its own bridge again once the port is right', async () => {
  await setOptions(rig.chromium, { bridgeAddress: rig.bridge.url });
  await until(() => rig.bridge.status.read().extensions.length === 1);
});
