import { homedir } from 'node:os';

import { Command, Option } from 'commander';

import { commandName } from '../command-name.ts';
import { defaults, type Config } from '../config.ts';
import { parseHost, parseHostNames } from '../hosts.ts';
import { logLevels } from '../log/log.ts';
import { parseOrigins } from './origins.ts';
import {
  hourMs,
  megabyte,
  parseFile,
  parseFolder,
  parseHours,
  parseMegabytes,
  parsePort,
  parseSecondsFrom,
} from './parsers.ts';
import { findStateDir } from './paths.ts';
import { addTasks, type Task } from './tasks.ts';

/** Has no flag: whoever copies a command line shall not copy this along. */
const bindAllVariable = 'PUTER_BRIDGE_DANGEROUSLY_BIND_ALL';

/** Reads the command line. Throws commander's `CommanderError` for `--help`, `--version` and mistakes, once printed. */
export function readCommandLine(args: readonly string[], version: string): { task: Task; config: Config } {
  let task: Task = { type: 'start' };
  const command = new Command(commandName)
    .description('Answers HTTP requests through puter.ai.chat() in the Puter Bridge browser extension.')
    .version(version)
    .addOption(
      new Option('-p, --port <number>', 'port to listen on; 0 takes any free one')
        .env('PUTER_BRIDGE_PORT')
        .default(defaults.port)
        .argParser(parsePort),
    )
    .addOption(
      new Option('--host <address>', `address to listen on; beyond this machine only with ${bindAllVariable}=1`)
        .env('PUTER_BRIDGE_HOST')
        .default(defaults.host)
        .argParser(parseHost),
    )
    .addOption(
      new Option('--socket <path>', 'a Unix socket to listen on, beside the port, for this person alone')
        .env('PUTER_BRIDGE_SOCKET')
        .default(defaults.socket, 'none')
        .argParser(parseFile),
    )
    .addOption(
      new Option('--allowed-host <name>', 'one more name that callers may call it by; may be given several times')
        .env('PUTER_BRIDGE_ALLOWED_HOSTS')
        .default(defaults.allowedHosts, 'none')
        .argParser(parseHostNames),
    )
    .addOption(
      new Option('--allow-origin <origin>', 'lets web pages of this origin call the API; may be given several times')
        .env('PUTER_BRIDGE_ALLOW_ORIGINS')
        .default(defaults.allowedOrigins, 'none')
        .argParser(parseOrigins),
    )
    .addOption(
      new Option('--state-dir <folder>', 'folder for what it keeps between runs, the list of models')
        .env('PUTER_BRIDGE_STATE_DIR')
        .default(findStateDir(process.platform, process.env, homedir()))
        .argParser(parseFolder),
    )
    .addOption(
      new Option('--keep-results <hours>', 'how long answers can be fetched; 0 keeps no words of them')
        .env('PUTER_BRIDGE_KEEP_RESULTS')
        .default(defaults.keepMs, String(defaults.keepMs / hourMs))
        .argParser(parseHours),
    )
    .addOption(
      new Option('--keep-results-size <megabytes>', 'how much is kept in all; the oldest go first')
        .env('PUTER_BRIDGE_KEEP_RESULTS_SIZE')
        .default(defaults.keepBytes, String(defaults.keepBytes / megabyte))
        .argParser(parseMegabytes),
    )
    .addOption(
      new Option('--drain <seconds>', 'how long running calls may take to finish when it is told to stop')
        .env('PUTER_BRIDGE_DRAIN')
        .default(defaults.drainMs, String(defaults.drainMs / 1000))
        .argParser(parseSecondsFrom(0)),
    )
    .addOption(
      new Option('--first-token <seconds>', 'how long a model may take to begin a streamed answer')
        .env('PUTER_BRIDGE_FIRST_TOKEN')
        .default(defaults.firstTokenMs, String(defaults.firstTokenMs / 1000))
        .argParser(parseSecondsFrom(1)),
    )
    .addOption(
      new Option('--log-level <level>', 'what it logs to stderr; never what is asked or answered')
        .env('PUTER_BRIDGE_LOG_LEVEL')
        .default(defaults.logLevel)
        .choices(logLevels),
    )
    .addOption(
      new Option('--log-file <path>', 'a file for the log, beside stderr: five of 10 MB at most')
        .env('PUTER_BRIDGE_LOG_FILE')
        .default(defaults.logFile, 'none')
        .argParser(parseFile),
    )
    .addOption(
      new Option('--history', 'keeps what is asked, too, as long as the answers')
        .env('PUTER_BRIDGE_HISTORY')
        .default(defaults.keepsHistory),
    )
    .addOption(
      new Option('--require-pairing', 'lets no extension in that was not paired by a code')
        .env('PUTER_BRIDGE_REQUIRE_PAIRING')
        .default(defaults.requirePairing),
    )
    .action(() => {})
    .showHelpAfterError('Try --help.')
    .exitOverride();

  addTasks(command, args, (chosen) => void (task = chosen));
  refuseKeyFlags(command, args);
  refuseUnknownVariables(command);
  const { allowOrigin, allowedHost, keepResults, keepResultsSize, history, drain, firstToken, ...options } = command
    .parse(args, { from: 'user' })
    .opts<Options>();
  const keepsHistory = readSwitch(command, 'history', history);
  if (keepsHistory && keepResults === 0)
    command.error(
      'error: --history keeps what was asked with its answer, and --keep-results 0 keeps none. Choose one.',
    );
  const mayBindAll = process.env[bindAllVariable] === '1';
  return {
    task,
    config: {
      ...defaults,
      ...options,
      mayBindAll,
      allowedHosts: allowedHost,
      allowedOrigins: allowOrigin,
      keepMs: keepResults,
      keepBytes: keepResultsSize,
      drainMs: drain,
      firstTokenMs: firstToken,
      keepsHistory,
      requirePairing: readSwitch(command, 'requirePairing', options.requirePairing),
    },
  };
}

/** Commander takes a switch of the environment for on whatever it says. */
function readSwitch(command: Command, name: 'history' | 'requirePairing', given: boolean): boolean {
  if (command.getOptionValueSource(name) !== 'env') return given;
  const variable = command.options.find((option) => option.attributeName() === name)?.envVar ?? '';
  const value = process.env[variable] ?? '';
  if (/^(1|true|yes|on)$/i.test(value)) return true;
  if (/^(0|false|no|off|)$/i.test(value)) return false;
  return command.error(`error: ${variable} is “${value}”. Write 1 or 0.`);
}

interface Options extends Pick<
  Config,
  'port' | 'host' | 'socket' | 'stateDir' | 'logLevel' | 'logFile' | 'requirePairing'
> {
  allowedHost: readonly string[];
  allowOrigin: readonly string[];
  keepResults: number;
  keepResultsSize: number;
  history: boolean;
  drain: number;
  firstToken: number;
}

function refuseKeyFlags(command: Command, args: readonly string[]): void {
  if (!args.some((arg) => /^(--(api-?)?(key|token)(=|$)|pb_)/.test(arg))) return;
  command.error(
    `error: a key on a command line can be read by every program. “${commandName} key create NAME” makes one.`,
  );
}

/** A name that is mistyped would else mean the default. */
function refuseUnknownVariables(command: Command): void {
  const known = new Set([...command.options.map(({ envVar }) => envVar), bindAllVariable]);
  const unknown = Object.keys(process.env).find((name) => name.startsWith('PUTER_BRIDGE_') && !known.has(name));
  if (unknown !== undefined) command.error(`error: there is no variable ${unknown}.`);
}
