import type { Started } from './processes.ts';

/** Who is measured: see `contestants/`. */
export type Contestant =
  | 'bare'
  | 'bridge'
  | 'bridge, a frame a chunk'
  | 'bridge without journal'
  | 'seed'
  | 'portkey'
  | 'bare chromium'
  | 'bare chromium with puter.js'
  | 'puter.js'
  | 'plain page'
  | 'popup';

/** One thing that is measured. */
export interface Bench {
  /** For `--only`. */
  name: string;
  about: string;
  /**
   * One round: starts every contestant, and measures it once, in turn. The machine may be busier at one time than at
   * another, and one process gets faster than the next of the same program.
   */
  round(bed: Bed, note: Note): Promise<void>;
}

/** Keeps one figure. The same figure of other contestants and rounds is compared with it. */
export type Note = (figure: string, who: Contestant, value: number) => void;

/** Where a bench gets its processes and folders, which end with it. */
export interface Bed {
  signal: AbortSignal;
  /** A folder of its own. */
  folder(): Promise<string>;
  /** Starts a program that serves, apart from what loads it, and waits until it listens. */
  serve(command: readonly string[]): Promise<Started>;
  /** Starts a program beside it, on another core, and waits until it says that it is ready. */
  assist(command: readonly string[]): Promise<Started>;
  /** Runs a program that loads a server to its end; what it printed is what it measured. */
  load(name: string, options: object): Promise<unknown>;
  /** Whatever else has to be ended. */
  onEnd(end: () => Promise<unknown>): void;
}
