/** What the tests use of web-ext, which ships no types. */
declare module 'web-ext' {
  interface Finding {
    code: string;
    message: string;
    file?: string;
    line?: number;
  }

  export const cmd: {
    lint(
      options: { sourceDir: string; artifactsDir: string; output: 'none'; ignoreFiles: string[] },
      execution: { shouldExitProgram: false },
    ): Promise<Record<'errors' | 'warnings' | 'notices', Finding[]>>;
  };
}
