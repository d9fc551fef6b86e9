import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { expect, onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';

import { extensionOrigin } from '#shared/extension-id.ts';
import {
  decodeFrameToBridge,
  encodeFrame,
  type Frame,
  type FrameToBridge,
  type FrameToExtension,
} from '#shared/protocol.ts';

/** The bridge's side of the wire, spoken by the test. */
export interface ScriptedBridge {
  address: string;
  host: string;
  /** Sockets so far, the newest last. */
  lines: Line[];
  /** The next socket that says hello. */
  nextLine(): Promise<Line>;
  /** What `POST /api/result` brought. */
  handedIn: { secret: string | undefined; body: unknown }[];
  close(): Promise<void>;
}

export interface Line {
  hello: Frame<FrameToBridge, 'hello'>;
  /** All but the hello. */
  frames: FrameToBridge[];
  closed: { code: number; reason: string } | null;
  welcome(resume?: Frame<FrameToExtension, 'welcome'>['resume']): void;
  send(frame: FrameToExtension): void;
  sendRaw(data: string | Buffer): void;
  end(code?: number, reason?: string): void;
  /** The next frame of that type, or the one that came already. */
  frame<T extends FrameToBridge['type']>(type: T): Promise<Frame<FrameToBridge, T>>;
}

/** `greet` decides what becomes of a socket before its hello is read; by itself it asks for no pairing. */
export async function startScriptedBridge(
  options: { port?: number; health?: (response: ServerResponse) => void; greet?: (socket: WebSocket) => void } = {},
): Promise<ScriptedBridge> {
  const lines: Line[] = [];
  const handedIn: ScriptedBridge['handedIn'] = [];
  const { port = 0, health = answerAsOurs, greet = challenge } = options;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/health') return health(response);
    const body = JSON.parse(await text(request)) as { request_id: string };
    handedIn.push({ secret: request.headers.authorization, body });
    answerAsOurs(response, { status: 'success', request_id: body.request_id });
  }

  const server = createServer((request, response) => void respond(request, response));
  const sockets = new WebSocketServer({ server, path: '/ws' });
  sockets.on('connection', (socket) => {
    greet(socket);
    let line: Line | undefined;
    socket.on('message', (data: Buffer) => {
      const frame = decodeFrameToBridge(data.toString('utf8'));
      if (line) return void line.frames.push(frame);
      if (frame.type !== 'hello') return options.greet ? undefined : expect.fail('The first frame is no hello.');
      line = createLine(socket, frame);
      lines.push(line);
    });
    socket.on('close', (code, reason) => line && (line.closed = { code, reason: reason.toString('utf8') }));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function close(): Promise<void> {
    if (!server.listening) return;
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
  onTestFinished(close);

  return {
    address: `http://${host}`,
    host,
    lines,
    async nextLine() {
      const before = lines.length;
      await expect.poll(() => lines.length, patiently).toBeGreaterThan(before);
      return lines[before] ?? expect.fail('No line.');
    },
    handedIn,
    close,
  };
}

/** With an interval of nothing, a poll does not move a clock that the test holds. */
export const patiently = { interval: 0, timeout: 10_000 };

function challenge(socket: WebSocket): void {
  socket.send(encodeFrame({ type: 'challenge', nonce: '0'.repeat(64), mustPair: false }));
}

function answerAsOurs(response: ServerResponse, body: object = { status: 'ok' }): void {
  response.writeHead(200, { 'Access-Control-Allow-Origin': extensionOrigin }).end(JSON.stringify(body));
}

function createLine(socket: WebSocket, hello: Frame<FrameToBridge, 'hello'>): Line {
  const line: Line = {
    hello,
    frames: [],
    closed: null,
    welcome: (resume = []) => line.send({ type: 'welcome', version: '1.2.3', secret: 'the secret', resume }),
    send: (frame) => socket.send(encodeFrame(frame)),
    sendRaw: (data) => socket.send(data),
    end: (code = 1001, reason = '') => socket.close(code, reason),
    async frame(type) {
      const isIt = (frame: FrameToBridge): frame is Frame<FrameToBridge, typeof type> => frame.type === type;
      await expect.poll(() => line.frames.some(isIt), patiently).toBe(true);
      return line.frames.find(isIt) ?? expect.fail('No frame.');
    },
  };
  return line;
}
