import { homedir } from 'node:os';

import { Argument, type Command } from 'commander';

import { parseKeyName } from './parsers.ts';
import { findConfigFolder } from './paths.ts';

/** What a command line asks for. */
export type Task = { type: 'start' } | { type: 'report' } | KeyTask | HistoryTask | ServiceTask;
export type KeyTask = { type: 'list_keys' } | { type: 'create_key' | 'revoke_key'; name: string };
export type HistoryTask = { type: 'list_history' | 'clear_history' } | { type: 'show_history'; id: string };

export interface ServiceTask {
  type: 'service';
  verb: 'install' | 'uninstall' | 'print';
  /** What stands beside it on the command line, and the variables that say the rest. */
  args: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** Where the supervisor of this platform keeps what is this person's. */
  configFolder: string;
}

/** Adds to `command` what it can do beside starting the bridge. `args` are all that it was given. */
export function addTasks(command: Command, args: readonly string[], onTask: (task: Task) => void): void {
  const key = command.command('key').description('keys that callers need, from the first one on');
  const name = new Argument('<name>', 'what to call the key').argParser(parseKeyName);
  key
    .command('create')
    .description('makes a key and shows it, this once')
    .addArgument(name)
    .action((name: string) => onTask({ type: 'create_key', name }));
  key
    .command('list')
    .description('names the keys')
    .action(() => onTask({ type: 'list_keys' }));
  key
    .command('revoke')
    .description('makes a key void, and ends what runs with it')
    .addArgument(name)
    .action((name: string) => onTask({ type: 'revoke_key', name }));

  const history = command
    .command('history')
    .description('what was asked lately, where the bridge runs with --history')
    .action(() => onTask({ type: 'list_history' }));
  history
    .command('show')
    .description('what one request asked, and what it came to')
    .addArgument(new Argument('<id>', 'of the request'))
    .action((id: string) => onTask({ type: 'show_history', id }));
  history
    .command('clear')
    .description('takes off the disk what was asked and answered')
    .action(() => onTask({ type: 'clear_history' }));

  const service = command.command('service').description('the bridge as a service, with the options beside it');
  for (const [verb, words] of [
    ['install', 'starts it now and at login'],
    ['uninstall', 'stops it, and leaves only what it keeps'],
    ['print', 'shows what install would write'],
  ] as const) {
    service
      .command(verb)
      .description(words)
      .action(() => onTask({ type: 'service', verb, ...findServiceFacts(args, verb) }));
  }
  command
    .command('report')
    .description('prints what a report of a fault should say of this bridge: no prompts, answers, keys or names')
    .action(() => onTask({ type: 'report' }));
}

function findServiceFacts(args: readonly string[], verb: string): Omit<ServiceTask, 'type' | 'verb'> {
  const at = args.indexOf('service');
  const words = new Set([at, args.indexOf(verb, at + 1)]);
  const ours = Object.entries(process.env).filter(([name]) => name.startsWith('PUTER_BRIDGE_'));
  return {
    args: args.filter((_, index) => !words.has(index)),
    environment: Object.fromEntries(ours.map(([name, value = '']) => [name, value])),
    configFolder: findConfigFolder(process.platform, process.env, homedir()),
  };
}
