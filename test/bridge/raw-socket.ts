import { connect, type Socket } from 'node:net';

/** What came back over a raw socket: `fetch` rewrites Host and cannot send what is wrong. */
export interface RawAnswer {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** Sends `lines` as the head of a request to `address`, then `body`, and reads the answer to its end. */
export async function sendRaw(
  port: number,
  lines: readonly string[],
  body: string | Buffer = '',
  address = '127.0.0.1',
): Promise<RawAnswer> {
  const socket = connect(port, address);
  socket.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  socket.write(body);
  const bytes = await readToEnd(socket);
  return parseAnswer(bytes.toString('utf8'));
}

async function readToEnd(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function parseAnswer(text: string): RawAnswer {
  const [head = '', body = ''] = text.split(/\r\n\r\n(.*)/s, 2);
  const [statusLine = '', ...headers] = head.split('\r\n');
  const pairs = headers.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(statusLine.split(' ')[1]), headers: new Map(pairs), body };
}
