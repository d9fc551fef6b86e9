import type { Patience } from './lifecycle/patience.ts';
import type { LogLevel } from './log/log.ts';
import { defaultLimits, type Limits } from './limits.ts';

/** Flags win over the environment, the environment over the defaults. */
export interface Config extends Patience {
  /** 0 takes any free port. */
  port: number;
  /** The IP address to listen on. */
  host: string;
  /** A Unix socket to listen on, beside the port; absolute. */
  socket: string | null;
  /** Names that callers may call the bridge by beside those of this machine, as they stand in Host. */
  allowedHosts: readonly string[];
  /** The person said that other machines may reach it. */
  mayBindAll: boolean;
  /** The origins whose web pages may call what programs call, word for word as browsers send them. */
  allowedOrigins: readonly string[];
  /** The folder for what is kept between runs; absolute. */
  stateDir: string;
  logLevel: LogLevel;
  /** A file for the log, beside stderr; absolute. */
  logFile: string | null;
  /** How long what calls came to is kept; 0 keeps that there was an answer, and none of its words. */
  keepMs: number;
  /** How much of it in all, in bytes. */
  keepBytes: number;
  /** What was asked is kept with it. */
  keepsHistory: boolean;
  /** How long running calls may take to finish when the bridge is told to stop. */
  drainMs: number;
  /** Also the extension whose id is known must be paired. */
  requirePairing: boolean;
  /** How long a request waits for an extension when none is connected. */
  connectGraceMs: number;
  /** How long a chat of OpenAI’s clients may take. */
  deadlineMs: number;
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
  socket: null,
  allowedHosts: [],
  mayBindAll: false,
  allowedOrigins: [],
  logLevel: 'info',
  logFile: null,
  keepMs: 24 * 60 * 60 * 1000,
  keepBytes: 100_000_000,
  keepsHistory: false,
  drainMs: 30_000,
  requirePairing: false,
  connectGraceMs: 3000,
  lostGraceMs: 30_000,
  ackMs: 10_000,
  firstTokenMs: 90_000,
  // Before those clients give up, after ten minutes, and send the request again.
  deadlineMs: 590_000,
  cancelGraceMs: 10_000,
  maxQueued: 10_000,
  maxQueuedPerScope: 8000,
  queueTimeoutMs: 60_000,
  limits: defaultLimits,
};
