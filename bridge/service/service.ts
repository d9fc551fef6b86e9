/** What the system's own supervisor is to run, and how. */
export interface Service {
  /** The program, its script and its arguments. */
  command: readonly string[];
  /** Where relative paths in it begin. */
  folder: string;
  environment: Readonly<Record<string, string>>;
  /** The folders that it writes to; they exist. */
  writable: readonly string[];
  /** How long it may take to stop before it is killed. */
  stopSeconds: number;
}

/** The name under which systemd and launchd know it. */
export const serviceName = 'puter-bridge';

/** In the first lines of what we wrote, and of nothing else. Without two dashes, which no comment of XML may hold. */
export const mark = 'Made by Puter Bridge: “service install” writes it, “service uninstall” removes it.';

/** Also where an older bridge wrote it, which called itself by another name. */
export const isOurs = (text: string): boolean => /Made by (Puter Bridge:|“puter-bridge) /.test(text);
