/** What the bench uses of autocannon, which ships no types. */
declare module 'autocannon' {
  interface Options {
    url: string;
    connections: number;
    /** In seconds. */
    duration: number;
    /** How often it looks whether that is over, in milliseconds. */
    sampleInt: number;
    method: 'POST';
    headers: Record<string, string>;
    body: string;
  }
  interface Result {
    non2xx: number;
    errors: number;
  }
  interface Instance extends Promise<Result> {
    on(event: 'response', listener: (client: object, status: number, bytes: number, ms: number) => void): this;
  }

  export default function autocannon(options: Options): Instance;
}
