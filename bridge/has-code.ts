/** Whether it is an error of the system, or of Node, with one of these codes, such as ENOENT. */
export const hasCode = (error: unknown, ...codes: string[]): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));
