import type { Fix } from '#shared/hops.ts';

import { say } from './say.ts';

/** The ways to mend a hop, said where no button can do it. `extensionFolder` is null where it was not built. */
export function describeFix(fix: Fix, extensionFolder: string | null): string[] {
  if (fix === 'pair') return [say('page_fix_pair')];
  if (fix !== 'load_extension') return [say('page_fix_in_popup', say(`fix_${fix}`))];
  if (extensionFolder === null) return [say('page_fix_build_extension')];
  return [say('page_fix_load_in_chrome', extensionFolder), say('page_fix_load_in_firefox', extensionFolder)];
}
