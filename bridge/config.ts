import { Command, InvalidArgumentError, Option } from 'commander';

import { defaultLimits, type Limits } from './limits.ts';
import { parseOrigins } from './origins.ts';

/** Flags win over the environment, the environment over the defaults. */
export interface Config {
  /** 0 takes any free port. */
  port: number;
  /** The origins whose web pages may call what programs call, word for word as browsers send them. */
  allowedOrigins: readonly string[];
  /** How long a request waits for an extension when none is connected. */
  connectGraceMs: number;
  /** How long a call whose extension vanished waits for it to come back. */
  lostGraceMs: number;
  /** How long a cancelled call may keep its lane. */
  cancelGraceMs: number;
  limits: Limits;
}

export const defaults: Config = {
  port: 5001,
  allowedOrigins: [],
  connectGraceMs: 3000,
  lostGraceMs: 30_000,
  cancelGraceMs: 10_000,
  limits: defaultLimits,
};

/** Reads the command line. Throws commander's `CommanderError` for `--help`, `--version` and mistakes, once printed. */
export function readConfig(args: readonly string[], version: string): Config {
  const command = new Command('puter-bridge')
    .description('Answers HTTP requests through puter.ai.chat() in the Puter Bridge browser extension.')
    .version(version)
    .addOption(
      new Option('-p, --port <number>', 'port to listen on at 127.0.0.1; 0 takes any free one')
        .env('PUTER_BRIDGE_PORT')
        .default(defaults.port)
        .argParser(parsePort),
    )
    .addOption(
      new Option('--allow-origin <origin>', 'lets web pages of this origin call the API; may be given several times')
        .env('PUTER_BRIDGE_ALLOW_ORIGINS')
        .default(defaults.allowedOrigins, 'none')
        .argParser(parseOrigins),
    )
    .showHelpAfterError('Try --help.')
    .exitOverride();
  const { port, allowOrigin } = command
    .parse(args, { from: 'user' })
    .opts<{ port: number; allowOrigin: readonly string[] }>();
  return { ...defaults, port, allowedOrigins: allowOrigin };
}

/** Also used by the demo, so that both take the same ports. */
export function parsePort(value: string): number {
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
}
