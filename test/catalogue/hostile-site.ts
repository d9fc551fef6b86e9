import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { encodeFrame, subprotocol } from '#shared/protocol.ts';

import { hello } from '../bridge/connection/connections-rig.ts';

/** A program that serves pages to attack a bridge from, and an extension of the same people. */
export interface HostileSite {
  port: number;
  extensionPath: string;
  /** What the extension's scripts told the site of their attempts, by the name of the script. */
  reports: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** Tries to be the extension, and to call the bridge; resolves with what came of both. */
const attempt = (bridgePort: number) => `
  const socket = () => new Promise((resolve) => {
    const socket = new WebSocket('ws://127.0.0.1:${bridgePort}/ws', '${subprotocol}');
    socket.addEventListener('open', () => socket.send(${JSON.stringify(encodeFrame(hello()))}));
    socket.addEventListener('close', ({ code }) => resolve(code === 1006 ? 'refused' : 'closed with ' + code));
  });
  const call = () => fetch('http://127.0.0.1:${bridgePort}/api/process', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"prompt":"x"}',
  }).then((response) => String(response.status), () => 'refused');
  return await socket() + ' ' + await call();
`;

export const attemptIn = (bridgePort: number): string => `(async () => { ${attempt(bridgePort)} })()`;

export async function startHostileSite(bridgePort: number): Promise<HostileSite> {
  const reports = new Map<string, string>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://site');
    if (pathname === '/report') reports.set(searchParams.get('from') ?? '', searchParams.get('outcome') ?? '');
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (pathname === '/worker.js') {
      response.setHeader('Content-Type', 'text/javascript');
      return void response.end(`${attemptIn(bridgePort)}.then((outcome) => postMessage(outcome));`);
    }
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>site</title><body>');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const extensionPath = await mkdtemp(path.join(tmpdir(), 'puter-bridge-stranger-'));
  const script = (from: string) =>
    `${attemptIn(bridgePort)}.then((outcome) => fetch('http://127.0.0.1:${port}/report?from=${from}&outcome=' + outcome));`;
  const files = {
    'manifest.json': JSON.stringify({
      manifest_version: 3,
      name: 'Stranger',
      version: '1',
      background: { service_worker: 'service-worker.js' },
      content_scripts: [{ matches: ['http://content.test/*'], js: ['content.js'] }],
      host_permissions: ['http://*/*'],
    }),
    'service-worker.js': script('service-worker'),
    'content.js': script('content-script'),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(extensionPath, name), text);
  return {
    port,
    extensionPath,
    reports,
    async close() {
      server.close();
      server.closeAllConnections();
      await rm(extensionPath, { recursive: true });
    },
  };
}
