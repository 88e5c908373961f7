/** What requests have of each dimension, read as a server would: for tests of classes. */
import type { Dimension } from '../../src/trace/ask';
import type { TraceRequest } from '../../src/trace/types';

/** What a request has of each dimension. */
export function valueIn(request: TraceRequest): (dimension: Dimension) => string | undefined {
  const url = new URL(request.request);
  return ({ kind, name }) => {
    switch (kind) {
      case 'host':
        return url.host;
      case 'path':
        return request.request.slice(request.request.indexOf('/', 8)).split('?')[0];
      case 'query':
        return url.search.slice(1);
      case 'parameter':
        return url.searchParams.get(name) ?? undefined;
      case 'method':
        return request.method ?? 'GET';
      case 'header':
        return request.headers?.[name];
      case 'sni':
        return request.sni ?? url.hostname;
      case 'address':
        return request.address;
      case 'cookie':
      case 'token':
      case 'claim':
      case 'source':
      case 'open':
        return undefined;
    }
  };
}
