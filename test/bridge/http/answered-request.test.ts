import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { expect, it, onTestFinished } from 'vitest';

import { createHttpServer } from '../../../bridge/http/server.ts';
import { defaultLimits } from '../../../bridge/limits.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

it('is let go of, however long its socket lives', async () => {
  const { server, serve } = createHttpServer(defaultLimits, () => false);
  const answered: WeakRef<IncomingMessage | ServerResponse>[] = [];
  serve((request, response) => {
    answered.push(new WeakRef(request), new WeakRef(response));
    request.resume();
    response.end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  const ask = async () => {
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1\.1 200/);
  };

  await ask();
  const left = () => {
    collect();
    return answered.filter((it) => it.deref() !== undefined).length;
  };
  await expect.poll(left).toBe(0);
  // It is the same socket.
  await ask();
  expect(answered).toHaveLength(4);
});
