import type { Fix } from '#shared/hops.ts';

import { say } from './say.ts';

/** What mends a hop, said where no button can do it. `extensionFolder` is null where it was not built. */
export function describeFix(fix: Fix, extensionFolder: string | null): string {
  if (fix === 'pair') return say('page_fix_pair');
  if (fix !== 'load_extension') return say('page_fix_in_popup', say(`fix_${fix}`));
  return extensionFolder === null ? say('page_fix_build_extension') : say('page_fix_load_extension', extensionFolder);
}
