import { readFileSync } from 'node:fs';

import type { Bed } from '../bench.ts';
import { root } from '../bed.ts';
import type { CallersOptions } from '../load/callers.ts';
import type { Started } from '../processes.ts';
import { findPortkey } from './portkey.ts';

const built = `${root}dist/bench`;
/** Of `npm start`, which is “node OPTIONS FILE”. */
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: { start: string } };
const nodeOptions = scripts.start.split(' ').slice(1, -1);

/** A server that is ready to answer, and what its requests have to say beside their bodies. */
export interface Contender extends Started {
  headers?: Record<string, string>;
}

const extend = (bed: Bed, kind: string, { url }: Started): Promise<Started> =>
  bed.assist([`${built}/contestants/fake-extension.js`, kind, url]);

/** Without an extension. */
export const serveBare = (bed: Bed): Promise<Started> => bed.serve([`${built}/contestants/bare.js`]);

export async function startBare(bed: Bed, extensions = 1): Promise<Contender> {
  const server = await serveBare(bed);
  for (let count = 0; count < extensions; count += 1) await extend(bed, 'bare', server);
  return server;
}

export async function startSeed(bed: Bed): Promise<Contender> {
  const server = await bed.serve([`${built}/contestants/seed.js`]);
  await extend(bed, 'bare', server);
  return server;
}

/** By an extension that answers at once, and goes again: no browser asks that much. */
export async function warmUp(bed: Bed, kind: 'bare' | 'batched', server: Started): Promise<void> {
  const extension = await extend(bed, kind, server);
  const messages = [{ role: 'user', content: 'Hello' }];
  for (const [path, body] of [
    ['/api/process', { prompt: 'Hello' }],
    ['/v1/chat/completions', { stream: true, messages }],
  ] as const) {
    const servers = [{ url: server.url + path, pid: server.pid }];
    await bed.load('callers', { servers, body, callers: 32, warmUpTurns: 4, turns: 0 } satisfies CallersOptions);
  }
  await extension.close();
}

/** As `npm start` runs it. */
export async function serveBridge(bed: Bed, folder = `${root}dist`): Promise<Started> {
  return bed.serve([...nodeOptions, `${folder}/bridge/main.js`, '--port', '0', '--state-dir', await bed.folder()]);
}

/** With so many extensions, of 64 lanes each. */
export async function startBridge(
  bed: Bed,
  kind: 'batched' | 'unbatched' = 'batched',
  extensions = 1,
): Promise<Contender> {
  const server = await serveBridge(bed);
  for (let count = 0; count < extensions; count += 1) await extend(bed, kind, server);
  return server;
}

export async function startBridgeWithoutJournal(bed: Bed): Promise<Contender> {
  const server = await serveBridge(bed, `${built}/without-journal`);
  await extend(bed, 'batched', server);
  return server;
}

/** What somebody would take instead, before a stub of OpenAI's. */
export async function startPortkey(bed: Bed): Promise<Contender> {
  const { entry, port } = await findPortkey(bed.signal);
  const stub = await bed.assist([`${built}/contestants/openai-stub.js`]);
  const server = await bed.serve([entry, '--headless', `--port=${port}`]);
  const headers = {
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${stub.url}/v1`,
    Authorization: 'Bearer x',
  };
  return { ...server, url: `http://127.0.0.1:${port}`, headers };
}
