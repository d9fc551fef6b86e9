import { EventSourceParserStream } from 'eventsource-parser/stream';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fillLanes, type Subject } from './process-contract.ts';

/** Objects in each other, so many levels deep. */
function nested(levels: number): Record<string, unknown> {
  let value: Record<string, unknown> = {};
  for (let level = 1; level < levels; level += 1) value = { a: value };
  return value;
}

/** Chat Completions, as OpenAI's own client understands them: it is the judge of the format. */
export function describeChatCompletions(name: string, start: () => Promise<Subject>): void {
  describe(`/v1/chat/completions through ${name}`, () => {
    let subject: Subject;
    let client: OpenAI;
    beforeAll(async () => {
      subject = await start();
      client = new OpenAI({ baseURL: `${subject.url}/v1`, apiKey: 'any' });
    });
    afterAll(() => subject?.close());

    const ask = (content: string) => [{ role: 'user' as const, content }];
    const post = (body: object, path = '/v1/chat/completions') =>
      fetch(`${subject.url}${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });

    it('answers whole, with usage as Puter counted it and a header that says what became of each parameter', async () => {
      const { data, response } = await client.chat.completions
        .create({ model: 'echo', messages: ask('Hello'), temperature: 0.5, top_p: 0.9, user: 'u' })
        .withResponse();
      expect(data).toMatchObject({
        object: 'chat.completion',
        model: 'echo',
        choices: [{ index: 0, message: { role: 'assistant', content: 'You said: Hello' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
      });
      expect(response.headers.get('x-request-id')).toBe(data.id);
      expect(response.headers.get('x-puter-bridge-fidelity')).toBe(
        'native=model,temperature,top_p,messages; emulated=; ignored=user',
      );
    });

    it('carries roles, parts of text, the limit and the effort to Puter', async () => {
      await client.chat.completions.create({
        model: 'echo',
        messages: [
          { role: 'developer', content: 'Be brief.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'One ' },
              { type: 'text', text: 'two' },
            ],
          },
        ],
        max_completion_tokens: 2,
        reasoning_effort: 'low',
      });
      const call = subject.calls.at(-1);
      expect(call?.messages).toEqual([
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'One ' },
            { type: 'text', text: 'two' },
          ],
        },
      ]);
      expect(call?.args).toMatchObject({ max_tokens: 2 });
    });

    it('streams: the role first, each piece as it comes, the usage last', async () => {
      const stream = await client.chat.completions.create({
        model: 'utf8',
        messages: ask('x'),
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      expect(chunks[0]?.choices[0]?.delta).toMatchObject({ role: 'assistant', content: '' });
      expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(
        'Grüße aus Zürich — 日本語のテキスト 🦊👩‍🚀 fin',
      );
      expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
      expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 11, total_tokens: 18 } });
    });

    it('satisfies the client’s own collector of streams', async () => {
      const runner = client.chat.completions.stream({ model: 'reasoning', messages: ask('x') });
      const whole = await runner.finalChatCompletion();
      expect(whole.choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant' } });
      expect(whole.choices[0]?.message.content).toMatch(/./);
    });

    it.each([
      'plain',
      'two\nlines\r\nand\rmore',
      'data: [DONE]',
      '\n\ndata: x\n\n',
      'null \u0000 byte',
      '"quotes" \\n',
    ])('streams any text without breaking an event: %j', async (said) => {
      const response = await post({ model: 'echo', messages: ask(said), stream: true });
      expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      const events = [];
      const decoded = response.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
      for await (const { data } of decoded) events.push(data);
      expect(events.pop()).toBe('[DONE]');
      const pieces = events.map((data) => JSON.parse(data) as OpenAI.ChatCompletionChunk);
      expect(pieces.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(`You said: ${said}`);
    });

    const weather = {
      type: 'function' as const,
      function: {
        name: 'get_weather',
        description: 'The weather of a city.',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    };

    it('offers tools, and loses none of two calls at once, whole and streamed', async () => {
      const request = { model: 'parallel-tools', messages: ask('Weather and time?'), tools: [weather] };
      const expected = [
        { id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
        { id: 'call_b', type: 'function', function: { name: 'get_time', arguments: '{"tz":"CET"}' } },
      ];
      const whole = await client.chat.completions.create(request);
      expect(whole.choices[0]).toMatchObject({
        finish_reason: 'tool_calls',
        message: { content: null, tool_calls: expected },
      });
      expect(subject.calls.at(-1)?.args).toMatchObject({ stream: false, tools: [weather] });
      const streamed = await client.chat.completions.stream(request).finalChatCompletion();
      expect(streamed.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: expected } });
    });

    it('hands calls and results of tools back in the form that Puter carries', async () => {
      await client.chat.completions.create({
        model: 'echo',
        messages: [
          ...ask('Weather?'),
          {
            role: 'assistant',
            content: null,
            tool_calls: [
              { id: 'call_a', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Rom"}' } },
            ],
          },
          { role: 'tool', tool_call_id: 'call_a', content: 'Sunny.' },
        ],
        tools: [weather],
        tool_choice: 'none',
      });
      const call = subject.calls.at(-1);
      expect(call?.messages.slice(1)).toEqual([
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 'call_a', name: 'get_weather', input: { city: 'Rom' } }],
        },
        { role: 'tool', tool_call_id: 'call_a', content: 'Sunny.' },
      ]);
      // What may not be called is not shown.
      expect(call?.args['tools']).toBeUndefined();
    });

    it('passes images on as they are', async () => {
      const url = 'data:image/png;base64,iVBORw0KGgo=';
      await client.chat.completions.create({
        model: 'echo',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is this?' },
              { type: 'image_url', image_url: { url, detail: 'low' } },
              { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
            ],
          },
        ],
      });
      expect(subject.calls.at(-1)?.messages).toEqual([
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: { url, detail: 'low' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          ],
        },
      ]);
    });

    it('ends at a stop, and ends the call at Puter with it', async () => {
      const call = subject.nextCall();
      const answer = client.chat.completions.create({ model: 'slow-stream', messages: ask('x'), stop: ['tick 3'] });
      const running = await call;
      expect((await answer).choices[0]).toMatchObject({
        message: { content: 'tick 1 tick 2 ' },
        finish_reason: 'stop',
      });
      expect(await running.closed).toBe('aborted');
    });

    it.each(['', [], null])('ends at no stop where there is none: %j', async (stop) => {
      const answer = await client.chat.completions.create({ model: 'echo', messages: ask('x'), stop });
      expect(answer.choices[0]?.message.content).toBe('You said: x');
    });

    it('answers n times, each as a choice of its own', async () => {
      const before = subject.calls.length;
      const answer = await client.chat.completions.create({ model: 'echo', messages: ask('twice'), n: 2 });
      expect(answer.choices.map(({ index, message }) => [index, message.content])).toEqual([
        [0, 'You said: twice'],
        [1, 'You said: twice'],
      ]);
      expect(answer.usage?.total_tokens).toBe(36);
      expect(subject.calls.length).toBe(before + 2);
      const runner = client.chat.completions.stream({ model: 'echo', messages: ask('twice'), n: 2 });
      expect((await runner.finalChatCompletion()).choices.map(({ message }) => message.content)).toEqual([
        'You said: twice',
        'You said: twice',
      ]);
    });

    it('cancels the call when the caller aborts', async () => {
      const call = subject.nextCall();
      const stop = new AbortController();
      const options = { signal: stop.signal };
      const answer = client.chat.completions.create({ model: 'hang', messages: ask('x'), stream: true }, options);
      const running = await call;
      stop.abort();
      await expect(answer).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
      expect(await running.closed).toBe('aborted');
    });

    it('is there without /v1 and with a slash at the end, too', async () => {
      for (const path of ['/chat/completions', '/v1/chat/completions/', '/chat/completions/']) {
        expect((await post({ model: 'echo', messages: ask('x') }, path)).status).toBe(200);
      }
    });

    it.each([
      ['tools', { tools: [{ type: 'function', function: { name: 'no such name!' } }] }],
      ['tools.0.function.parameters', { tools: [{ type: 'function', function: { name: 'f', parameters: ['x'] } }] }],
      ['tool_choice', { tool_choice: 'required' }],
      ['tool_choice', { tools: [weather], tool_choice: { type: 'function', function: { name: 'other' } } }],
      ['parallel_tool_calls', { parallel_tool_calls: 1 }],
      ['response_format', { response_format: { type: 'xml' } }],
      ['response_format.json_schema.name', { response_format: { type: 'json_schema', json_schema: { name: 'a b' } } }],
      [
        'response_format',
        { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'nonsense' } } } },
      ],
      ['top_p', { top_p: 2 }],
      [
        'messages.0.content.1.file.file_data',
        {
          messages: [
            {
              role: 'user',
              content: [
                { type: 'text', text: 'x' },
                { type: 'file', file: { file_data: 'AAAA' } },
              ],
            },
          ],
        },
      ],
      [
        'messages.0.content.0',
        {
          messages: [
            { role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }] },
          ],
        },
      ],
      ['seed', { seed: 1 }],
      ['logprobs', { logprobs: true }],
      ['n', { n: 0 }],
      ['stop', { stop: ['', 'a'] }],
      ['temperature', { temperature: 3 }],
      ['messages', { messages: [] }],
      ['messages', { messages: [{ role: 'robot', content: 'x' }] }],
      ['messages.0.content', { messages: [{ role: 'user', content: [] }] }],
      ['messages.0.tool_call_id', { messages: [{ role: 'tool', tool_call_id: 'call_a', content: 'x' }] }],
      [
        'messages.1.tool_call_id',
        {
          messages: [
            {
              role: 'assistant',
              tool_calls: [{ id: 'call_a', type: 'function', function: { name: 'f', arguments: '{}' } }],
            },
            { role: 'tool', tool_call_id: 'call_b', content: 'x' },
          ],
        },
      ],
      [
        'messages',
        { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }] }] },
      ],
    ])('refuses what it cannot carry, and names it: %s', async (param, change) => {
      const before = subject.calls.length;
      const asked = client.chat.completions.create({
        model: 'echo',
        messages: ask('x'),
        ...change,
      } as OpenAI.ChatCompletionCreateParamsNonStreaming);
      const error: unknown = await asked.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(OpenAI.BadRequestError);
      expect((error as InstanceType<typeof OpenAI.APIError>).param).toMatch(new RegExp(`^${param}`));
      expect(subject.calls.length).toBe(before);
    });

    it.each([
      ['an unknown model', 'echoo', OpenAI.NotFoundError, 'model_not_found'],
      ['a policy', 'fail:forbidden', OpenAI.PermissionDeniedError, 'forbidden'],
      ['an empty allowance', 'fail:insufficient_funds', OpenAI.APIError, 'insufficient_quota'],
      ['a provider that is down', 'fail:upstream_failed', OpenAI.InternalServerError, 'upstream_failed'],
    ])('says in the client’s own classes what went wrong, and is asked once: %s', async (_, model, type, code) => {
      const before = subject.calls.length;
      const error: unknown = await client.chat.completions
        .create({ model, messages: ask('x') })
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(type);
      expect((error as InstanceType<typeof OpenAI.APIError>).code).toBe(code);
      expect((error as InstanceType<typeof OpenAI.APIError>).message).toMatch(/\w+ \w+/);
      expect((error as InstanceType<typeof OpenAI.APIError>).requestID).toMatch(/^chatcmpl-[\da-f-]{36}$/);
      expect(subject.calls.length).toBeLessThanOrEqual(before + 1);
    });

    it.each(['fail-mid', 'drop', 'drop-in-line'])('breaks a stream that Puter broke: %s', async (model) => {
      const stream = await client.chat.completions.create({ model, messages: ask('x'), stream: true });
      let text = '';
      const read = async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      };
      await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError);
      expect(text).toBe('partial ');
      const raw = await post({ model, messages: ask('x'), stream: true });
      expect(await raw.text()).not.toContain('[DONE]');
    });

    it('takes a schema as deep as a body may be, and none that is deeper', async () => {
      const askWith = (levels: number) => {
        const tools = [{ type: 'function' as const, function: { name: 'f', parameters: nested(levels) } }];
        return client.chat.completions.create({ model: 'echo', messages: ask('x'), tools });
      };
      // Body, tools, tool and function are the first four of 64 levels.
      expect((await askWith(60)).choices[0]?.message.content).toBe('You said: x');
      const error: unknown = await askWith(61).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(OpenAI.BadRequestError);
      expect(error).toMatchObject({ code: 'json_too_deep' });
    });

    it('waits its turn with all others', async () => {
      const release = await fillLanes(subject);
      const answer = client.chat.completions.create({ model: 'echo', messages: ask('patient') });
      await release();
      expect((await answer).choices[0]?.message.content).toBe('You said: patient');
    });
  });
}
