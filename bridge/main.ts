#!/usr/bin/env node
import { CommanderError } from 'commander';

import { startBridge, type Bridge } from './bridge.ts';
import { readConfig, type Config } from './config.ts';
import { findExtensionFolder } from './extension-folder.ts';
import { createReporter } from './report.ts';
import { readVersion } from './version.ts';

const version = readVersion();
const config = configOrExit();
const bridge = await bridgeOrExit(config);

const report = createReporter({
  url: bridge.url,
  findExtensionFolder,
  print: (line) => console.log(line),
});
console.log(`Puter Bridge ${version} listens on ${bridge.url}`);
if (config.allowedOrigins.length > 0) console.log(`Web pages of ${config.allowedOrigins.join(', ')} may call it.`);
report(bridge.status.read());
bridge.status.watch(report);

let stopping = false;
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    // A second signal means now.
    if (stopping) process.exit(exitCode);
    stopping = true;
    console.log('Stopping.');
    bridge.close().then(() => process.exit(0), exitOn);
  });
}

function configOrExit(): Config {
  try {
    return readConfig(process.argv.slice(2), version);
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
}

async function bridgeOrExit({ port }: Config): Promise<Bridge> {
  try {
    return await startBridge(config, { onUnexpected: (error) => console.error('Unexpected:', error) });
  } catch (error) {
    return exitOn(error, port);
  }
}

function exitOn(error: unknown, port?: number): never {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    console.error(
      `Port ${port} is taken, perhaps by another bridge. Stop that program, or choose a port with --port and set it in the extension's options too.`,
    );
    process.exit(3);
  }
  console.error(error);
  process.exit(1);
}
