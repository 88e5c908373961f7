import { contains, isAddress } from '../../model/addresses';
import { RequestError, trace } from '../../trace';
import type { CheckContext } from '../context';
import { nameOf, serviceEntries } from '../edge';
import { type ProxyUser, proxyUsers } from '../proxy-users';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE323',
  name: 'proxy-out-of-reach',
  severity: 'error',
  title: 'A workload is told to use a proxy that its sidecar knows nothing of',
  why: 'Where only registered hosts may be reached, the sidecar cuts the connection to the proxy, and with it every request that the workload sends through it.',
  fix: "Declare the proxy's address with that very port, protocol TCP, for the namespace of the workload.",
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/http-proxy/',
  reads: ['ServiceEntry'],
  footguns: ['T21'],
  *check(context) {
    const users = context.index(proxyUsers);
    const told = new Set<string>();
    for (const user of users) {
      const { manifest, variable, host, port } = user;
      const key = `${nameOf(manifest)} ${host}:${port}`;
      if (told.has(key) || !isCut(context, user)) continue;
      told.add(key);
      const entries = context.index(serviceEntries).filter(({ spec }) => names(spec, host));
      // Where that very port is declared, and the workload does not see it, the rules of paths say so.
      if (entries.some(({ spec }) => (spec.ports ?? []).some(({ number }) => number === port))) continue;
      const [entry] = entries;
      yield {
        manifest,
        field: ['metadata', 'name'],
        what: `${variable} of ${nameOf(manifest)} is ${host}:${port}, and the sidecar cuts connections to it${entry ? `: ${nameOf(entry.manifest)} declares port ${(entry.spec.ports ?? []).map(({ number }) => number).join(', ')} of ${host}` : ': no ServiceEntry declares it'}`,
        // The entry may be in another repository.
        ...(entry ? {} : { severity: 'warning' as const }),
      };
    }
  },
};

function names(
  { hosts = [], addresses = [] }: { hosts?: readonly string[]; addresses?: readonly string[] },
  host: string,
): boolean {
  return hosts.includes(host) || (isAddress(host) && addresses.some((address) => contains(address, host)));
}

/** Whether the workload's sidecar lets nothing through to the proxy. What a name leads to is known of declared hosts only. */
function isCut(context: CheckContext, { manifest, host, port }: ProxyUser): boolean {
  if (host === 'localhost' || /^127\./.test(host)) return false;
  if (!isAddress(host) && !context.index(serviceEntries).some(({ spec }) => names(spec, host))) return false;
  try {
    const { refusal } = trace(context.mesh, { from: `${manifest.namespace}/${manifest.name}`, request: `tcp://${host}:${port}` }); // prettier-ignore
    return refusal?.code === 'BlackHoleCluster';
  } catch (error) {
    if (error instanceof RequestError) return false;
    throw error;
  }
}
