/** Whether somebody looks at the status now; then the extension keeps it right also where nothing calls for that. */
export interface Audience {
  watched(): boolean;
  /** Somebody read it once, and may do so again soon. */
  look(): void;
  /** Somebody follows it. Returns how to stop. */
  follow(): () => void;
}

const glanceMs = 10_000;

export function createAudience(options: { onChange: () => void }): Audience {
  const { onChange } = options;
  let followers = 0;
  let glance: NodeJS.Timeout | undefined;

  return {
    watched: () => followers > 0 || glance !== undefined,
    look() {
      clearTimeout(glance);
      glance = setTimeout(() => {
        glance = undefined;
        onChange();
      }, glanceMs).unref();
      onChange();
    },
    follow() {
      followers += 1;
      onChange();
      return () => {
        followers -= 1;
        onChange();
      };
    },
  };
}
