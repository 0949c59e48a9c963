// Addresses of the pages, both ways.

export const steps = ['gallery', 'map', 'label', 'worklist', 'book', 'agreement', 'models', 'try', 'deploy', 'history'] as const;
export type Step = (typeof steps)[number];
export type Query = Record<string, string>;

export type Route =
  | { page: 'home' }
  | { page: 'enter'; key: string; to: string }
  | { page: 'refused'; code: string }
  | { page: 'deployments'; name: string | null }
  | { page: 'settings' }
  | { page: 'dataset'; id: string; step: Step; item: string | null; query: Query }
  | { page: 'missing' };

export function parseRoute(hash: string): Route {
  const [address = '', search = ''] = hash.replace(/^#/, '').split('?');
  const [first, ...rest] = address.split('/').filter(Boolean).map(decode);
  const query: Query = Object.fromEntries(new URLSearchParams(search));
  if (first === undefined) return { page: 'home' };
  if (first === 'enter' && rest[0]) return { page: 'enter', key: rest[0], to: query.to?.startsWith('/') ? query.to : '/' };
  if (first === 'refused' && rest[0]) return { page: 'refused', code: rest[0] };
  if (first === 'deployments') return { page: 'deployments', name: rest[0] ?? null };
  if (first === 'settings') return { page: 'settings' };
  if (first === 'd' && rest[0]) {
    const step = rest[1] === undefined ? 'gallery' : steps.find((s) => s === rest[1]);
    if (step) return { page: 'dataset', id: rest[0], step, item: rest[2] ?? null, query };
  }
  return { page: 'missing' };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function toDeployment(name: string): string {
  return `#/deployments/${encodeURIComponent(name)}`;
}

export function toDataset(id: string, step: Step = 'gallery', query: Record<string, string | undefined> = {}, item?: string): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value) params.set(key, value);
  const search = params.toString();
  const end = item ? `/${encodeURIComponent(item)}` : '';
  return `#/d/${encodeURIComponent(id)}/${step}${end}${search ? `?${search}` : ''}`;
}
