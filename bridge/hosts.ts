import { isIP } from 'node:net';

import { InvalidArgumentError } from 'commander';

import { commandName } from './command-name.ts';
import { SetupError } from './setup-error.ts';

/** An address to listen on. A name could lead elsewhere tomorrow. */
export function parseHost(value: string): string {
  if (value.includes('%')) throw new InvalidArgumentError('Give the address without a zone, which no URL can hold.');
  if (isIP(value) !== 0) return value;
  throw new InvalidArgumentError('Give an IP address, like 127.0.0.1, ::1 or 0.0.0.0.');
}

/** Adds to `known` the names that `value` lists, parted by commas, as callers write them into Host. */
export function parseHostNames(value: string, known: readonly string[]): string[] {
  const names = value.split(',').map((name) => name.trim().toLowerCase());
  return [...new Set([...known, ...names.filter((name) => name !== '').map(checkName)])];
}

function checkName(name: string): string {
  const isName =
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name) || (/^\[.*\]$/.test(name) && isIP(name.slice(1, -1)) === 6);
  if (isName && !isWildcard(name.replace(/^\[|\]$/g, ''))) return name;
  throw new InvalidArgumentError(
    `“${name}” is no name as callers send it. Write each like bridge.home.example, 192.168.1.5 or [fd00::5], without a port; there is no wildcard.`,
  );
}

export const isLoopback = (address: string): boolean =>
  address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);

const isWildcard = (address: string): boolean => /^[0:.]+$/.test(address);

/** How the address stands in a URL and in Host; where it listens everywhere, by the one that leads here. */
export function nameOf(address: string): string {
  if (isWildcard(address)) return '127.0.0.1';
  return isIP(address) === 6 ? `[${address}]` : address;
}

/** Where a bridge answers that listens there. */
export const urlOf = ({ host, port }: { host: string; port: number }): string => `http://${nameOf(host)}:${port}`;

/**
 * Throws `SetupError` where the bridge would be open to other machines and the person has not said, in three ways, that it
 * shall: by a variable, by a key, and by the names under which it may be called.
 */
export function checkBind(
  config: { host: string; allowedHosts: readonly string[]; mayBindAll: boolean },
  keys: { size: number },
): void {
  if (isLoopback(config.host)) return;
  const missing = [
    ...(config.mayBindAll ? [] : ['set PUTER_BRIDGE_DANGEROUSLY_BIND_ALL=1']),
    ...(keys.size > 0 ? [] : [`make a key with “${commandName} key create NAME”`]),
    ...(config.allowedHosts.length > 0 ? [] : ['name with --allowed-host the hosts under which it may be called']),
  ];
  if (missing.length === 0) return;
  throw new SetupError(
    `Other machines could reach the bridge at ${config.host}, and through it your Puter account. If you want that: ${missing.join('; ')}.`,
  );
}
