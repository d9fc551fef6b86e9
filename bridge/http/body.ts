import type { IncomingMessage } from 'node:http';

import * as v from 'valibot';

import { BridgeError } from '#shared/errors.ts';

/** A body may be this large, in bytes: a few images as data URIs. */
export const maxBodyBytes = 32 * 1024 * 1024;

/** Reads one JSON body. Everything that can be refused from the headers is refused before a byte is read. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const mediaType = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  // Also the door that browsers leave open: a page may send text/plain or a form anywhere without asking first.
  if (mediaType !== 'application/json' || (request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new BridgeError('unsupported_media_type', 'Send the body as plain “Content-Type: application/json”.');
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge();
  const text = decode(
    await readBytes(request).catch((cause: unknown) => {
      if (cause instanceof BridgeError) throw cause;
      throw new BridgeError('cancelled', 'The caller hung up before its body was whole.', { cause });
    }),
  );
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new BridgeError('invalid_json', 'The body is not valid JSON.', { cause });
  }
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // `iterator`, so that leaving the loop does not destroy the socket before the refusal is written.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function decode(bytes: Buffer): string {
  try {
    // Drops a byte order mark, and refuses what would turn into replacement characters.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BridgeError('invalid_json', 'The body is not valid UTF-8.', { cause });
  }
}

const tooLarge = () => new BridgeError('request_too_large', `The body is larger than ${maxBodyBytes} bytes (32 MiB).`);

/** Checks a parsed body; the error names the field and what it must be, and never repeats what was sent. */
export function parseBody<S extends v.GenericSchema>(schema: S, body: unknown): v.InferOutput<S> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new BridgeError('invalid_request', 'The body must be a JSON object.');
  }
  const result = v.safeParse(schema, body, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const param = v.getDotPath(issue) ?? 'body';
  const problem = issue.received === 'undefined' ? 'is missing' : issue.message;
  throw new BridgeError('invalid_request', `“${param}” ${problem}.`, { param });
}
