import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { decodeFrameToExtension } from '#shared/protocol.ts';

import { createReporter } from '../../bridge/command-line/reporter.ts';
import { toPuterArguments } from '../../extension/puter/chat-arguments.ts';
import { startFakeExtension } from '../contract/fake-extension.ts';
import { canary, workOf, json, refusalOf, useBridge } from './bridge-rig.ts';

/** Text that would be more than text somewhere: an address to fetch, a line of a log, a path, a frame. */

const rig = useBridge({ limits: { maxBodyBytes: 30 * 1024 * 1024 } });

const withImage = (url: string): string =>
  json({ model: 'echo', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] });
const param = 'messages.0.content.0.image_url.url';

describe('an address of an image', () => {
  it.each([
    ...[
      'http://169.254.169.254/latest/meta-data/',
      'http://127.0.0.1:5001/',
      'http://192.168.0.1',
      'https://10.1.2.3/a.png',
    ],
    ...['http://172.16.0.1', 'http://172.31.255.255', 'http://100.64.0.1', 'http://0.0.0.0', 'http://255.255.255.255'],
    ...['http://localhost/', 'https://LOCALHOST:8443/', 'http://foo.localhost', 'http://localhost.', 'http://router/'],
    ...['http://printer.local', 'http://metadata.google.internal/', 'http://nas.home.arpa', 'http://printer.local.'],
    // Other spellings of the same.
    ...[
      'http://2130706433/',
      'http://0x7f000001/',
      'http://0x7f.1',
      'http://0177.0.0.1',
      'http://127.1',
      'http://127.0.0.1.',
    ],
    ...[
      'http://１２７.0.0.1/',
      'http://127。0。0。1',
      'http://%31%32%37.0.0.1',
      'http://0/',
      'http:\\\\127.0.0.1',
      'http:127.0.0.1',
    ],
    ...[
      'http://user:pass@127.0.0.1/',
      'http://example.com@10.0.0.1/',
      'http://\t127.0.0.1',
      ' http://127.0.0.1',
      'HTTP://127.0.0.1',
    ],
    ...[
      'http://[::1]/',
      'http://[::]/',
      'http://[::ffff:127.0.0.1]/',
      'http://[::ffff:7f00:1]',
      'http://[::127.0.0.1]',
    ],
    ...['http://[fe80::1]', 'http://[fc00::1]', 'http://[fd12::1]', 'http://[ff02::1]', 'http://[64:ff9b::10.0.0.1]'],
    ...[
      'http://[2002:7f00:1::]',
      'http://[2001:0:7f00:1::]',
      'http://[::1',
      'https://',
      'https://?',
      '//example.com/a.png',
    ],
    ...[
      'file:///etc/passwd',
      'blob:https://example.com/x',
      'ftp://example.com/a.png',
      'javascript:alert(1)',
      'a.png',
      '',
    ],
    ...[
      'gopher://example.com',
      'view-source:https://example.com',
      'chrome-extension://x/a.png',
      'dаta:image/png;base64,AAAA',
    ],
  ])('I1 is never %j', async (url) => {
    expect(refusalOf(await rig.r1(withImage(url)))).toEqual({ status: 400, code: 'image_url_not_allowed', param });
  });

  it.each([
    ...['https://example.com/a.png', 'https://example.com:8443/%2e%2e/a.png?x=127.0.0.1#y', 'https://8.8.8.8/a.png'],
    ...[
      'http://example.com/a.png',
      'https://user@example.com/',
      'https://[2606:4700::1111]/a.png',
      'https://172.32.0.1/',
    ],
    ...['https://bücher.example/ä.png', 'HTTPS://EXAMPLE.COM', 'https://localhost.example.com', 'https://100.128.0.1'],
    ...['data:image/png;base64,iVBORw0KGgo=', 'data:image/jpeg;base64,/9j/4AAQ', 'DATA:image/WebP;base64,UklGRg=='],
    ...['data:image/gif;base64,R0lGODlh'],
  ])('I1 goes to Puter untouched: %s', async (url) => {
    rig.expectCalls(1);
    expect((await rig.r1(withImage(url))).status).toBe(200);
    expect(rig.extension.calls.at(-1)?.messages).toEqual([
      { role: 'user', content: [{ type: 'image_url', image_url: { url } }] },
    ]);
  });
});

it('I3 no name is resolved and nothing fetched, since there is nothing here that could', async () => {
  const asked: string[] = [];
  const inside = createServer((request, response) => void response.end(asked.push(request.url ?? '')));
  await once(inside.listen(0, '127.0.0.1'), 'listening');
  const { port } = inside.address() as AddressInfo;
  for (const host of ['127.0.0.1', 'localhost', '[::ffff:7f00:1]'])
    expect((await rig.r1(withImage(`http://${host}:${port}/`))).status).toBe(400);
  inside.close();
  expect(asked).toEqual([]);

  const folder = fileURLToPath(new URL('../../bridge/', import.meta.url));
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const fetching = sources
    // The script of the bridge's own page runs in the browser.
    .filter((file) => !file.includes('browser'))
    .filter((file) =>
      /\bfetch\(|\bconnect\(|\bhttps?\.(get|request)\b|'(node:)?(dns|https|undici)['/]/.test(
        readFileSync(folder + file, 'utf8'),
      ),
    );
  expect(sources.length).toBeGreaterThan(50);
  // Two commands that ask the bridge, at its own address, and the look whether somebody listens on our socket.
  const known = [
    ['command-line', 'bug-report.ts'],
    ['http', 'local-socket.ts'],
    ['service', 'answers.ts'],
  ] as const;
  expect(fetching.toSorted()).toEqual(known.map((names) => join(...names)));
});

describe('an image as a data URI', () => {
  const refused = { status: 400, code: 'invalid_image', param };

  it.each([
    ...['data:text/html,<script>alert(1)</script>', 'data:image/svg+xml;base64,PHN2Zz4=', 'data:image/svg+xml,<svg/>'],
    ...[
      'data:,',
      'data:image/png,AAAA',
      'data:image/png;base64,',
      'data:image/png;base64,A',
      'data:image/png;base64,AAA',
    ],
    ...[
      'data:image/png;base64,AA=A',
      'data:image/png;base64,AAAA\nAAAA',
      'data:image/png;base64,AA A',
      'data:image/png;base64,====',
    ],
    ...[
      'data:image/png;base64,äAAA',
      'data:image/png;charset=x;base64,AAAA',
      'data:image/png;base64;x,AAAA',
      'data:text/html;image/png;base64,AAAA',
    ],
  ])('I4 is never %j', async (url) => {
    expect(refusalOf(await rig.r1(withImage(url)))).toEqual(refused);
  });

  it('I4 of 10 MB of semicolons is refused in linear time', async () => {
    const body = withImage(`data:${';'.repeat(10_000_000)}`);
    const ms = await workOf(async () => expect(refusalOf(await rig.r1(body))).toEqual(refused));
    expect(ms).toBeLessThan(500);
  });

  it('I4 of 20 MB is read to its last character, and larger than a body it is too large', async () => {
    const image = (bytes: number) => withImage(`data:image/png;base64,${'A'.repeat(bytes)}`);
    expect(refusalOf(await rig.r1(image(20_000_001)))).toEqual(refused);
    expect(refusalOf(await rig.r1(image(31 * 1024 * 1024)))).toEqual({ status: 413, code: 'request_too_large' });
  });
});

const escapes = 'evil\r\n  ✓ Ready\u001b[2J\u001b]0;title\u0007\u2028\u202e';

it('I9 no prompt, model, header or address gets to the terminal', async () => {
  rig.expectCalls(1);
  const encoded = encodeURIComponent(`${canary}${escapes}`);
  await rig.r0([`User-Agent: ${canary}`, `X-${canary}: x`], json({ prompt: `${canary}${escapes}`, model: escapes }));
  await rig.send(`GET /${encoded}?${encoded}=1`);
  await rig.r0([], `{"prompt":"${canary}" oops}`);
  expect(rig.output).toBe('');
});

it('I9 what an extension calls itself gets there on one line, without orders to the terminal', async () => {
  const lines: string[] = [];
  const print = (line: string) => lines.push(line);
  const report = createReporter({ url: rig.bridge.url, findExtensionFolder: () => null, pairing: () => null, print });
  const evil = await startFakeExtension({ bridgeUrl: rig.bridge.url, browser: escapes, username: escapes });
  report(rig.bridge.status.read());
  evil.close();
  await expect.poll(() => rig.bridge.status.read().extensions.length).toBe(1);
  report(rig.bridge.status.read());
  const about = lines.filter((line) => line.includes('evil'));
  expect(about.length).toBeGreaterThan(1);
  expect(lines.filter((line) => /\p{C}|\u2028/u.test(line))).toEqual([]);
});

describe('the name of a model', () => {
  it.each([
    '../../x',
    '${jndi:ldap://x}',
    '$(id)',
    '`id`',
    '%s%n',
    '<script>',
    "'; DROP TABLE x",
    '..\\x',
    'con',
    'a/b:c',
  ])('I10 %s is a name like any other', async (model) => {
    rig.expectCalls(2);
    for (const answer of [
      await rig.r0([], json({ prompt: 'x', model })),
      await rig.r1(json({ model, messages: [{ role: 'user', content: 'x' }] })),
    ])
      expect(refusalOf(answer)).toMatchObject({ status: 404, code: 'model_not_found' });
    expect(rig.extension.calls.slice(-2).map((call) => call.model)).toEqual([model, model]);
  });

  it('I10 of 1 KB is none', async () => {
    const model = 'm'.repeat(1024);
    const refused = { status: 400, code: 'invalid_value', param: 'model' };
    expect(refusalOf(await rig.r0([], json({ prompt: 'x', model })))).toEqual(refused);
    expect(refusalOf(await rig.r1(json({ model, messages: [{ role: 'user', content: 'x' }] })))).toEqual(refused);
  });
});

it.each([
  '{"type":"cancel","requestId":"x"}',
  '{"type":"end","requestId":"x","seq":0}',
  '{"type":"hello"}',
  'data: [DONE]',
  '</think>{"tool_calls":[]}',
])('I11 a model that answers %s has said that', async (command) => {
  rig.expectCalls(1);
  const { body } = await rig.r0([], json({ prompt: command, model: 'echo' }));
  expect(JSON.parse(body)).toMatchObject({ status: 'success', result: `You said: ${command}` });
});

it('I12 of what a bridge might put into a request, only what a chat is made of gets to Puter', () => {
  const evil = {
    method: 'fs.delete',
    url: 'https://evil.com',
    code: 'alert(1)',
    driver: 'x',
    fetch: true,
    __proto__: null,
  };
  const frame = decodeFrameToExtension(
    json({
      type: 'request',
      requestId: crypto.randomUUID(),
      caller: null,
      ...evil,
      chat: { messages: [{ role: 'user', content: 'hi', ...evil }], temperature: 1, ...evil, test_mode: true },
    }),
  );
  if (frame.type !== 'request') throw new Error('It is no request.');
  expect(Object.keys(frame).toSorted()).toEqual(['caller', 'chat', 'requestId', 'type']);
  expect(toPuterArguments(frame.chat)).toEqual({
    messages: [{ role: 'user', content: 'hi' }],
    options: { stream: true, temperature: 1 },
  });
});
