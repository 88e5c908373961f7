/** What proxies reply by themselves. */
import type { WordsFor } from './words';

const forwarding = (field: string): string => `take ${field} off the rule, if requests are to be forwarded`;

export const REPLY_WORDS: WordsFor<
  'fault' | 'preflight' | 'redirect' | 'redirect-to-https' | 'direct-response' | 'health-check'
> = {
  fault: ({ status, policy }) => ({
    what: `a fault aborts every request with ${status}`,
    fix: policy ? 'take faultInjection.abort out of the BackendTrafficPolicy' : forwarding('fault.abort'),
  }),
  preflight: ({ by }) => ({
    what: `the proxy answers the preflight request itself, by ${by === 'route' ? "the route's CORS policy" : by === 'policy' ? "the policy's CORS settings" : "the route's CORS filter"}`,
    fix: by === 'route' ? forwarding('corsPolicy') : '',
  }),
  redirect: ({ location }) => ({ what: `the route redirects to ${location}`, fix: forwarding('redirect') }),
  'redirect-to-https': () => ({
    what: 'the server redirects plain HTTP to HTTPS',
    fix: 'send the request as https',
  }),
  'direct-response': ({ status, filter, withoutBackend }) => ({
    what: `the route answers ${status} by itself${withoutBackend ? ', since the rule has no backend of a weight that is not 0' : ''}`,
    fix: filter
      ? 'take directResponse out of the HTTPRouteFilter, if requests are to be forwarded'
      : withoutBackend
        ? 'give the rule a backend, or one of its backends a weight'
        : 'give the rule a destination in place of directResponse, if requests are to be forwarded',
  }),
  'health-check': ({ path }) => ({
    what: `the listener answers ${path} by itself, as a health check`,
    fix: 'take another path for it in healthCheck of the ClientTrafficPolicy',
  }),
};
