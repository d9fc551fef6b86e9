import { once } from 'node:events';
import { connect } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

import { extensionOrigin } from '#shared/extension-id.ts';
import { closeCodes, encodeFrame, protocolVersion, subprotocol } from '#shared/protocol.ts';

import { hello, open, rawFrame, upgradeHead, upgradeLines } from '../bridge/connection/connections-rig.ts';
import { parseAnswer, readToEnd } from '../bridge/raw-socket.ts';
import { startTemporaryBridge } from '../bridge/temporary-bridge.ts';
import { canary, refusalOf, useBridge } from './bridge-rig.ts';

/** The WebSocket handshake. What stands in A about Host and target holds here, too (A18). */

describe('a handshake', () => {
  const rig = useBridge();

  /** The head of the answer to one that is let in. */
  async function accepted(protocols: string) {
    const socket = connect(rig.port, '127.0.0.1');
    const offers = ['Sec-WebSocket-Extensions: permessage-deflate', `Sec-WebSocket-Protocol: ${protocols}`];
    socket.write(['GET /ws HTTP/1.1', `Host: 127.0.0.1:${rig.port}`, ...upgradeLines(offers), '', ''].join('\r\n'));
    const [head] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return parseAnswer(head);
  }

  it('E1 of the extension is taken, without compression', async () => {
    const { status, headers } = await accepted(subprotocol);
    expect([status, headers.get('sec-websocket-protocol')]).toEqual([101, subprotocol]);
    expect(headers.has('sec-websocket-extensions')).toBe(false);
  });

  it.each([
    ['E3', 'chrome-extension://zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz'],
    ['E3', 'moz-extension://evil'],
    ['E3', 'https://evil.com'],
    ['E3', 'null'],
    ['E3', 'http://127.0.0.1:P'],
    ['E4', `${extensionOrigin}.evil.com`],
    ['E4', `${extensionOrigin}/`],
    ['E4', extensionOrigin.toUpperCase()],
    ['E4', extensionOrigin.replace('chrome-extension', 'chrome-extension-evil')],
  ])('%s of the Origin %s is refused', async (_, origin) => {
    expect(refusalOf(await rig.w0([`Origin: ${origin}`]))).toEqual({ status: 403, code: 'origin_not_allowed' });
  });

  it.each([
    'chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    'moz-extension://0190a8f0-0000-7000-8000-000000000000',
  ])('E3 of another extension, %s, leads to nothing before it is paired', async (origin) => {
    const { send, closed } = await open(rig.bridge.url, { origin });
    send(hello());
    expect(await closed).toMatchObject({ code: closeCodes.notPaired });
    expect(rig.bridge.status.read().extensions.map(({ browser }) => browser)).toEqual(['Fake 1']);
  });

  it('E4 of two Origins is refused', async () => {
    const answer = await rig.w0([`Origin: ${extensionOrigin}`, 'Origin: https://evil.com']);
    expect(refusalOf(answer)).toEqual({ status: 400, code: 'duplicate_header' });
  });

  it('E5 of a program that names no Origin is refused', async () => {
    const lines = upgradeLines().filter((line) => !line.startsWith('Origin:'));
    expect(refusalOf(await rig.send('GET /ws', lines))).toEqual({ status: 403, code: 'origin_required' });
  });

  it('E5 that is refused is so in good order, although its caller goes on writing', async () => {
    const errors: Error[] = [];
    const socket = connect(rig.port, '127.0.0.1').on('error', (error) => errors.push(error));
    socket.write(upgradeHead(rig.port).replace(/^Origin: .*\r\n/m, ''));
    const piece = Buffer.alloc(64 * 1024);
    for (let count = 0; count < 64; count += 1) socket.write(piece);
    expect(refusalOf(parseAnswer(await readToEnd(socket)))).toEqual({ status: 403, code: 'origin_required' });
    expect(errors).toEqual([]);
  });

  it.each(['/', '/ws/', '/ws?x', `/ws?token=${canary}`, '/socket.io/', '/WS', '/health', '/nothing'])(
    'E7 at %s is refused',
    async (path) => {
      expect(refusalOf(await rig.w0([], `GET ${path}`))).toEqual({ status: 404, code: 'not_found' });
    },
  );

  it('E7 at // is refused', async () => {
    expect(refusalOf(await rig.w0([], 'GET //'))).toEqual({ status: 400, code: 'invalid_request_target' });
  });

  it('E9 gets our subprotocol back and never another, which may be a secret', async () => {
    for (const offered of [`bearer.${canary}, ${subprotocol}`, `${subprotocol}, bearer.${canary}`])
      expect((await accepted(offered)).headers.get('sec-websocket-protocol')).toBe(subprotocol);
    for (const offered of [`bearer.${canary}`, 'chat', `${subprotocol}x`, `x${subprotocol}`, 'puter-bridge.v', '', ','])
      expect(refusalOf(await rig.w0([`Sec-WebSocket-Protocol: ${offered}`]))).toEqual(bad);
  });

  it('E9 of our protocol in another version is let in to be told which side to update', async () => {
    const newer = `puter-bridge.v${protocolVersion + 1}`;
    expect((await accepted(newer)).headers.get('sec-websocket-protocol')).toBe(newer);
    const { closed } = await open(rig.bridge.url, { protocols: [newer] });
    expect(await closed).toMatchObject({ code: closeCodes.wrongVersion });
  });

  const bad = { status: 400, code: 'bad_upgrade' };
  it.each([
    ['version 12', ['Sec-WebSocket-Version: 12']],
    ['version 8', ['Sec-WebSocket-Version: 8']],
    ['a short key', ['Sec-WebSocket-Key: AAAA']],
    ['a key that is no base64', [`Sec-WebSocket-Key: ${'!'.repeat(22)}==`]],
    ['HTTP/2', ['Upgrade: h2c']],
  ])('E10 with %s is refused', async (_, headers) => {
    const answer = await rig.w0(headers);
    expect(refusalOf(answer)).toEqual(bad);
    expect(answer.headers.get('sec-websocket-version')).toBe('13');
  });

  it('E10 without its headers is refused', async () => {
    for (const name of ['Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Sec-WebSocket-Protocol']) {
      const lines = upgradeLines().filter((line) => !line.startsWith(`${name}:`));
      expect(refusalOf(await rig.send('GET /ws', lines))).toEqual(bad);
    }
  });

  it('E10 by POST is refused', async () => {
    const answer = await rig.w0([], 'POST /ws');
    expect(refusalOf(answer)).toEqual({ status: 405, code: 'method_not_allowed' });
    expect(answer.headers.get('allow')).toBe('GET');
  });

  it('E10 to HTTP/2, as curl and Java offer it everywhere, is a request like any other', async () => {
    rig.expectCalls(1);
    const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA'];
    expect((await rig.r0(offer)).status).toBe(200);
    expect(refusalOf(await rig.r0([...offer, 'Origin: null']))).toEqual({ status: 403, code: 'origin_not_allowed' });
  });

  it.each(['/v1/models', '/api/process', '/v1/chat/completions', '/auth/callback'])(
    'E15 at %s, where HTTP is served, gets neither a socket nor that',
    async (path) => {
      expect(refusalOf(await rig.w0([], `GET ${path}`))).toEqual({ status: 404, code: 'not_found' });
      const stranger = await rig.w0(['Origin: https://evil.com'], `GET ${path}`);
      expect(refusalOf(stranger)).toEqual({ status: 403, code: 'origin_not_allowed' });
    },
  );

  it('E16 may have the first frames in one packet with it', async () => {
    const socket = connect(rig.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const frame = (value: Parameters<typeof encodeFrame>[0]) => rawFrame(0x81, Buffer.from(encodeFrame(value)));
    const first = hello({ browser: 'Early' });
    socket.write(Buffer.concat([Buffer.from(upgradeHead(rig.port)), frame(first), frame({ type: 'pong' })]));
    const early = () => rig.bridge.status.read().extensions.filter(({ browser }) => browser === 'Early').length;
    await expect.poll(early).toBe(1);
    socket.destroy();
    await expect.poll(early).toBe(0);
  });
});

describe('sockets that say nothing', () => {
  const limits = { maxPendingHandshakes: 4, helloTimeoutMs: 300 };
  const rig = useBridge({ limits });

  it('E11 are few at once, and not for long', async () => {
    const silent = await Promise.all(Array.from({ length: limits.maxPendingHandshakes }, () => open(rig.bridge.url)));
    expect(refusalOf(await rig.w0())).toEqual({ status: 503, code: 'too_many_pending' });
    for (const { closed } of silent) expect(await closed).toMatchObject({ code: closeCodes.handshakeTimeout });
    const { socket, closed } = await open(rig.bridge.url);
    socket.close();
    await closed;
  });

  it('E11 do not count once they are turned away, even where they never agree to be closed', async () => {
    for (let round = 0; round < 3 * limits.maxPendingHandshakes; round += 1) {
      const socket = connect(rig.port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.write(Buffer.concat([Buffer.from(upgradeHead(rig.port)), rawFrame(0x82, Buffer.from('binary'))]));
      await once(socket, 'data');
    }
    const { socket, closed } = await open(rig.bridge.url);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.close();
    await closed;
  });
});

describe('a program that names the Origin of the extension, and has no secret', () => {
  const rig = useBridge({
    withExtension: false,
    requirePairing: true,
    connectGraceMs: 600,
    limits: { helloTimeoutMs: 200 },
  });
  const secret = '0'.repeat(64);
  const who = { profile: crypto.randomUUID(), browser: 'Chrome 156', watched: false };

  it.each([
    ['says hello', hello(), closeCodes.notPaired],
    ['proves nothing', { type: 'auth', ...who, nonce: secret, mac: secret } as const, closeCodes.notPaired],
    ['says nothing', null, closeCodes.handshakeTimeout],
  ])('E6 that %s is let in, turned away, and never given a call', async (_, frame, code) => {
    const asked = rig.r0();
    const { send, closed, left } = await open(rig.bridge.url);
    if (frame) send(frame);
    expect(await closed).toMatchObject({ code });
    expect(refusalOf(await asked)).toMatchObject({ status: 503, code: 'extension_not_connected' });
    expect(left()).toEqual([]);
  });
});

describe('connections that say nothing', () => {
  const maxConnections = 20;
  const rig = useBridge({ limits: { maxConnections, headersTimeoutMs: 400, requestTimeoutMs: 800 } });

  it('E12 are dropped where they are too many, and the others soon', async () => {
    const sockets = Array.from({ length: 60 }, () => connect(rig.port, '127.0.0.1'));
    const answers = (await Promise.all(sockets.map(readToEnd))).filter(({ length }) => length > 0).map(parseAnswer);
    // One connection is the extension's.
    expect(answers.length).toBe(maxConnections - 1);
    for (const answer of answers) expect(refusalOf(answer)).toEqual({ status: 408, code: 'bad_http' });
  });
});

it('E13 a handshake while the bridge stops is refused', async () => {
  const bridge = await startTemporaryBridge();
  const socket = connect(Number(new URL(bridge.url).port), '127.0.0.1');
  const [start, ...rest] = upgradeHead(Number(new URL(bridge.url).port)).split('\r\n');
  socket.write(`${start}\r\n`);
  // What is sent on another connection arrives later.
  await fetch(`${bridge.url}/health`);
  const stopped = bridge.close();
  socket.write(rest.join('\r\n'));
  expect(refusalOf(parseAnswer(await readToEnd(socket)))).toEqual({ status: 503, code: 'shutting_down' });
  await stopped;
});

it('E9 E1 the extension’s own client gets what it asked for', async () => {
  const bridge = await startTemporaryBridge();
  onTestFinished(() => bridge.close());
  const socket = new WebSocket(`${bridge.url.replace('http', 'ws')}/ws`, subprotocol, { origin: extensionOrigin });
  await once(socket, 'open');
  expect([socket.protocol, socket.extensions]).toEqual([subprotocol, '']);
  socket.close();
});
