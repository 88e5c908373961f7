import { nameOf, serviceEntries } from '../edge';
import { isHttp } from '../protocol';
import { proxyUsers } from '../proxy-users';
import type { Rule } from '../rule';

const PROXY_PORTS = new Set([3128, 1080, 8118, 3129]);

/** A name that says so; on port 80 it may as well be a site. */
const PROXY_NAME = /(^|[-.])(\w*proxy|squid|privoxy|zscaler)(\d*)([-.]|$)/i;

export const rule: Rule = {
  id: 'EDGE317',
  name: 'proxy-declared-http',
  severity: 'warning',
  title: 'An HTTP proxy is declared HTTP',
  why: 'A client sends CONNECT to a proxy, which a sidecar that reads HTTP answers with 404: it has no route for it.',
  fix: "Declare the port TCP, with the proxy's IP address.",
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/http-proxy/',
  reads: ['ServiceEntry'],
  footguns: ['T21'],
  *check(context) {
    const users = context.index(proxyUsers);
    for (const { manifest, spec } of context.index(serviceEntries)) {
      for (const [at, { number = 0, protocol }] of (spec.ports ?? []).entries()) {
        const name = number === 80 ? undefined : (spec.hosts ?? []).find((host) => PROXY_NAME.test(host));
        const user = users.find((one) => one.port === number && [...(spec.hosts ?? []), ...(spec.addresses ?? [])].some((host) => host.split('/')[0] === one.host)); // prettier-ignore
        if (isHttp(protocol) && user) {
          yield {
            manifest,
            field: ['spec', 'ports', at, 'protocol'],
            what: `port ${number} of ${user.host} is the proxy that ${user.variable} of ${nameOf(user.manifest)} names, and is declared ${protocol}`,
          };
          continue;
        }
        const sign = PROXY_PORTS.has(number)
          ? 'number'
          : protocol?.toLowerCase() === 'http_proxy'
            ? 'protocol'
            : name && 'name';
        if (isHttp(protocol) && sign) {
          yield {
            manifest,
            field: ['spec', 'ports', at, 'protocol'],
            what: `port ${number} of ${(spec.hosts ?? []).join(', ')}, which is a proxy's by its ${sign}, is declared ${protocol}`,
          };
        }
      }
    }
  },
};
