import type { IncomingMessage } from 'node:http';

import * as v from 'valibot';

import { BridgeError } from '#shared/errors.ts';

import type { Limits } from '../limits.ts';
import { codeOf } from './fields.ts';
import { isDeeperThan } from './json-depth.ts';

/**
 * Reads one JSON body: media type → length → UTF-8 → depth → JSON. Everything that can be refused from the headers is
 * refused before a byte is read; `onStart` is told when reading begins.
 */
export async function readJson(
  request: IncomingMessage,
  limits: Pick<Limits, 'maxBodyBytes' | 'maxJsonDepth'>,
  onStart: () => unknown = () => {},
): Promise<unknown> {
  checkMediaType(request);
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBodyBytes) throw tooLarge(limits);
  onStart();
  const text = decode(await readBytes(request, limits));
  // JSON.parse takes any depth, and what comes after it does not.
  if (isDeeperThan(limits.maxJsonDepth, text)) {
    const most = `more than ${limits.maxJsonDepth} deep`;
    throw new BridgeError('json_too_deep', `Objects and arrays of the body stand in each other ${most}.`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new BridgeError('invalid_json', 'The body is not valid JSON.', { cause });
  }
}

function checkMediaType({ headers }: IncomingMessage): void {
  const isJson = /^\s*application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '');
  // Also the door that browsers leave open: a page may send text/plain or a form anywhere without asking first.
  if (isJson && (headers['content-encoding'] ?? 'identity') === 'identity') return;
  throw new BridgeError('unsupported_media_type', 'Send the body as plain “Content-Type: application/json”.');
}

/** By events: the iterator of a stream costs more than all else that becomes of a small body. */
function readBytes(request: IncomingMessage, limits: Pick<Limits, 'maxBodyBytes'>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    request.on('data', function take(chunk: Buffer) {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limits.maxBodyBytes) return;
      // The socket stays, for the refusal.
      request.off('data', take).pause();
      reject(tooLarge(limits));
    });
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size)));
    request.on('error', (cause) => reject(hungUp(cause)));
    request.on('close', () => void (request.complete || reject(hungUp())));
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string {
  try {
    // Drops a byte order mark, and refuses what would turn into replacement characters.
    return utf8.decode(bytes);
  } catch (cause) {
    throw new BridgeError('invalid_utf8', 'The body is not valid UTF-8.', { cause });
  }
}

const hungUp = (cause?: Error) =>
  new BridgeError('cancelled', 'The caller hung up before its body was whole.', { cause });
const tooLarge = ({ maxBodyBytes }: Pick<Limits, 'maxBodyBytes'>) =>
  new BridgeError('request_too_large', `The body is larger than ${maxBodyBytes} bytes.`);

/** Checks a parsed body; the error names the field and what it must be, and never repeats what was sent. */
export function parseBody<S extends v.GenericSchema>(schema: S, body: unknown): v.InferOutput<S> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new BridgeError('invalid_type', 'The body must be a JSON object.');
  }
  const result = v.safeParse(schema, body, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const param = v.getDotPath(issue) ?? 'body';
  const problem = issue.received === 'undefined' ? 'is missing' : issue.message;
  throw new BridgeError(codeOf(issue), `“${param}” ${problem}.`, { param });
}
