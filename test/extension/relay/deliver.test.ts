import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { describe, expect, it, onTestFinished } from 'vitest';

import type { Delivery } from '#shared/protocol.ts';

import { deliver } from '../../../extension/relay/deliver.ts';

const delivery: Delivery = {
  chunks: [[{ type: 'text', text: 'Hello' }]],
  end: { finishReason: 'stop', model: null, usage: null },
};
const handIn = (address: string) => deliver({ address, secret: 'the secret', requestId: 'r', delivery });

async function startAnswering(status: number, said: object = {}) {
  const requests: unknown[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method, url, headers } = request;
      requests.push({ method, url, type: headers['content-type'], secret: headers.authorization, body });
      response.writeHead(status).end(JSON.stringify(said));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('an answer handed in by post', () => {
  it('is one JSON body, with the secret', async () => {
    const { requests, address } = await startAnswering(200);
    await handIn(address);
    expect(requests).toEqual([
      {
        method: 'POST',
        url: '/api/result',
        type: 'application/json',
        secret: 'Bearer the secret',
        body: '{"request_id":"r","chunks":[[{"type":"text","text":"Hello"}]],"end":{"finishReason":"stop","model":null,"usage":null}}',
      },
    ]);
  });

  it.each([
    [200, { status: 'success', request_id: 'r' }],
    [404, { status: 'error', error: 'm', code: 'not_found', request_id: null }],
    [409, { status: 'error', error: 'm', code: 'already_answered', request_id: null }],
  ])('is settled where the bridge says that it has it or does not want it: %d', async (status, said) => {
    expect(await handIn((await startAnswering(status, said)).address)).toBe(true);
  });

  it.each([
    [200, {}],
    [200, { status: 'success', request_id: 'another' }],
    [404, { error: 'not_found' }],
    [409, { code: 'conflict' }],
  ])('is kept where another program answers in its place: %d', async (status, said) => {
    expect(await handIn((await startAnswering(status, said)).address)).toBe(false);
  });

  it.each([400, 401, 403, 413, 500, 502, 503])('is kept where the bridge cannot take it so: %d', async (status) => {
    expect(await handIn((await startAnswering(status)).address)).toBe(false);
  });

  it('is kept where there is no bridge', async () => {
    expect(await handIn('http://127.0.0.1:1')).toBe(false);
  });
});
