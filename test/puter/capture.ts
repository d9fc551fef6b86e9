import { readdirSync, readFileSync } from 'node:fs';

/** An exchange as captured from a real Puter, or as replayed against the stand-in. */
export interface Answer {
  status: number;
  headers: Headers;
  body: string;
}

export interface Capture {
  name: string;
  /** null where only the answer was captured. */
  request: { method: string; path: string; headers: [string, string][]; body: string } | null;
  answer: Answer;
}

const folder = new URL('wire/', import.meta.url);

export function readCaptures(): Capture[] {
  const names = readdirSync(folder).map((file) => file.replace(/\.txt$/, ''));
  return names.map((name) => parseCapture(name, readFileSync(new URL(`${name}.txt`, folder), 'utf8')));
}

/** Two layouts: curl's trace of both sides with the bodies below, or the bare answer. */
function parseCapture(name: string, text: string): Capture {
  const trace = /^(.*)---- REQUEST BODY\r?\n(.*)\n---- RESPONSE BODY\n(.*)$/s.exec(text);
  if (!trace) {
    const [head = '', body = ''] = text.split(/\r?\n\r?\n/, 2);
    return { name, request: null, answer: { ...parseHead(head.split(/\r?\n/)), body } };
  }
  const [, head = '', requestBody = '', body = ''] = trace;
  const side = (mark: string) =>
    head.split(/\r?\n/).flatMap((line) => (line.startsWith(mark) && line.length > 2 ? line.slice(2) : []));
  const [startLine = '', ...headers] = side('> ');
  const [method = '', path = ''] = startLine.split(' ');
  return {
    name,
    request: { method, path, headers: headers.map(parseHeader), body: requestBody },
    answer: { ...parseHead(side('< ')), body },
  };
}

function parseHead([statusLine = '', ...headers]: string[]): { status: number; headers: Headers } {
  return { status: Number(statusLine.split(' ')[1]), headers: new Headers(headers.map(parseHeader)) };
}

function parseHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

// These differ from one answer to the next, or (etag) nothing reads them.
const ignoredHeaders = new Set(['date', 'etag', 'content-length', 'connection', 'keep-alive']);

/**
 * What two answers must have in common to be the same wire: status, headers, and the body. Of a body only the shape
 * counts (keys and types at every depth; of a stream also the type of each line), of a refusal every word.
 */
export function essence({ status, headers, body }: Answer) {
  const compared = [...headers].filter(([header]) => !ignoredHeaders.has(header));
  return { status, headers: Object.fromEntries(compared), body: essenceOfBody(status, headers, body) };
}

function essenceOfBody(status: number, headers: Headers, body: string): unknown {
  if (!headers.get('content-type')?.includes('ndjson')) {
    const value: unknown = JSON.parse(body);
    return status >= 400 ? value : shapeOf(value);
  }
  const lines = body.split('\n').filter((line) => line !== '');
  return lines.map((line) => ({ kind: /"type":"(\w+)"/.exec(line)?.[1], shape: shapeOf(JSON.parse(line)) }));
}

function shapeOf(value: unknown): unknown {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}
