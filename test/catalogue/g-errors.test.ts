import { describe, expect, it, onTestFinished, vi } from 'vitest';

import type { Failure } from '#shared/errors.ts';

import { keepBack } from '../../bridge/connection/keep-back.ts';
import { noLog } from '../../bridge/log/log.ts';
import { greet } from '../bridge/connection/connections-rig.ts';
import { refusalCodes, refuse } from '../puter/refusals.ts';
import { startProcess } from './bridge-process.ts';
import { workOf } from './bridge-rig.ts';

vi.setConfig({ testTimeout: 30_000 });

/** What an extension says of a call that failed. */

const secret = 'Zq7vK2mX9pLw4Rt8';
const jwt = `eyJhbGciOiJIUzI1NiJ9.${secret}.${secret}`;
const stacks = [
  `TypeError: x is not a function\n    at run (chrome-extension://abc/lane.js:12:34)\n    at async y (lane.js:5:6)`,
  'run@moz-extension://0190/lane.js:12:34',
  'Error at Object.call (/srv/puter/driver.js:101:7)',
];
const secrets = [
  `Cookie: puter_auth=${secret}`,
  `set-cookie: a=b; session=${secret}; Path=/`,
  `{"authorization":"Basic ${secret}"}`,
  `Invalid token ${jwt}.`,
  `401 for Bearer ${secret}`,
  `https://api.puter.com/x?auth_token=${secret}&y=1`,
  `{"token": "${secret}"}`,
  `session_id=${secret}`,
  `Incorrect API key provided: sk-proj-${secret}${secret}`,
  `pb_${secret}${secret} is not known`,
  `what ${secret}${secret}${secret} means`,
];

const failures: [string, Failure][] = [...stacks, ...secrets].flatMap((text) => [
  [text, { code: 'extension_failed', message: `The extension failed while it called Puter: ${text}` }],
  [
    text,
    { code: 'upstream_failed', message: 'Puter refused.', upstream: { message: text, code: 'denied', status: 403 } },
  ],
  [text, { code: 'upstream_failed', message: 'Puter refused.', upstream: { message: 'No.', code: text } }],
  [text, { code: 'model_not_found', message: 'No.', param: text, suggestions: [text] }],
]);

describe('a failure', () => {
  it.each(failures)('G25 that says %j is told in a fixed sentence, with its code and no more', (_, failure) => {
    const logged: unknown[] = [];
    const told = keepBack(failure, { debug: (...values: unknown[]) => void logged.push(values) });
    expect(told.code).toBe(failure.code);
    expect(told.message).toContain('--log-level debug');
    expect(JSON.stringify(told)).not.toMatch(/Zq7v|lane|driver|ookie|puter_auth/);
    expect(logged).toHaveLength(1);
    expect(JSON.stringify(logged)).not.toContain('Zq7v');
  });

  it('G25 that is no sentence at all is kept back, too, and costs no time', async () => {
    const texts = ['x', 'sk-', 'a-', 'token=', 'eyJ', '@', ' at ', 'cookie '].map((it) =>
      it.repeat(1_000_000 / it.length),
    );
    const tell = (message: string) => keepBack({ code: 'upstream_failed', message }, noLog);
    for (const text of texts) expect(tell(text).message).toContain('--log-level debug');
    expect(await workOf(() => texts.forEach(tell))).toBeLessThan(500);
  });

  const sentences = [
    ...refusalCodes.map((code) => refuse(code).body.message),
    'Model not found, please try one of the following models listed here: https://developer.puter.com/ai/models/',
    'Model not found: openrouter:meta-llama/llama-3.1-405b-instruct:free',
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130512 tokens.",
    'max_tokens: 9000 > 8192, which is the maximum allowed number of output tokens for claude-3-5-sonnet-20241022',
    'Missing auth token: sign in at puter.com',
    'No such call: 0190a8f0-0000-7000-8000-000000000000',
    'Look at it again in 12:30:45.',
  ];

  it.each(sentences)('G25 that says “%s” is shown as Puter says it', (message) => {
    const failure: Failure = { code: 'upstream_failed', message: `Puter refused: ${message}`, upstream: { message } };
    expect(keepBack(failure, noLog)).toBe(failure);
  });
});

describe('a caller', () => {
  const said = `${stacks[0]} {"token": "${secret}"}`;

  it('G25 learns nothing of it, by whichever way; the debug log has it without the secret', async () => {
    const bridge = await startProcess({ args: ['--log-level', 'debug'] });
    const extension = await greet(bridge.url, { lanes: 3 });
    onTestFinished(() => extension.socket.terminate());
    await extension.next();
    const ask = (path: string, body: object) =>
      fetch(bridge.url + path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    const failNext = async (begin: boolean): Promise<string> => {
      let frame = await extension.next();
      while (frame.type !== 'request') frame = await extension.next();
      const { requestId } = frame;
      extension.send({ type: 'started', requestId });
      if (begin) extension.send({ type: 'chunk', requestId, seq: 0, parts: [{ type: 'text', text: 'begun' }] });
      const message = `Puter refused: ${said}`;
      extension.send({
        type: 'error',
        requestId,
        error: { code: 'upstream_failed', message, upstream: { message: said, code: 'forbidden', status: 403 } },
      });
      return requestId;
    };
    const messages = [{ role: 'user', content: 'x' }];
    const whole = ask('/api/process', { prompt: 'x' });
    const id = await failNext(false);
    const answers = [await (await whole).text(), await (await fetch(`${bridge.url}/api/result/${id}`)).text()];
    for (const stream of [false, true]) {
      const asked = ask('/v1/chat/completions', { stream, messages });
      await failNext(stream);
      answers.push(await (await asked).text());
    }
    for (const answer of answers) {
      expect(answer).toContain('--log-level debug');
      expect(answer).not.toMatch(/Zq7v|lane\.js/);
    }
    expect(JSON.parse(answers[0] ?? '')).toMatchObject({ code: 'upstream_failed', request_id: id });
    await expect.poll(bridge.stderr).toContain('kept back from the caller');
    expect(bridge.stderr()).toContain('lane.js:12:34');
    expect(bridge.stderr()).not.toContain('Zq7v');
  });
});
