/**
 * The physical limit of this shape, and nothing else: what comes in by HTTP goes out by a WebSocket in an envelope of
 * JSON, and back.
 */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { WebSocketServer, type WebSocket } from 'ws';

/** `end` carries the whole answer where there was no stream. */
export interface BareFrame {
  id: number;
  type: 'chunk' | 'end';
  text: string;
}

const waiting = new Map<number, { response: ServerResponse; isStream: boolean }>();
const extensions: WebSocket[] = [];
let lastId = 0;

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(pieces).toString('utf8')) as { stream?: boolean };
    const id = (lastId += 1);
    waiting.set(id, { response, isStream: body.stream === true });
    if (body.stream) response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    extensions[id % extensions.length]?.send(JSON.stringify({ id, body }));
  });
});

new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
  extensions.push(socket);
  socket.on('close', () => extensions.splice(extensions.indexOf(socket), 1));
  socket.on('message', (data: Buffer) => {
    const { id, type, text } = JSON.parse(data.toString('utf8')) as BareFrame;
    const { response, isStream } = waiting.get(id) ?? {};
    if (type === 'chunk') return void response?.write(`data: ${JSON.stringify({ text })}\n\n`);
    waiting.delete(id);
    if (isStream) return void response?.end('data: [DONE]\n\n');
    const answer = JSON.stringify({ result: text });
    response?.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(answer) });
    response?.end(answer);
  });
});

server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
