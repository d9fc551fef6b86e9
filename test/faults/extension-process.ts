/** The extension's own relay and lanes in a process that can be killed. Puter is a model that counts its calls. */

import type { ChatRequest } from '#shared/chat.ts';
import { extensionOrigin } from '#shared/extension-id.ts';

import { createBatch } from '../../extension/lanes/batch.ts';
import type { LaneMessage } from '../../extension/lanes/lane-messages.ts';
import { createLanePool, type LaneWorker } from '../../extension/lanes/pool.ts';
import { createActivity } from '../../extension/relay/activity.ts';
import { startRelay } from '../../extension/relay/relay.ts';
import type { ExtensionNews, ExtensionSettings } from './extension.ts';
import type { ModelQuestion } from './model.ts';

const { address, modelUrl, profile, name, lanes } = JSON.parse(process.argv[2] ?? '') as ExtensionSettings;
const tell = (news: ExtensionNews) => process.send?.(news);
process.on('disconnect', () => process.exit());

actAsExtensionPage();
/** The relay names the request right after it has handed the chat to a lane. */
let begin: (requestId: string) => void = () => {};
const activity = createActivity({ now: Date.now, onChange: () => {} });
const fact = { since: 0, until: null, detail: null };
startRelay({
  address,
  identity: { instance: crypto.randomUUID(), profile, version: '0.0.0', browser: name },
  introduction: { origin: extensionOrigin, pairing: () => null, onPaired: () => {}, isWatched: () => false },
  defaultModel: () => '',
  pool: createLanePool({ lanes: () => lanes, spawn, token: () => '' }),
  status: () => ({
    lanes,
    rate: 100_000,
    paused: false,
    account: { session: { ...fact, state: 'signed_in' }, puter: { ...fact, state: 'reachable' } },
  }),
  activity: {
    ...activity,
    start(call) {
      activity.start(call);
      begin(call.requestId);
    },
  },
  models: () => null,
  onForgotten: () => {},
  onLink: ({ state }) => tell({ type: 'link', state }),
  onBridgeStatus: () => {},
  pendingSignIn: () => null,
  onToken: () => {},
  followCall: () => () => {},
});

function spawn(): LaneWorker {
  const stop = new AbortController();
  const worker: LaneWorker = {
    onmessage: null,
    onerror: null,
    terminate: () => stop.abort(),
    postMessage({ chat }) {
      const prompt = textOf(chat);
      begin = (requestId) => {
        const batch = createBatch((parts) => post({ type: 'parts', parts }));
        ask({ requestId, extension: name, prompt }, stop.signal, (text) => batch.add({ type: 'text', text })).then(
          () => post({ type: 'end', parts: batch.close(), end: { finishReason: 'stop', model: null, usage } }),
          (error: Error) => {
            batch.flush();
            batch.close();
            post({ type: 'error', error: { code: 'upstream_failed', message: error.message } });
          },
        );
      };
    },
  };
  const post = (data: LaneMessage) => !stop.signal.aborted && worker.onmessage?.({ data } as MessageEvent);
  return worker;
}

function textOf({ messages }: ChatRequest): string {
  const content = messages.at(-1)?.content;
  if (typeof content !== 'string') throw new TypeError('A prompt here is one text.');
  return content;
}

const usage = { inputTokens: 1, outputTokens: 1 };

async function ask(question: ModelQuestion, signal: AbortSignal, onText: (text: string) => void): Promise<void> {
  const response = await fetch(modelUrl, { method: 'POST', body: JSON.stringify(question), signal });
  if (!response.body) throw new Error('The model says nothing.');
  let rest = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (signal.aborted || line === 'true') return;
      onText(JSON.parse(line) as string);
    }
  }
  throw new Error('The model broke off.');
}

/** What Chrome does for a page of the extension: it names the page's origin. The parent hears of each hello. */
function actAsExtensionPage(): void {
  const { fetch: nodeFetch, WebSocket: NodeSocket } = globalThis;
  globalThis.WebSocket = class extends NodeSocket {
    constructor(url: string, protocol: string) {
      super(url, { protocols: [protocol], headers: { origin: extensionOrigin } } as never);
    }
    override send(data: string): void {
      const frame = JSON.parse(data) as { type: string; requests: string[] };
      if (frame.type === 'hello') tell({ type: 'hello', held: frame.requests });
      super.send(data);
    }
  } as typeof WebSocket;
  globalThis.fetch = (url, init = {}) => {
    const headers = new Headers(init.headers);
    if (url !== modelUrl) headers.set('Origin', extensionOrigin);
    return nodeFetch(url, { ...init, headers });
  };
}
