import { connect, type Socket } from 'node:net';

/** What came back over a raw socket: `fetch` rewrites Host and cannot send what is wrong. */
export interface RawAnswer {
  /** NaN where the socket was closed without an answer. */
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** Sends `lines` as the head of a request to `address`, then `body`, and reads the answer to its end. */
export const sendRaw = (
  port: number,
  lines: readonly string[],
  body: string | Buffer = '',
  address = '127.0.0.1',
): Promise<RawAnswer> => send(connect(port, address), `${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`, body);

/** Sends what may be no HTTP at all, and reads until the other side closes. */
export const sendBytes = (port: number, ...pieces: (string | Buffer)[]): Promise<RawAnswer> =>
  send(connect(port, '127.0.0.1'), ...pieces);

async function send(socket: Socket, ...pieces: (string | Buffer)[]): Promise<RawAnswer> {
  for (const piece of pieces) socket.write(piece);
  return parseAnswer(await readToEnd(socket));
}

/** Everything up to the end of the connection, or to its reset. Rejects where there is none at all. */
export async function readToEnd(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve, reject) => {
    socket.once('close', resolve).on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reject(error);
    });
  });
  return Buffer.concat(chunks);
}

export function parseAnswer(answer: string | Buffer): RawAnswer {
  const text = answer.toString();
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s, 2);
  const [statusLine = '', ...headers] = head.split('\r\n');
  const pairs = headers.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(statusLine.split(' ')[1]), headers: new Map(pairs), body };
}
