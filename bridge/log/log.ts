import pino, { type DestinationStream, type Logger } from 'pino';

import { describeError } from './describe-error.ts';
import { formatLine } from './format-line.ts';

export const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * What happens, for whoever runs the bridge: never what was asked or answered, no address with its query, no header. An
 * error goes in as `err`, and is described only where its level is logged.
 */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'isLevelEnabled'>;

export const noLog: Log = pino({ level: 'silent' });

/** One JSON object a line, or a line to read where a person watches; JSON in the file, where there is one. */
export function createLog(options: {
  level: LogLevel;
  isTerminal: boolean;
  destination: DestinationStream;
  file?: DestinationStream | null;
}): Log {
  const { level, isTerminal, destination, file } = options;
  return pino(
    {
      level,
      base: null,
      timestamp: createTimestamp(),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    {
      write(line) {
        destination.write(isTerminal ? formatLine(line) : line);
        file?.write(line);
      },
    },
  );
}

/** The ISO time as pino's own, made anew only for another millisecond. */
function createTimestamp(): () => string {
  let madeAt = 0;
  let made = '';
  return () => {
    const now = Date.now();
    if (now !== madeAt) [madeAt, made] = [now, `,"time":"${new Date(now).toISOString()}"`];
    return made;
  };
}
