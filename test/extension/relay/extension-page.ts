import { onTestFinished, vi } from 'vitest';

import { extensionOrigin } from '#shared/extension-id.ts';

/**
 * What browsers do for a page of an extension and Node does not: they name the page's origin, and keep from the page
 * what no server lets it read. Until the test is over, this process is such a page.
 */
export function actAsExtensionPage(origin = extensionOrigin): void {
  const { fetch: nodeFetch, WebSocket: NodeSocket } = globalThis;

  vi.stubGlobal(
    'WebSocket',
    class extends NodeSocket {
      constructor(url: string, protocol: string) {
        // Node takes headers where browsers take protocols alone; the types are those of browsers.
        super(url, { protocols: [protocol], headers: { origin } } as never);
      }
    },
  );
  vi.stubGlobal('fetch', async (url: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('Origin', origin);
    const response = await nodeFetch(url, { ...init, headers });
    const isReadable = response.headers.get('Access-Control-Allow-Origin') === origin;
    if (init.mode !== 'no-cors' && !isReadable) throw new TypeError('Failed to fetch');
    return response;
  });
  onTestFinished(() => void vi.unstubAllGlobals());
}
