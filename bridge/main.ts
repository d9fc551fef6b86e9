#!/usr/bin/env node
import { existsSync } from 'node:fs';

import { CommanderError } from 'commander';

import { describeForBugReport } from './command-line/bug-report.ts';
import { startBridge, type Bridge } from './bridge.ts';
import { readCommandLine } from './command-line/command-line.ts';
import type { Task } from './command-line/tasks.ts';
import { commandName } from './command-name.ts';
import type { Config } from './config.ts';
import { findExtensionFolder } from './extension-folder.ts';
import { hasCode } from './has-code.ts';
import { isLoopback } from './hosts.ts';
import { SocketTakenError } from './http/local-socket.ts';
import { runHistoryTask } from './journal/commands.ts';
import { JournalLockedError } from './journal/lock.ts';
import { InsecureFolderError } from './journal/private-folder.ts';
import { NewerJournalError } from './journal/schema.ts';
import { runKeyTask } from './keys/commands.ts';
import { openLogFile } from './log/log-file.ts';
import { createLog } from './log/log.ts';
import { openStandardError } from './log/standard-error.ts';
import { PairingsFileError } from './pairing/pairings.ts';
import { findPortHolder } from './command-line/port-holder.ts';
import { createReporter } from './command-line/reporter.ts';
import { runServiceTask } from './service/commands.ts';
import { explainFileError, SetupError } from './setup-error.ts';
import { tuneMemory } from './tune-memory.ts';
import { readVersion } from './version.ts';

// Whoever read it may have gone, and the terminal with it: no reason to end.
process.stdout.on('error', () => {});

const version = readVersion();
const { task, config } = commandLineOrExit();
if (task.type !== 'start') {
  await taskOrExit(task);
  // A pipe takes what was printed as fast as it is read, and what is left when the process ends is lost.
  await new Promise((resolve) => process.stdout.write('', resolve));
  process.exit(0);
}

const log = createLog({
  level: config.logLevel,
  isTerminal: process.stderr.isTTY,
  destination: openStandardError(),
  file: logFileOrExit(),
});
// Rejections that nobody handles come here, too. What is half dead answers wrongly: better to be started again.
process.on('uncaughtException', die);
const bridge = await bridgeOrExit();

// npm hands on the Ctrl-C that reached its child from the terminal as well, a millisecond later.
const echoMs = 200;
let stopping: { signal: string; at: number } | undefined;
// Before anybody is told that it is there, and may stop it at once.
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (stopping) {
      // A second signal means now.
      if (signal !== stopping.signal || performance.now() - stopping.at > echoMs) process.exit(exitCode);
      return;
    }
    stopping = { signal, at: performance.now() };
    stop().then(() => process.exit(0), die);
  });
}

const report = createReporter({
  url: bridge.url,
  findExtensionFolder,
  pairing: bridge.pairing,
  print: (line) => console.log(line),
  isLocked: () => bridge.isLocked,
});
console.log(`Puter Bridge ${version} listens on ${bridge.url}`);
if (config.socket !== null) console.log(`You can also call http://localhost by the socket ${config.socket}`);
if (config.keepsHistory) console.log(`History is on: “${commandName} history” shows what was asked.`);
if (config.allowedOrigins.length > 0) console.log(`Web pages of ${config.allowedOrigins.join(', ')} may call it.`);
warn();
report(bridge.status.read());
bridge.status.watch(report);
tuneMemory();

function die(err: unknown): never {
  log.fatal({ err }, 'cannot go on');
  process.exit(1);
}

async function stop(): Promise<void> {
  const { running } = bridge.status.read().queue;
  console.log('Stopping.');
  if (running > 0)
    console.log(`Running calls may finish within ${config.drainMs / 1000} s; a second signal ends them.`);
  await bridge.drain();
  await bridge.close();
}

function warn(): void {
  if (!isLoopback(config.host)) {
    log.warn(
      { host: config.host },
      'WARNING: OTHER MACHINES CAN REACH THIS BRIDGE, AND WHOEVER HAS A KEY CAN USE YOUR PUTER ACCOUNT. Keys and prompts cross the network unencrypted: put a proxy with TLS before it.',
    );
  }
  const isContainer = existsSync('/.dockerenv') || existsSync('/run/.containerenv');
  if (process.getuid?.() === 0 && !isContainer) {
    log.warn('running as root: nothing here needs that; run it as the person whose browser has the extension');
  }
}

function commandLineOrExit(): { task: Task; config: Config } {
  try {
    return readCommandLine(process.argv.slice(2), version);
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    throw error;
  }
}

async function taskOrExit(task: Exclude<Task, { type: 'start' }>): Promise<void> {
  const [print, tell] = [(line: string) => console.log(line), (line: string) => console.error(line)];
  const folder = config.stateDir;
  try {
    switch (task.type) {
      case 'list_keys':
      case 'create_key':
      case 'revoke_key':
        return runKeyTask(task, { folder, now: new Date(), print, tell });
      case 'list_history':
      case 'show_history':
      case 'clear_history':
        return await runHistoryTask(task, { folder, print, tell });
      case 'service':
        return await runServiceTask(task, { config, print, tell });
      case 'report':
        print(await describeForBugReport(config, version));
        tell('Look through it before you share it.');
    }
  } catch (error) {
    exitOn(error);
  }
}

function logFileOrExit(): ReturnType<typeof openLogFile> | null {
  try {
    return config.logFile === null
      ? null
      : openLogFile(config.logFile, { onTrouble: (err) => log.error({ err }, 'the log file cannot be written') });
  } catch (error) {
    if (error instanceof Error && 'syscall' in error)
      exitOn(new SetupError(`There can be no log file ${config.logFile}: ${error.message}.`));
    return exitOn(error);
  }
}

async function bridgeOrExit(): Promise<Bridge> {
  try {
    return await startBridge(config, { log, onUnexpected: (err) => log.error({ err }, 'unexpected') });
  } catch (error) {
    return exitOn(error);
  }
}

function exitOn(error: unknown): never {
  if (error instanceof SetupError || error instanceof InsecureFolderError) {
    console.error(error.message);
    process.exit(2);
  }
  if (hasCode(error, 'EADDRINUSE')) {
    const holder = findPortHolder(config.port);
    const who = holder ? `${holder.name}, process ${holder.pid}` : 'another program, perhaps another bridge';
    console.error(
      `Port ${config.port} is taken by ${who}. Stop that program, or choose a port with --port and set it in the extension's options too.`,
    );
    process.exit(3);
  }
  if (error instanceof SocketTakenError) {
    console.error(error.message);
    process.exit(3);
  }
  if (error instanceof JournalLockedError) {
    console.error(
      `Another bridge uses the state folder ${config.stateDir}. Stop it, or choose another with --state-dir.`,
    );
    process.exit(3);
  }
  if (error instanceof NewerJournalError || error instanceof PairingsFileError) {
    console.error(error.message);
    process.exit(2);
  }
  if (error instanceof Error && 'syscall' in error && error.syscall === 'listen') {
    console.error(`The bridge cannot listen on ${config.host}, port ${config.port}: ${error.message}.`);
    process.exit(2);
  }
  const sentence = explainFileError(error, config.stateDir);
  console.error(sentence ?? error);
  process.exit(sentence === null ? 1 : 2);
}
