import { connect } from 'node:net';

/** What a caller read from its socket, to the end of it. */
export type Heard =
  /** The socket ended before a whole answer was there. */
  | { type: 'cut'; began: boolean }
  | { type: 'answer'; status: number; headers: ReadonlyMap<string, string>; body: string }
  /** No HTTP, or more than one answer. */
  | { type: 'garbage'; why: string };

/** One request over a socket of its own, read byte by byte, so that nothing is repaired on the way. */
export async function send(options: {
  port: number;
  method?: 'GET' | 'POST' | 'DELETE';
  path: string;
  headers?: readonly string[];
  body?: object;
  /** The caller hangs up. */
  signal: AbortSignal;
  onOpen?: () => void;
}): Promise<Heard> {
  const { port, method = 'POST', path, headers = [], body, signal, onOpen } = options;
  const text = body === undefined ? '' : JSON.stringify(body);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const hangUp = () => void socket.destroy();
  signal.addEventListener('abort', hangUp);
  if (signal.aborted) hangUp();
  const head = [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, 'Connection: close', ...headers];
  if (body) head.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`);
  socket.write(`${head.join('\r\n')}\r\n\r\n${text}`);
  socket.once('connect', () => onOpen?.());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // To half-close would be to hang up, so this side ends only after the other.
  socket.on('end', () => socket.end());
  await new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
  signal.removeEventListener('abort', hangUp);
  return parse(Buffer.concat(chunks));
}

export function parse(bytes: Buffer): Heard {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return { type: 'cut', began: false };
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  if (!status) return { type: 'garbage', why: `begins with ${JSON.stringify(statusLine.slice(0, 40))}` };
  const headers = new Map(lines.map((line) => [line.replace(/:.*/s, '').toLowerCase(), line.replace(/^[^:]*: */, '')]));
  const rest = bytes.subarray(end + 4);
  const body = headers.get('transfer-encoding') === 'chunked' ? joinChunks(rest) : cutTo(rest, headers);
  if (body === null) return { type: 'cut', began: true };
  if (typeof body === 'string') return { type: 'garbage', why: body };
  return { type: 'answer', status, headers, body: body.toString('utf8') };
}

/** Null where something is missing; a text says what is wrong. */
function cutTo(rest: Buffer, headers: ReadonlyMap<string, string>): Buffer | string | null {
  const length = Number(headers.get('content-length') ?? Number.NaN);
  if (Number.isNaN(length)) return 'neither Content-Length nor chunked';
  if (rest.length > length) return `${rest.length - length} bytes after the answer`;
  return rest.length === length ? rest : null;
}

function joinChunks(rest: Buffer): Buffer | string | null {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(rest.subarray(at, lineEnd).toString('latin1'), 16);
    if (Number.isNaN(size)) return 'a chunk without a size';
    const next = lineEnd + 2 + size + 2;
    if (rest.length < next) return null;
    if (size === 0) return rest.length > next ? `${rest.length - next} bytes after the answer` : Buffer.concat(chunks);
    chunks.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}

/** The text of a good answer; null where it is no whole one; `error` where it says that it failed. */
export type Reading = { type: 'text'; text: string; id: string } | { type: 'error'; code: string } | { type: 'short' };

/** What an answer means, by the dialect of its path. */
export function read({ status, headers, body }: Heard & { type: 'answer' }): Reading {
  if (headers.get('content-type')?.startsWith('text/event-stream')) return readStream(body);
  const json = JSON.parse(body) as {
    result?: string;
    request_id?: string;
    id?: string;
    code?: string;
    status?: string;
    error?: string | { code: string };
    choices?: { message: { content: string }; finish_reason: string | null }[];
  };
  if (status >= 400) {
    const code = typeof json.error === 'object' ? json.error.code : json.code;
    return code === undefined ? { type: 'short' } : { type: 'error', code };
  }
  const [choice] = json.choices ?? [];
  if (choice) return choice.finish_reason ? { type: 'text', text: choice.message.content, id: json.id ?? '' } : short;
  return json.status === 'success' ? { type: 'text', text: json.result ?? '', id: json.request_id ?? '' } : short;
}

function readStream(body: string): Reading {
  const events = body.split('\n\n').filter((event) => event.startsWith('data: '));
  if (events.at(-1) !== 'data: [DONE]') {
    const { error } = JSON.parse(events.at(-1)?.slice(6) ?? '{}') as { error?: { code: string } };
    return error ? { type: 'error', code: error.code } : short;
  }
  let [text, id, isFinished] = ['', '', false];
  for (const event of events.slice(0, -1)) {
    const chunk = JSON.parse(event.slice(6)) as {
      id: string;
      choices: { delta: { content?: string }; finish_reason: string | null }[];
    };
    id = chunk.id;
    text += chunk.choices[0]?.delta.content ?? '';
    isFinished ||= chunk.choices[0]?.finish_reason === 'stop';
  }
  return isFinished ? { type: 'text', text, id } : short;
}

const short = { type: 'short' } as const;
