import { homedir } from 'node:os';
import path from 'node:path';

import { Argument, Command, InvalidArgumentError, Option } from 'commander';

import { parseHost, parseHostNames } from './hosts.ts';
import { keyNamePattern } from './keys/keys.ts';
import { logLevels, type LogLevel } from './log/log.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { parseOrigins } from './origins.ts';

/** Flags win over the environment, the environment over the defaults. */
export interface Config {
  /** 0 takes any free port. */
  port: number;
  /** The IP address to listen on. */
  host: string;
  /** Names that callers may call the bridge by beside those of this machine, as they stand in Host. */
  allowedHosts: readonly string[];
  /** The person said that other machines may reach it. */
  mayBindAll: boolean;
  /** The origins whose web pages may call what programs call, word for word as browsers send them. */
  allowedOrigins: readonly string[];
  /** The folder for what is kept between runs; absolute. */
  stateDir: string;
  logLevel: LogLevel;
  /** How long running calls may take to finish when the bridge is told to stop. */
  drainMs: number;
  /** Also the extension whose id is known must be paired. */
  requirePairing: boolean;
  /** How long a request waits for an extension when none is connected. */
  connectGraceMs: number;
  /** How long a call whose extension vanished waits for it to come back. */
  lostGraceMs: number;
  /** How long a cancelled call may keep its lane. */
  cancelGraceMs: number;
  /** How many requests may wait for a lane, and how many of one caller. */
  maxQueued: number;
  maxQueuedPerScope: number;
  /** How long one of them waits. */
  queueTimeoutMs: number;
  limits: Limits;
}

/** Without a state folder: whoever starts a bridge names one, so that only main.ts comes to the person's own. */
export const defaults: Omit<Config, 'stateDir'> = {
  port: 5001,
  host: '127.0.0.1',
  allowedHosts: [],
  mayBindAll: false,
  allowedOrigins: [],
  logLevel: 'info',
  drainMs: 30_000,
  requirePairing: false,
  connectGraceMs: 3000,
  lostGraceMs: 30_000,
  cancelGraceMs: 10_000,
  maxQueued: 10_000,
  maxQueuedPerScope: 8000,
  queueTimeoutMs: 60_000,
  limits: defaultLimits,
};

/** What a command line asks for. */
export type Task = { type: 'start' } | { type: 'list_keys' } | { type: 'create_key' | 'revoke_key'; name: string };

/** Has no flag: whoever copies a command line shall not copy this along. */
const bindAllVariable = 'PUTER_BRIDGE_DANGEROUSLY_BIND_ALL';

/** Reads the command line. Throws commander's `CommanderError` for `--help`, `--version` and mistakes, once printed. */
export function readCommandLine(args: readonly string[], version: string): { task: Task; config: Config } {
  let task: Task = { type: 'start' };
  const command = new Command('puter-bridge')
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
      new Option('--drain <seconds>', 'how long running calls may take to finish when it is told to stop')
        .env('PUTER_BRIDGE_DRAIN')
        .default(defaults.drainMs, String(defaults.drainMs / 1000))
        .argParser(parseSeconds),
    )
    .addOption(
      new Option('--log-level <level>', 'what it logs to stderr; never what is asked or answered')
        .env('PUTER_BRIDGE_LOG_LEVEL')
        .default(defaults.logLevel)
        .choices(logLevels),
    )
    .addOption(
      new Option('--require-pairing', 'lets no extension in that was not paired by a code')
        .env(requirePairingVariable)
        .default(defaults.requirePairing),
    )
    .action(() => {})
    .showHelpAfterError('Try --help.')
    .exitOverride();

  const key = command.command('key').description('keys that callers need, from the first one on');
  const name = new Argument('<name>', 'what to call the key').argParser(parseKeyName);
  key
    .command('create')
    .description('makes a key and shows it, this once')
    .addArgument(name)
    .action((name: string) => void (task = { type: 'create_key', name }));
  key
    .command('list')
    .description('names the keys')
    .action(() => void (task = { type: 'list_keys' }));
  key
    .command('revoke')
    .description('makes a key void, and ends what runs with it')
    .addArgument(name)
    .action((name: string) => void (task = { type: 'revoke_key', name }));

  refuseKeyFlags(command, args);
  refuseUnknownVariables(command);
  const { allowOrigin, allowedHost, drain, ...options } = command.parse(args, { from: 'user' }).opts<Options>();
  // Commander takes a switch of the environment for on whatever it says.
  const isFromVariable = command.getOptionValueSource('requirePairing') === 'env';
  const requirePairing = isFromVariable ? readSwitch(command, requirePairingVariable) : options.requirePairing;
  const mayBindAll = process.env[bindAllVariable] === '1';
  return {
    task,
    config: {
      ...defaults,
      ...options,
      mayBindAll,
      allowedHosts: allowedHost,
      allowedOrigins: allowOrigin,
      drainMs: drain,
      requirePairing,
    },
  };
}

const requirePairingVariable = 'PUTER_BRIDGE_REQUIRE_PAIRING';

function readSwitch(command: Command, variable: string): boolean {
  const value = process.env[variable] ?? '';
  if (/^(1|true|yes|on)$/i.test(value)) return true;
  if (/^(0|false|no|off|)$/i.test(value)) return false;
  return command.error(`error: ${variable} is “${value}”. Write 1 or 0.`);
}

interface Options extends Pick<Config, 'port' | 'host' | 'stateDir' | 'logLevel' | 'requirePairing'> {
  allowedHost: readonly string[];
  allowOrigin: readonly string[];
  drain: number;
}

function refuseKeyFlags(command: Command, args: readonly string[]): void {
  if (!args.some((arg) => /^(--(api-?)?(key|token)(=|$)|pb_)/.test(arg))) return;
  command.error(
    'error: a key on a command line can be read by every program. “puter-bridge key create NAME” makes one.',
  );
}

/** A name that is mistyped would else mean the default. */
function refuseUnknownVariables(command: Command): void {
  const known = new Set([...command.options.map(({ envVar }) => envVar), bindAllVariable]);
  const unknown = Object.keys(process.env).find((name) => name.startsWith('PUTER_BRIDGE_') && !known.has(name));
  if (unknown !== undefined) command.error(`error: there is no variable ${unknown}.`);
}

/** Where programs of this platform keep their state. */
export function findStateDir(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  const { join, isAbsolute } = platform === 'win32' ? path.win32 : path.posix;
  // The specification of XDG wants a relative path ignored; empty is as good as unset.
  const absolute = (folder: string | undefined) => (folder && isAbsolute(folder) ? folder : undefined);
  const folderOf = (): string => {
    if (platform === 'win32') return absolute(env['LOCALAPPDATA']) ?? join(home, 'AppData', 'Local');
    if (platform === 'darwin') return join(home, 'Library', 'Application Support');
    return absolute(env['XDG_STATE_HOME']) ?? join(home, '.local', 'state');
  };
  return join(folderOf(), 'puter-bridge');
}

function parseFolder(value: string): string {
  if (value.trim() !== '') return path.resolve(value);
  throw new InvalidArgumentError('Name a folder.');
}

function parseSeconds(value: string): number {
  if (/^\d{1,4}$/.test(value)) return Number(value) * 1000;
  throw new InvalidArgumentError('Seconds are a whole number from 0 to 9999.');
}

function parseKeyName(value: string): string {
  if (keyNamePattern.test(value)) return value;
  throw new InvalidArgumentError('A name has 1 to 32 letters, digits, dots, dashes or underscores.');
}

/** Also used by the demo, so that both take the same ports. */
export function parsePort(value: string): number {
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
}
