import { RequestError, trace } from '../../trace';
import type { CheckContext } from '../context';
import { type Entry, isVisible, serviceEntries } from '../edge';
import { clients } from '../paths/clients';
import { isHttp } from '../protocol';
import type { Hit, Rule } from '../rule';

/** Where the metadata servers of clouds are, whatever name they have. */
const ADDRESSES = ['169.254.169.254', 'fd00:ec2::254'];

/** Their names: Google, AWS, Azure and others. */
const NAME = /^(metadata|instance-data)(\.[-a-z0-9.]*internal|\.[-a-z0-9]*metadata[-a-z0-9.]*)?$/i;

export const rule: Rule = {
  id: 'EDGE117',
  name: 'metadata-server-by-name',
  severity: 'warning',
  title: 'The metadata server is declared by its name, and its address is blocked',
  why: 'The libraries of clouds call the metadata server by its address: the Host header is 169.254.169.254, which is no host that the sidecar knows, and it answers 502.',
  fix: 'Write the address into spec.addresses of the ServiceEntry, or let it past the sidecar with traffic.sidecar.istio.io/excludeOutboundIPRanges: 169.254.169.254/32.',
  see: 'https://github.com/istio/istio/issues/28994',
  reads: ['ServiceEntry'],
  footguns: ['S15'],
  *check(context) {
    for (const entry of context.index(serviceEntries)) {
      const { hosts = [], endpoints = [], ports = [] } = entry.spec;
      const isIt = ({ address = '' }): boolean => ADDRESSES.includes(address);
      if (!hosts.some((host) => NAME.test(host)) && !endpoints.some(isIt)) continue;
      const port = ports.find(({ protocol }) => isHttp(protocol))?.number;
      const hit = port === undefined ? undefined : refused(context, entry, port);
      if (hit) yield { manifest: entry.manifest, ...hit };
    }
  },
};

/** What becomes of a request to the address, for a client that sees the entry. */
function refused(context: CheckContext, entry: Entry, port: number): Hit | undefined {
  const { manifest, spec } = entry;
  const address = (spec.endpoints ?? []).map((endpoint) => endpoint.address ?? '').find((one) => ADDRESSES.includes(one)) ?? '169.254.169.254'; // prettier-ignore
  const url = `http://${address.includes(':') ? `[${address}]` : address}${port === 80 ? '' : `:${port}`}/`;
  for (const { from, namespace, labels, isAssumed } of context.index(clients)) {
    if (!isVisible(context, entry, namespace)) continue;
    if (isAssumed && namespace !== manifest.namespace) continue;
    try {
      const { refusal } = trace(context.mesh, { from, request: url, ...(isAssumed ? { labels } : {}) });
      if (refusal?.code !== 'BlackHoleCluster') continue;
      return {
        field: ['spec', 'addresses'],
        what: `${(spec.hosts ?? []).join(', ')} is declared, and ${url} from ${from} is refused${refusal.status === null ? '' : ` (${refusal.status} ${refusal.code})`}: the address is nobody's`,
      };
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
    }
  }
  return undefined;
}
