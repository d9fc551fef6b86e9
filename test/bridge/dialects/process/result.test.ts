import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';

import { ask, chat, process, start } from '../../chat/chats-rig.ts';

type Body = Record<string, unknown>;

/** A bridge whose answers are fetched by the ids that it gave. */
async function open() {
  const { bridge, ...rig } = await start();
  const send = async (path: string, method = 'GET') => {
    const answer = await fetch(bridge.url + path, { method });
    return { status: answer.status, body: (await answer.json()) as Body };
  };
  return { ...rig, send };
}

const idOf = ({ headers }: Response): string => headers.get('x-request-id') ?? '';

describe('the id that an answer gave', () => {
  it.each([
    ['chatcmpl-', chat, ask('x')],
    ['chatcmpl-', chat, { ...ask('x'), stream: true }],
    ['cmpl-', '/v1/completions', { model: 'echo', prompt: 'x' }],
    ['', process, { prompt: 'x', model: 'echo' }],
  ])('with “%s” before it leads to what was asked at %s: %j', async (prefix, path, body) => {
    const { post, send } = await open();
    const told = idOf(await post(path, body));
    const id = told.slice(prefix.length);
    expect(told).toBe(prefix + id);
    await expect.poll(() => send(`/api/result/${told}`)).toMatchObject({ status: 200, body: { request_id: id } });
    expect(await send(`/api/result/${told}`)).toEqual(await send(`/api/result/${id}`));
    expect((await send(`/api/result/${told}`)).body['result']).toMatch(/^You said: /);
    expect(await send(`/api/requests/${told}`)).toMatchObject({ body: { request_id: id, status: 'success' } });
    expect(await send(`/api/requests/${told}`, 'DELETE')).toMatchObject({
      body: { request_id: id, status: 'finished' },
    });
  });

  it('stops it', async () => {
    const { post, send } = await open();
    const response = await post(chat, { ...ask('x', 'slow-stream'), stream: true });
    const told = idOf(response);
    expect(await send(`/api/result/${told}`)).toMatchObject({ status: 202, body: { status: 'pending' } });
    expect((await send(`/api/requests/${told}`, 'DELETE')).body['status']).toBe('cancelled');
    expect(await response.text()).toContain('"cancelled"');
    expect(await send(`/api/result/${told}`)).toMatchObject({ status: 499, body: { code: 'cancelled' } });
  });

  it.each(['chatcmpl-', 'cmpl-', 'req_'])('leads nowhere where %s stands before none', async (prefix) => {
    const { send } = await open();
    for (const path of [`/api/result/${prefix}`, `/api/requests/${prefix}nobody`])
      expect(await send(path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});

describe('an answer of /v1 that is fetched', () => {
  async function answerAndFetch(body: object) {
    const { post, send } = await open();
    const answer = await post(chat, body);
    const { choices } = (await answer.json()) as OpenAI.ChatCompletion;
    return { message: choices[0]?.message, fetched: (await send(`/api/result/${idOf(answer)}`)).body };
  }

  it('has the calls of tools that its caller got', async () => {
    const tools = ['get_weather', 'get_time'].map((name) => ({ type: 'function', function: { name } }));
    const { message, fetched } = await answerAndFetch({ ...ask('x', 'parallel-tools'), tools });
    expect(message?.tool_calls).toHaveLength(2);
    expect(fetched).toMatchObject({ status: 'success', result: '', tool_calls: message?.tool_calls });
    expect(fetched).not.toHaveProperty('refusal');
  });

  it('has what the model said where it gave no JSON', async () => {
    const { message, fetched } = await answerAndFetch({ ...ask('x'), response_format: { type: 'json_object' } });
    expect(message?.refusal).toMatch(/^You said: /);
    expect(fetched).toMatchObject({ status: 'success', result: '', refusal: message?.refusal });
    expect(fetched).not.toHaveProperty('tool_calls');
  });
});
