import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * False for an address on this machine or in its network. Neither bridge nor extension ever fetches an image: Puter or
 * the provider does, from where they are, and what stands here is nobody's business there. The address is read as a
 * browser reads it (`0x7f.1` is 127.0.0.1) and never resolved: where a public name leads is up to whoever fetches.
 */
export function isPublicUrl(url: string): boolean {
  if (isData(url)) return true;
  const parsed = URL.parse(url);
  if (parsed?.protocol !== 'https:' && parsed?.protocol !== 'http:') return false;
  // With the dot of a full name, it is the same host.
  const { hostname } = parsed;
  const host = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
  if (isIPv4(host)) return !inside.ipv4.check(host, 'ipv4');
  if (isIPv6(host.slice(1, -1))) return !inside.ipv6.check(host.slice(1, -1), 'ipv6');
  return host.includes('.') && !localNames.some((name) => host.endsWith(name));
}

const localNames = ['.localhost', '.local', '.internal', '.intranet', '.lan', '.home', '.home.arpa', '.corp'];

const inside = {
  ipv4: listOf('ipv4', [
    ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
    ...['192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/3'],
  ]),
  // All but what is given out to networks of the world; without what hides an address of the kind above.
  ipv6: listOf('ipv6', ['::/3', '4000::/2', '8000::/1', '2001::/23', '2002::/16']),
};

function listOf(kind: 'ipv4' | 'ipv6', networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    list.addSubnet(address, Number(bits), kind);
  }
  return list;
}

/** An address that is fetched, or an image of a kind that models take, whole and in good base64. */
export function isImageIfData(url: string): boolean {
  if (!isData(url)) return true;
  const head = /^data:image\/(png|jpe?g|webp|gif);base64,/i.exec(url.slice(0, 64))?.[0];
  return head !== undefined && isBase64(url.slice(head.length));
}

const isData = (url: string): boolean => url.slice(0, 5).toLowerCase() === 'data:';

/** The decoder leaves out in silence what is no base64, so that too little comes out. */
function isBase64(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='));
  return text !== '' && text.length % 4 === 0 && Buffer.from(text, 'base64').length === (text.length / 4) * 3 - padding;
}
