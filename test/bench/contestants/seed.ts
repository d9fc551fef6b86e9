/** The design that polls: whoever waits for an answer looks for it in a dictionary, ten times a second. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { WebSocketServer, type WebSocket } from 'ws';

import type { BareFrame } from './bare.ts';

const pollMs = 100;
const answers = new Map<number, string>();
let extension: WebSocket | undefined;
let lastId = 0;

const server = createServer((request, response) => void answer(request, response));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = '';
  for await (const piece of request) text += String(piece);
  const id = (lastId += 1);
  extension?.send(JSON.stringify({ id, body: JSON.parse(text) as unknown }));
  while (!answers.has(id)) await new Promise((resolve) => setTimeout(resolve, pollMs));
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ result: answers.get(id) }));
  answers.delete(id);
}

new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
  extension = socket;
  socket.on('message', (data: Buffer) => {
    const { id, text } = JSON.parse(data.toString('utf8')) as BareFrame;
    answers.set(id, text);
  });
});

server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
