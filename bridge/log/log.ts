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
      timestamp: pino.stdTimeFunctions.isoTime,
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

/** Standard error, written at once: what is said last says why the process ended. */
export function openStandardError(): DestinationStream {
  const stream = pino.destination({ fd: 2, sync: true });
  // Nobody reads it any more: no reason to end.
  stream.on('error', () => {});
  return stream;
}
