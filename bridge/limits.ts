import { heartbeatMs } from '#shared/protocol.ts';

/** What nobody may exceed, whoever he is. Not flags: nobody has to change them but tests, which set them small. */
export interface Limits {
  /** How long the head of a request may take to arrive, and then the rest of it. */
  headersTimeoutMs: number;
  requestTimeoutMs: number;
  /** Sockets at once, the extension's among them; more are dropped. */
  maxConnections: number;
  /** After so many requests that did not wait for each other's answers a socket is closed. */
  maxRequestsPerSocket: number;
  maxHeaders: number;
  /** Of the whole head, the target included. */
  maxHeaderBytes: number;
  /** A few images as data URIs fit in. */
  maxBodyBytes: number;
  /** How deep objects and arrays of a body may stand in each other. */
  maxJsonDepth: number;
  /** How long a socket of an extension may be silent before its hello, and how many may be so at once. */
  helloTimeoutMs: number;
  maxPendingHandshakes: number;
  /** Of a frame that carries neither an answer nor the list of models. */
  maxControlFrameBytes: number;
  /** In how many pieces one frame may come. Chrome cuts what is large. */
  maxFragments: number;
  maxPingsPerSecond: number;
  /** Of the journal, beside what may be kept of finished calls. */
  maxJournalBytes: number;
  /** How often a ping goes out; a peer that leaves two unanswered is given up. */
  heartbeatMs: number;
  /** How long a caller may take nothing of what waits for it. What the system took a part of counts as taken, once. */
  readerGraceMs: number;
}

export const defaultLimits: Limits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  // More than may wait for a lane.
  maxConnections: 12_000,
  maxRequestsPerSocket: 100,
  maxHeaders: 100,
  maxHeaderBytes: 16 * 1024,
  maxBodyBytes: 32 * 1024 * 1024,
  maxJsonDepth: 64,
  helloTimeoutMs: 5000,
  maxPendingHandshakes: 4,
  maxControlFrameBytes: 1024 * 1024,
  maxFragments: 16 * 1024,
  maxPingsPerSecond: 20,
  maxJournalBytes: 1024 * 1024 * 1024,
  heartbeatMs,
  readerGraceMs: 30_000,
};
