import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';

import { root } from '../bed.ts';

const folder = `${root}dist/bench/portkey`;
const entry = `${folder}/node_modules/@portkey-ai/gateway/build/start-server.js`;
const version = '1.15.2';

/** Installs it where it is missing, for whoever measures it: too much for everybody who tests. Takes half a minute. */
export async function findPortkey(signal: AbortSignal): Promise<{ entry: string; port: number }> {
  if (!existsSync(entry)) await install(signal);
  return { entry, port: await findFreePort() };
}

async function install(signal: AbortSignal): Promise<void> {
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--omit=dev', '--omit=optional'];
  const args = ['install', '--prefix', folder, ...flags, `@portkey-ai/gateway@${version}`];
  const npm = spawn('npm', args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
    signal,
  });
  const [code] = (await once(npm, 'close')) as [number | null];
  if (code !== 0) throw new Error(`Portkey could not be installed: npm ended with ${code}. Leave it out with --only.`);
}

/** It takes no 0 for one. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
