import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { encodeLine, type PuterLine } from './model-steps.ts';
import { utf8Lines } from './models.ts';
import { refusalCodes } from './refusals.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

let standIn: StandIn;
beforeEach(async () => {
  standIn = await startStandIn({ concurrency: 2 });
});
afterEach(async () => standIn.close());

const ask = (content: unknown) => [{ content }];

async function complete(
  args: Record<string, unknown>,
  { token = standIn.mintToken(), signal = null as AbortSignal | null } = {},
) {
  const call = { interface: 'puter-chat-completion', driver: 'ai-chat', test_mode: false, method: 'complete' };
  const body = JSON.stringify({ ...call, args: { messages: ask('hi'), ...args }, auth_token: token });
  const headers = { 'content-type': 'text/plain;actually=json' };
  return fetch(`${standIn.apiOrigin}/drivers/call`, { method: 'POST', headers, body, signal });
}

async function streamed(args: Record<string, unknown>): Promise<PuterLine[]> {
  const lines = (await (await complete({ ...args, stream: true })).text()).split('\n').filter((line) => line !== '');
  return lines.map((line): PuterLine => JSON.parse(line));
}

interface Whole {
  finish_reason: string;
  message: { content: unknown; stop_reason?: string; model?: string; tool_calls?: unknown[] };
  usage?: object;
}

async function whole(args: Record<string, unknown>): Promise<Whole> {
  const answer: { result: Whole } = await (await complete(args)).json();
  return answer.result;
}

const textOf = (lines: PuterLine[]) => lines.map((line) => (line.type === 'text' ? line.text : '')).join('');

const spelling = async (model: string) => Object.keys((await whole({ model })).usage ?? {}).slice(0, 2);

const get = async (path: string, token?: string) =>
  fetch(standIn.apiOrigin + path, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

const authme = (redirectURL: string, path = '/') =>
  `${standIn.guiOrigin}${path}?${new URLSearchParams({ action: 'authme', redirectURL }).toString()}`;

describe('an answer', () => {
  it('says the prompt back, in a few lines with the usage last', async () => {
    const lines = await streamed({ messages: ask('tell me a short story') });
    expect(textOf(lines)).toBe('You said: tell me a short story');
    expect(lines.map(({ type }) => type)).toEqual(['text', 'text', 'text', 'text', 'usage']);
  });

  it.each([
    ['messages without a role', ask('hi')],
    ['strings', ['hi']],
    [
      'parts',
      ask([
        { type: 'text', text: 'h' },
        { type: 'text', text: 'i' },
      ]),
    ],
    [
      'earlier turns',
      [
        { role: 'user', content: 'no' },
        { role: 'assistant', content: 'no' },
        { role: 'user', content: 'hi' },
      ],
    ],
    [
      'a tool call without content',
      [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: '', tool_calls: [] },
      ],
    ],
  ])('takes %s', async (_, messages) => {
    expect((await whole({ messages })).message.content).toBe('You said: hi');
  });

  it.each(['ECHO', 'echo-latest', ' echo ', 'ollama:ollama/stub-echo', 'openai:openai/whole-only'])(
    'comes from the model named %j',
    async (model) => {
      expect((await whole({ model })).message.content).toBe('You said: hi');
    },
  );

  it('is cut at max_tokens', async () => {
    expect(await whole({ max_tokens: 2 })).toMatchObject({
      message: { content: 'You said: ' },
      finish_reason: 'length',
    });
    expect(await whole({ model: 'anthropic', max_tokens: 2 })).toMatchObject({
      message: { content: [{ type: 'text', text: 'You said: ' }], stop_reason: 'max_tokens' },
      finish_reason: 'stop',
    });
    expect(textOf(await streamed({ max_tokens: 2 }))).toBe('You said: ');
  });

  it('spells usage in three ways', async () => {
    expect(await spelling('echo')).toEqual(['prompt', 'completion']);
    expect(await spelling('whole-only')).toEqual(['prompt_tokens', 'completion_tokens']);
    expect(await spelling('anthropic')).toEqual(['input_tokens', 'output_tokens']);
    expect((await streamed({ model: 'long-stream' })).at(-1)).toHaveProperty('usage.prompt_tokens');
  });

  it('comes whole from a model that does not stream', async () => {
    const response = await complete({ model: 'whole-only', stream: true });
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it('loses a parallel tool call only when streamed', async () => {
    const called = (await streamed({ model: 'parallel-tools' })).filter(({ type }) => type === 'tool_use');
    expect(called).toHaveLength(1);
    expect((await whole({ model: 'parallel-tools' })).message.tool_calls).toHaveLength(2);
  });

  it('comes from another model where policy blocked the prompt', async () => {
    expect((await whole({ model: 'blocked' })).message.model).toBe('fake');
  });

  it('is long, or big', async () => {
    expect(await streamed({ model: 'long-stream' })).toHaveLength(2001);
    expect(textOf(await streamed({ model: 'big' }))).toHaveLength(1024 * 1024);
    expect((await whole({ model: 'big' })).message.content).toHaveLength(1024 * 1024);
  });

  it('has its characters torn apart between packets', async () => {
    const packets: Uint8Array[] = [];
    for await (const packet of (await complete({ model: 'utf8', stream: true })).body!) packets.push(packet);
    const torn = packets.filter((packet) => new TextDecoder().decode(packet).includes('\uFFFD'));
    expect(torn.length).toBeGreaterThan(10);
    expect(Buffer.concat(packets).toString()).toContain(utf8Lines.map(encodeLine).join(''));
  });
});

describe('a refusal', () => {
  it.each(refusalCodes)('can be %s, streamed or not', async (code) => {
    for (const stream of [false, true]) {
      const response = await complete({ model: `fail:${code}`, stream });
      const body: Record<string, unknown> = await response.json();
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(body['error']).toBe(body['message']);
      expect([body['code'], body['errorCode']]).toContain(code);
    }
  });

  it('ends after as many as were asked for', async () => {
    const statuses = [];
    for (let call = 0; call < 4; call++) statuses.push((await complete({ model: 'busy:2' })).status);
    expect(statuses).toEqual([429, 429, 200, 200]);
  });

  it('meets the call beyond the limit, until one of the others hangs up', async () => {
    const caller = new AbortController();
    const first = complete({ model: 'hang' }, { signal: caller.signal });
    await standIn.nextCall();
    await complete({ model: 'hang-mid', stream: true });
    expect((await complete({})).status).toBe(429);
    caller.abort();
    await expect(first).rejects.toThrow('aborted');
    await standIn.calls[0]?.closed;
    expect((await complete({})).status).toBe(200);
  });

  it('needs a known code', async () => {
    expect(await (await complete({ model: 'fail:nonsense' })).json()).toHaveProperty('code', 'bad_request');
  });

  it('is not found, off the routes', async () => {
    expect((await fetch(`${standIn.origin}/nowhere`)).status).toBe(404);
  });
});

describe('a failure in mid-answer', () => {
  it('is a line under HTTP 200, or a status where the answer is whole', async () => {
    expect(await streamed({ model: 'fail-mid' })).toContainEqual({ type: 'error', message: 'terminated' });
    expect((await complete({ model: 'fail-mid' })).status).toBe(500);
  });

  it('is a lost connection after the first words', async () => {
    const reader = (await complete({ model: 'drop', stream: true })).body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('{"type":"text","text":"partial "}\n');
    await expect(reader.read()).rejects.toThrow('terminated');
    expect(await standIn.calls[0]?.closed).toBe('aborted');
  });

  it('is an end without usage', async () => {
    expect(await streamed({ model: 'no-usage' })).toEqual([{ type: 'text', text: 'partial ' }]);
  });
});

describe('the record of calls', () => {
  it('holds what was asked and how it ended', async () => {
    const token = standIn.mintToken();
    await (await complete({ model: 'Echo', temperature: 1, stream: true }, { token })).text();
    const [call] = standIn.calls;
    expect(call).toMatchObject({
      id: 1,
      model: 'Echo',
      stream: true,
      messages: ask('hi'),
      args: { temperature: 1 },
      token,
    });
    expect(await call?.closed).toBe('finished');
    expect(call?.status).toBe('finished');
  });

  it.each(['hang', 'hang-mid', 'slow-stream'])('sees a caller of %s hang up', async (model) => {
    const caller = new AbortController();
    const arrived = standIn.nextCall((call) => call.model === model);
    const response = complete({ model, stream: true }, { signal: caller.signal });
    const call = await arrived;
    expect(call.status).toBe('running');
    caller.abort();
    await response.then(async (begun) => begun.text()).catch(() => undefined);
    expect(await call.closed).toBe('aborted');
  });
});

describe('an account', () => {
  it('is told by /whoami, for a token in the header or the query', async () => {
    const token = standIn.mintToken();
    expect(await (await get('/whoami', token)).json()).toHaveProperty('username', standIn.username);
    expect((await get(`/whoami?auth_token=${token}`)).status).toBe(200);
  });

  it('tells by its refusal what is wrong with a token', async () => {
    const [revoked, expired] = [standIn.mintToken(), standIn.mintToken()];
    standIn.expireSession();
    standIn.revoke(revoked);
    const code = async (token?: string): Promise<unknown> => (await (await get('/whoami', token)).json()).code;
    expect([await code(), await code(revoked), await code(expired), await code('who')]).toEqual([
      'token_missing',
      'token_auth_failed',
      'reauth_required',
      'reauth_required',
    ]);
    expect((await complete({}, { token: revoked })).status).toBe(401);
    expect((await get('/whoami', standIn.mintToken())).status).toBe(200);
  });

  it('has an allowance that calls use up', async () => {
    const token = standIn.mintToken();
    const remaining = async () => {
      const usage: { allowanceInfo: { remaining: number } } = await (await get('/metering/usage', token)).json();
      return usage.allowanceInfo.remaining;
    };
    const before = await remaining();
    await (await complete({})).text();
    await standIn.calls[0]?.closed;
    expect(await remaining()).toBeLessThan(before);
  });
});

describe('the authme page', () => {
  it('names the account and who asks, and offers both answers', async () => {
    const page = await (await fetch(authme('https://abc.chromiumapp.org/'))).text();
    for (const part of [standIn.username, 'abc.chromiumapp.org', 'id="approve"', 'id="deny"'])
      expect(page).toContain(part);
  });

  it('gives a good token to the redirect URL and keeps its other parameters', async () => {
    const approved = await fetch(authme('http://127.0.0.1:5001/callback?state=s1', '/authme/approve'), {
      method: 'POST',
    });
    const { location }: { location: string } = await approved.json();
    const { searchParams } = new URL(location);
    expect(searchParams.get('state')).toBe('s1');
    expect((await complete({}, { token: searchParams.get('token') ?? '' })).status).toBe(200);
  });

  it.each(['chrome-extension://abcdef/page.html', 'javascript:alert(1)', 'nonsense', ''])(
    'refuses %j',
    async (target) => {
      const response = await fetch(authme(target));
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({
        error: 'Invalid origin URL',
        message: 'Invalid origin URL',
        code: 'bad_request',
      });
    },
  );
});

describe('the connection', () => {
  it('breaks while there is an outage', async () => {
    const arrived = standIn.nextCall();
    const running = complete({ model: 'hang' });
    const call = await arrived;
    standIn.setOutage(true);
    await expect(running).rejects.toThrow('fetch failed');
    expect(await call.closed).toBe('aborted');
    await expect(complete({})).rejects.toThrow('fetch failed');
    standIn.setOutage(false);
    expect((await complete({})).status).toBe(200);
  });

  it('allows a preflight from any origin', async () => {
    const headers = { origin: 'https://example.org', 'access-control-request-method': 'POST' };
    const preflight = await fetch(`${standIn.apiOrigin}/drivers/call`, { method: 'OPTIONS', headers });
    expect(preflight.ok).toBe(true);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://example.org');
  });
});
