import path from 'node:path';

import { InvalidArgumentError } from 'commander';

import { blockedPorts } from '#shared/blocked-ports.ts';

import { keyNamePattern } from '../keys/keys.ts';

const parsePath =
  (kind: string) =>
  (value: string): string => {
    if (value.trim() !== '') return path.resolve(value);
    throw new InvalidArgumentError(`Name a ${kind}.`);
  };
export const parseFolder = parsePath('folder');
export const parseFile = parsePath('file');

/** As milliseconds. */
export const parseSecondsFrom =
  (min: number) =>
  (value: string): number => {
    if (/^\d{1,4}$/.test(value) && Number(value) >= min) return Number(value) * 1000;
    throw new InvalidArgumentError(`Seconds are a whole number from ${min} to 9999.`);
  };

export const hourMs = 60 * 60 * 1000;

/** In milliseconds; a year at most. */
export function parseHours(value: string): number {
  const hours = Number(value);
  if (/^\d{1,4}$/.test(value) && hours <= 8760) return hours * hourMs;
  throw new InvalidArgumentError('Hours are a whole number from 0 to 8760.');
}

export const megabyte = 1_000_000;

/** In bytes. */
export function parseMegabytes(value: string): number {
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value) * megabyte;
  throw new InvalidArgumentError('Megabytes are a whole number from 1 to 999999.');
}

export function parseKeyName(value: string): string {
  if (keyNamePattern.test(value)) return value;
  throw new InvalidArgumentError('A name has 1 to 32 letters, digits, dots, dashes or underscores.');
}

/** Also used by the demo, so that both take the same ports. */
export function parsePort(value: string): number {
  const port = Number(value);
  if (!/^\d{1,5}$/.test(value) || port > 65_535)
    throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
  if (blockedPorts.has(port))
    throw new InvalidArgumentError(`Browsers block port ${port}, so no extension could connect. Choose another.`);
  return port;
}
