import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { parseAnswer, readToEnd, sendBytes, sendRaw, type RawAnswer } from '../bridge/raw-socket.ts';
import { canary, json, refusalOf, useBridge } from './bridge-rig.ts';

/** What becomes of bytes on their way to a request: sizes, times, and what is no HTTP. */

const maxBodyBytes = 1024 * 1024;
const rig = useBridge({ limits: { maxBodyBytes, headersTimeoutMs: 500, requestTimeoutMs: 1000 } });

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const jsonHeader = 'Content-Type: application/json';
const tooLarge = { status: 413, code: 'request_too_large' };

/** The head of a POST, for what `send` would not send; the socket stays open unless the bridge closes it. */
const headOf = (...headers: string[]): string =>
  ['POST /api/process HTTP/1.1', `Host: 127.0.0.1:${rig.port}`, jsonHeader, ...headers, '', ''].join('\r\n');

async function timed(asked: Promise<RawAnswer>): Promise<RawAnswer & { ms: number }> {
  const start = performance.now();
  return { ...(await asked), ms: performance.now() - start };
}

describe('a body that is too large', () => {
  it('H16 is refused by its announced length, before a byte of it is sent', async () => {
    const answer = await timed(sendBytes(rig.port, headOf('Content-Length: 52428800')));
    expect(refusalOf(answer)).toEqual(tooLarge);
    expect(answer.headers.get('connection')).toBe('close');
  });

  it('H18 is refused in chunks as soon as it passes the limit', async () => {
    const piece = chunk('x'.repeat(100_000));
    const answer = await sendBytes(rig.port, headOf('Transfer-Encoding: chunked'), piece.repeat(12));
    expect(refusalOf(answer)).toEqual(tooLarge);
    expect(answer.headers.get('connection')).toBe('close');
  });

  it('H19 is one byte larger than one that is not', async () => {
    rig.expectCalls(2);
    const prompt = json({ prompt: 'x', model: 'echo' });
    const whole = prompt.padEnd(maxBodyBytes);
    expect((await rig.r0([], whole)).status).toBe(200);
    expect(refusalOf(await rig.r0([], `${whole} `))).toEqual(tooLarge);
    const chunked = (text: string) =>
      sendBytes(rig.port, headOf('Transfer-Encoding: chunked', 'Connection: close'), chunk(text), chunk(''));
    expect((await chunked(whole)).status).toBe(200);
    expect(refusalOf(await chunked(`${whole} `))).toEqual(tooLarge);
  });
});

describe('whoever asks before it sends its body', () => {
  const asks = ['Expect: 100-continue', 'Content-Length: 15', 'Connection: close'];

  it.each([
    ['a page asks', ['Origin: https://evil.com'], 403],
    ['the body is none that is taken', ['Content-Encoding: gzip'], 415],
    ['the body is too large', ['Content-Length: 52428800'], 413],
  ])('H21 is not told to where %s', async (_, headers, status) => {
    const names = new Set(headers.map((line) => line.split(':')[0]));
    const others = asks.filter((line) => !names.has(line.split(':')[0]));
    // A “100 Continue” would come first.
    expect((await sendBytes(rig.port, headOf(...others, ...headers))).status).toBe(status);
  });

  it('H21 is told to where all is well so far', async () => {
    rig.expectCalls(1);
    const socket = connect(rig.port, '127.0.0.1');
    socket.write(headOf(...asks));
    expect(parseAnswer(((await once(socket, 'data')) as [Buffer])[0]).status).toBe(100);
    socket.write('{"prompt":"hi"}');
    expect(parseAnswer(await readToEnd(socket)).status).toBe(200);
  });

  it('H21 hears that nothing else is met', async () => {
    const answer = await sendBytes(rig.port, headOf('Expect: cake', 'Content-Length: 0'));
    expect(refusalOf(answer)).toEqual({ status: 417, code: 'bad_http' });
  });
});

describe('what does not come to its end', () => {
  const late = { status: 408, code: 'bad_http' };

  it.each([
    ['chunks', headOfLater('Transfer-Encoding: chunked'), chunk('{"prompt":')],
    ['an announced length', headOfLater('Content-Length: 1000'), '{"prompt":'],
  ])('H22 a body in %s is waited for no longer than the timeout', async (_, head, begin) => {
    const answer = await timed(sendBytes(rig.port, head(), begin));
    expect(refusalOf(answer)).toEqual(late);
    expect(answer.ms).toBeGreaterThan(900);
    expect(answer.ms).toBeLessThan(3000);
  });

  it('H22 a body that goes on for ever ends there, too', async () => {
    const socket = connect(rig.port, '127.0.0.1');
    socket.write(headOf('Transfer-Encoding: chunked'));
    const timer = setInterval(() => socket.write(chunk(' ')), 20);
    const answer = parseAnswer(await readToEnd(socket));
    clearInterval(timer);
    expect(refusalOf(answer)).toEqual(late);
  });

  it('H23 a head that comes byte by byte is waited for no longer than its timeout', async () => {
    const socket = connect(rig.port, '127.0.0.1');
    const bytes = 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: '.split('');
    const timer = setInterval(() => socket.write(bytes.shift() ?? 'x'), 20);
    const { ms, ...answer } = await timed(readToEnd(socket).then(parseAnswer));
    clearInterval(timer);
    expect(refusalOf(answer)).toEqual(late);
    expect(ms).toBeLessThan(1500);
  });

  it.each([
    ['H22', 'a body', headOfLater('Content-Length: 1000')],
    ['H23', 'a head', () => 'GET /health HTTP/1.1\r\n'],
  ])('%s %s is not waited for much longer where it comes on a used connection', async (_row, _name, begin) => {
    const socket = connect(rig.port, '127.0.0.1');
    socket.write(`GET /health HTTP/1.1\r\nHost: 127.0.0.1:${rig.port}\r\n\r\n`);
    await once(socket, 'data');
    socket.write(begin());
    const { ms, ...answer } = await timed(readToEnd(socket).then(parseAnswer));
    expect(refusalOf(answer)).toEqual(late);
    expect(ms).toBeLessThan(3000);
  });

  function headOfLater(header: string): () => string {
    return () => headOf(header);
  }
});

describe('a head that is too large', () => {
  const refused = { status: 431, code: 'bad_http' };

  it.each([
    ['one long header', [`X: ${'x'.repeat(20 * 1024)}`]],
    ['very many headers', Array.from({ length: 2100 }, () => 'x:y')],
    ['101 headers', Array.from({ length: 99 }, (_, n) => `X-${n}: y`)],
  ])('H24 is refused for %s', async (_, headers) => {
    expect(refusalOf(await rig.g0(headers))).toEqual(refused);
  });

  it('H24 is not refused for 100 headers, and each of them counts', async () => {
    // Host and Connection are the other two.
    const headers = Array.from({ length: 97 }, (_, n) => `X-${n}: y`);
    expect((await rig.g0([...headers, 'X-98: y'])).status).toBe(200);
    const page = await rig.g0([...headers, 'Origin: https://evil.com']);
    expect(refusalOf(page)).toEqual({ status: 403, code: 'origin_not_allowed' });
  });

  it('H24 is refused in good order, although the caller goes on writing it', async () => {
    const errors: Error[] = [];
    const socket = connect(rig.port, '127.0.0.1').on('error', (error) => errors.push(error));
    socket.write('GET /health HTTP/1.1\r\nX: ');
    const piece = 'x'.repeat(64 * 1024);
    for (let count = 0; count < 64; count += 1) socket.write(piece);
    const { ms, ...answer } = await timed(readToEnd(socket).then(parseAnswer));
    expect(refusalOf(answer)).toEqual(refused);
    expect(errors).toEqual([]);
    // Not only when the bridge loses patience.
    expect(ms).toBeLessThan(900);
  });

  it('H29 is refused for a long address', async () => {
    expect(refusalOf(await rig.send(`GET /${'x'.repeat(20 * 1024)}`))).toEqual(refused);
  });
});

it.each([
  ['a length and chunks', ['Content-Length: 2', 'Transfer-Encoding: chunked']],
  ['two lengths', ['Content-Length: 2', 'Content-Length: 3']],
  ['the same length twice', ['Content-Length: 2', 'Content-Length: 2']],
  ['a negative length', ['Content-Length: -1']],
  ['a length with a sign', ['Content-Length: +2']],
  ['a hexadecimal length', ['Content-Length: 0x2']],
  ['chunks that are not the last coding', ['Transfer-Encoding: chunked, identity']],
  ['another coding', ['Transfer-Encoding: xchunked']],
  ['a bare CR', ['X: a\rb']],
  ['a NUL', ['X: a\0b']],
  ['a folded line', ['X: a\r\n b']],
  ['a space before the colon', ['X : a']],
  ['no colon', ['X']],
])('H25 %s is no HTTP, and the connection ends', async (_, headers) => {
  const answer = await sendBytes(rig.port, headOf(...headers), '{}');
  expect(refusalOf(answer)).toEqual({ status: 400, code: 'bad_http' });
  expect(answer.headers.get('connection')).toBe('close');
});

it.each([
  'hello\r\n\r\n',
  '\x16\x03\x01\x02\0\x01\0',
  'GET /health HTTP/9.9\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
])('H25 %j is no HTTP', async (text) => {
  expect(refusalOf(await sendBytes(rig.port, text))).toEqual({ status: 400, code: 'bad_http' });
});

it('H25 a broken chunk ends the request that it belongs to', async () => {
  const broken = await sendBytes(rig.port, headOf('Transfer-Encoding: chunked'), `zz\r\n${canary}\r\n0\r\n\r\n`);
  expect(refusalOf(broken)).toEqual({ status: 400, code: 'bad_http' });
  expect(broken.body).not.toContain(canary);
});

describe('what stands behind a request that is still being answered', () => {
  const wholeCall = (body: string, ...headers: string[]) =>
    headOf(`Content-Length: ${Buffer.byteLength(body)}`, ...headers) + body;
  const call = (model: string, ...headers: string[]) => wholeCall(json({ prompt: 'x', model }), ...headers);
  const elsewhere = (...headers: string[]) => headOf(...headers).replace('/api/process', '/nowhere');
  const countAnswers = ({ body }: RawAnswer) => body.split('HTTP/1.1').length;

  it('H25 of a body that is longer than it says, takes no refusal away', async () => {
    const body = json({ prompt: 'Grüße aus Zürich', model: 'echo' });
    const answer = await sendBytes(rig.port, headOf(`Content-Length: ${body.length}`) + body);
    expect(refusalOf(answer)).toEqual({ status: 400, code: 'invalid_json' });
    expect(answer.headers.get('connection')).toBe('close');
  });

  it.each([
    ['no HTTP', () => 'garbage\r\n\r\n'],
    ['no HTTP and then a request', () => `garbage\r\n\r\n${call('echo')}`],
    ['a request that is none', () => headOf('Content-Length: 2', 'Content-Length: 3')],
  ])('H25 is neither answered nor called where it is %s, and takes no answer away', async (_, rest) => {
    rig.expectCalls(1);
    const answer = await sendBytes(rig.port, call('slow-utf8') + rest());
    expect([answer.status, answer.headers.get('connection'), countAnswers(answer)]).toEqual([200, 'close', 1]);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 'success' });
  });

  it.each([
    ['garbage behind it', () => `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${rig.port}\r\n\r\ngarbage\r\n\r\n`, 200],
    ['a broken body', () => `${headOf('Transfer-Encoding: chunked')}zz\r\n`, 400],
    ['another path and a broken body', () => `${elsewhere('Transfer-Encoding: chunked')}zz\r\n`, 404],
  ])('H25 is answered in its turn where it is a request with %s', async (_, rest, status) => {
    rig.expectCalls(1);
    const socket = connect(rig.port, '127.0.0.1');
    socket.write(call('slow-utf8') + rest());
    const answers = (await readToEnd(socket)).toString().split('HTTP/1.1 ').slice(1);
    expect(answers.map((text) => Number(text.slice(0, 3)))).toEqual([200, status]);
  });

  it.each([
    ['is refused', () => elsewhere('Content-Length: 10', 'Expect: 100-continue'), 404],
    ['is called', () => headOf('Content-Length: 10'), 408],
  ])(
    'H23 H25 takes no answer away while it waits for its turn, and for a body that never comes and %s',
    async (...it) => {
      const [, rest, status] = it;
      rig.expectCalls(1);
      const socket = connect(rig.port, '127.0.0.1');
      // Longer than a request may take to come.
      socket.write(wholeCall(json({ prompt: 'x', model: 'hang', timeout_ms: 2500 })) + rest());
      const answers = (await readToEnd(socket)).toString().split('HTTP/1.1 ').slice(1);
      expect(answers.map((text) => Number(text.slice(0, 3)))).toEqual([504, status]);
    },
  );

  it('H23 H25 is not waited for where it is a head that never ends, nor is the answer lost', async () => {
    rig.expectCalls(1);
    const body = json({ prompt: 'x', model: 'hang', timeout_ms: 3000 });
    const answer = await sendBytes(rig.port, `${wholeCall(body)}GET /health HTTP/1.1\r\n`);
    expect(refusalOf(answer)).toEqual({ status: 504, code: 'timed_out' });
    expect(answer.headers.get('connection')).toBe('close');
  });

  it('H25 ends the socket, too, where the answer has begun', async () => {
    rig.expectCalls(1);
    const body = json({ messages: [{ role: 'user', content: 'x' }], model: 'slow-utf8', stream: true });
    const socket = connect(rig.port, '127.0.0.1');
    socket.write(wholeCall(body).replace('/api/process', '/v1/chat/completions'));
    const [begun] = (await once(socket, 'data')) as [Buffer];
    socket.write(`garbage\r\n\r\n${call('echo')}`);
    const answer = parseAnswer(Buffer.concat([begun, await readToEnd(socket)]));
    expect([answer.status, countAnswers(answer)]).toEqual([200, 1]);
    expect(answer.body).toContain('data: [DONE]');
  });

  it.each([
    ['closes its half', (socket: Socket) => void socket.end()],
    ['goes', (socket: Socket) => void socket.destroy()],
  ])('H25 H31 is no reason to stay for whoever %s then', async (_, leave) => {
    for (const rest of ['garbage\r\n\r\n', 'GET /health HTTP/1.1\r\n']) {
      rig.expectCalls(1);
      const called = rig.extension.nextCall();
      const socket = connect({ port: rig.port, host: '127.0.0.1', allowHalfOpen: true });
      socket.write(call('hang'));
      const running = await called;
      socket.write(rest);
      await rig.g0();
      leave(socket);
      expect(await running.closed).toBe('aborted');
      socket.destroy();
    }
    rig.expectCalls(2);
  });
});

it.each(['TRACE', 'PUT', 'DELETE', 'PATCH', 'QUERY', 'GET', 'HEAD'])(
  'H27 %s is not for POST routes',
  async (method) => {
    for (const path of ['/api/process', '/api/result', '/v1/chat/completions']) {
      const { status, headers, body } = await rig.send(`${method} ${path}`);
      expect([status, headers.get('allow')]).toEqual([405, 'POST']);
      expect(body).toContain(method === 'HEAD' ? '' : 'method_not_allowed');
    }
  },
);

it.each([
  ...['/%E0%A4%A', '/%00', '/../../etc/passwd', '/..%2f..%2fetc%2fpasswd', '/static/..%5c..%5cpackage.json'],
  ...[
    '/page.css/..%2f..%2f..%2fpackage.json',
    '/.%2e/package.json',
    '/package.json',
    '/bridge/main.ts',
    '/style.css%00.html',
  ],
])('H28 %s is never a file', async (path) => {
  expect(refusalOf(await rig.send(`GET ${path}`))).toEqual({ status: 404, code: 'not_found' });
});

it('H30 a thousand requests in one piece are answered in order, up to the limit of a socket', async () => {
  const host = `Host: 127.0.0.1:${rig.port}`;
  const paths = Array.from({ length: 1000 }, (_, n) => (n % 3 === 0 ? '/nothing' : '/health'));
  const pieces = paths.map((path) => `GET ${path} HTTP/1.1\r\n${host}\r\n\r\n`);
  const socket = connect(rig.port, '127.0.0.1');
  socket.write(pieces.join(''));
  const answers = (await readToEnd(socket)).toString();
  const statuses = [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  expect(statuses).toEqual(paths.slice(0, 100).map((path) => (path === '/health' ? 200 : 404)));
  expect(answers.match(/^Connection: .*$/gim)?.at(-1)).toBe('Connection: close');
});

it.each([
  ['an expectation that nobody meets', ['Expect: a-miracle']],
  ['too many headers', Array.from({ length: 101 }, (_, n) => `X-${n}: x`)],
])('H30 calls nothing for what stands behind a refusal that ends the socket: %s', async (_, headers) => {
  const body = json({ prompt: 'x', model: 'echo' });
  const good = headOf(`Content-Length: ${body.length}`) + body;
  const answers = await sendBytes(rig.port, headOf('Content-Length: 2', ...headers), '{}', good);
  expect(answers.status).toBeGreaterThanOrEqual(400);
  expect(answers.body).not.toContain('HTTP/1.1');
});

describe('a socket of two requests', () => {
  const short = useBridge({ limits: { maxRequestsPerSocket: 2 } });

  it('H30 calls nothing by a third', async () => {
    const body = json({ prompt: 'x', model: 'echo' });
    const head = [
      'POST /api/process HTTP/1.1',
      `Host: 127.0.0.1:${short.port}`,
      jsonHeader,
      `Content-Length: ${body.length}`,
    ];
    const call = `${head.join('\r\n')}\r\n\r\n${body}`;
    const answers = (await sendBytes(short.port, call.repeat(5))).body;
    expect(answers.match(/You said: x/g)).toHaveLength(2);
    short.expectCalls(2);
  });

  it('H30 takes any number that wait for each other’s answers', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let time = 0; time < 5; time += 1) {
      const asked = get({ port: short.port, path: '/health', agent });
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      ports.add(answer.socket.localPort);
      await once(answer.resume(), 'end');
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });
});

it('H31 whoever closes its half hung up, and its call ends', async () => {
  rig.expectCalls(1);
  const call = rig.extension.nextCall();
  const body = json({ prompt: 'x', model: 'hang' });
  const socket = connect({ port: rig.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(headOf(`Content-Length: ${body.length}`) + body);
  const running = await call;
  expect(await running.closed).toBe('aborted');
  socket.destroy();
});

it('H35 the caller’s own request id is not the bridge’s, and comes back nowhere', async () => {
  rig.expectCalls(1);
  for (const id of [canary, `${canary}\u0001`, canary.repeat(500), 'a b']) {
    const { headers, body } = await sendRaw(rig.port, [
      'GET /v1/nothing HTTP/1.1',
      `Host: 127.0.0.1:${rig.port}`,
      `X-Request-Id: ${id}`,
    ]);
    expect(json([...headers]) + body).not.toContain(canary);
  }
  const { headers, body } = await rig.r0([`X-Request-Id: ${canary}`]);
  expect(json([...headers]) + body).not.toContain(canary);
});
