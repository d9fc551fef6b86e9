import * as v from 'valibot';

const schema = v.looseObject({ level: v.string(), time: v.string(), msg: v.optional(v.string(), '') });

/** A line of the log for a person's eyes: when, how bad, what, and then the rest as it is named. */
export function formatLine(json: string): string {
  const { level, time, msg, ...rest } = v.parse(schema, JSON.parse(json));
  const facts = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const line = [time.slice(11, 19), level.toUpperCase().padEnd(5), msg, ...facts].join(' ');
  // A name that somebody gave itself moves no cursor and begins no line.
  return `${line.replace(/\p{C}/gu, '')}\n`;
}
