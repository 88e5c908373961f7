import { type Entry, entriesByHost, haveCommonViewer, isVisible, nameOf } from '../edge';
import type { Service } from '../../model/services';
import type { CheckContext } from '../context';
import { getsAddresses, withoutDnsCapture } from '../mesh-settings';
import { isHttp } from '../protocol';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE113',
  name: 'host-in-several-entries',
  severity: 'error',
  title: 'One host is declared by several objects that do not agree',
  why: 'A proxy that sees them all builds one service of them: ports of an entry in another namespace are lost, and resolution and endpoints are those of the older one.',
  fix: 'Write one ServiceEntry for the host, with all its ports; or export the entries to different namespaces.',
  see: 'https://istio.io/latest/docs/reference/config/networking/service-entry/',
  reads: ['ServiceEntry'],
  footguns: ['S07', 'N02', 'G12', 'A11', 'S19'],
  *check(context) {
    for (const [host, entries] of context.index(entriesByHost)) {
      for (const entry of entries) {
        const service = shortened(context, entry, host);
        if (service)
          yield {
            manifest: entry.manifest,
            field: ['spec', 'hosts', (entry.spec.hosts ?? []).indexOf(host)],
            severity: 'warning',
            what: `${host} is short for ${nameOf(service.config.manifest)}, and ${nameOf(entry.manifest)} declares a host of that name`,
            why: 'A ServiceEntry does not complete its hosts, and clients that call the Service by its short name get to the host of the entry.',
            fix: 'Give the host outside a name of its own.',
          };
      }
      for (const [index, entry] of entries.entries()) {
        const other = entries.slice(0, index).find((candidate) => haveCommonViewer(context, candidate, entry));
        const difference = other && differ(entry, other);
        if (!other || !difference) continue;
        yield {
          manifest: entry.manifest,
          severity: 'warning',
          field: ['spec', 'hosts', (entry.spec.hosts ?? []).indexOf(host)],
          what: `${host} is declared by ${nameOf(entry.manifest)} and by ${nameOf(other.manifest)}, with different ${difference}`,
          ...(difference === 'ports' && isAnsweredAtRandom(context, entry, other) ? AT_RANDOM : {}),
        };
      }
      const [service] = [...context.mesh.services.named(host).values()].filter(
        ({ registry, assumed }) => registry === 'Kubernetes' && !assumed,
      );
      for (const entry of service ? entries : []) {
        if (!service) continue;
        const hit =
          entry.manifest.namespace === service.namespace ? beside(entry, service) : over(context, entry, service);
        if (hit)
          yield { ...hit, manifest: entry.manifest, field: ['spec', 'hosts', (entry.spec.hosts ?? []).indexOf(host)] };
      }
    }
  },
};

/** Whether sidecars answer for the host with an address of each entry, and one of them has a port that only its own address takes. */
function isAnsweredAtRandom(context: CheckContext, one: Entry, other: Entry): boolean {
  const entries = [one, other];
  return (
    one.manifest.namespace === other.manifest.namespace &&
    entries.every((entry) => (entry.spec.addresses ?? []).length === 0 && getsAddresses(context, entry)) &&
    withoutDnsCapture(context, entries).length === 0 &&
    entries.some(({ spec }) => (spec.ports ?? []).some(({ protocol }) => !isHttp(protocol)))
  );
}

const AT_RANDOM = {
  severity: 'error',
  why: 'Where sidecars answer DNS (ISTIO_META_DNS_CAPTURE), Istio gives each ServiceEntry an address of its own, and clients get one of them at random: a connection to a TCP or TLS port fails whenever the address is that of an entry without the port.',
  fix: 'Write one ServiceEntry for the host, with all its ports.',
} as const;

/** The Service that clients which see an entry mean by its host: `name`, `name.namespace` or `name.namespace.svc`. */
function shortened(context: CheckContext, entry: Entry, host: string): Service | undefined {
  const { mesh } = context;
  const { manifest } = entry;
  const { name = '', namespace } =
    /^(?<name>[-a-z0-9]+)(\.(?<namespace>[-a-z0-9]+)(\.svc)?)?$/.exec(host)?.groups ?? {};
  if (name === '') return undefined;
  const namespaces = namespace === undefined ? mesh.namespaces.keys() : [namespace];
  return [...new Set([...namespaces, ...(namespace === undefined ? [manifest.namespace] : [])])]
    .filter((viewer) => namespace !== undefined || isVisible(context, entry, viewer))
    .map((viewer) => mesh.services.ofCluster(viewer, name))
    .find((service) => service?.assumed === false);
}

/** An entry of another namespace than the Service of its host. */
function over(context: CheckContext, entry: Entry, service: Service): Omit<Hit, 'field'> | undefined {
  if (leadsToServiceItself(entry) && isOutsideMesh(context, service)) return undefined;
  return {
    severity: 'warning',
    what: `${service.host} is ${nameOf(service.config.manifest)}, and ${nameOf(entry.manifest)} declares it for ${(entry.spec.exportTo ?? ['*']).includes('*') ? 'every namespace' : 'the namespaces that see it'}`,
    why: 'Sidecars of the namespace of the entry take the entry: their calls to the Service leave for its endpoints. Where both come from other namespaces, istiod takes the Service, and what the entry says counts for nothing.',
    fix: 'Give the host outside a name of its own.',
  };
}

/** Beside the Service an entry adds endpoints to its ports, such as virtual machines; of what else it says nothing counts. */
function beside({ manifest, spec }: Entry, service: Service): Omit<Hit, 'field'> | undefined {
  const lost = (spec.ports ?? []).filter(({ number }) => !service.ports.some(({ port }) => port === number));
  const isExternal = (spec.location ?? 'MESH_EXTERNAL') === 'MESH_EXTERNAL' && (spec.endpoints ?? []).length > 0;
  const name = nameOf(service.config.manifest);
  if (lost.length > 0)
    return {
      what: `${service.host} is ${name}, and port ${lost.map(({ number }) => number).join(', ')}, which ${nameOf(manifest)} declares, is none of its ports ${service.ports.map(({ port }) => port).join(', ')}`,
      why: 'istiod takes the Service of the cluster for the host: a port that only the entry has exists nowhere.',
      fix: 'Give the host outside a name of its own, or add the port to the Service.',
    };
  if (!isExternal) return undefined;
  return {
    severity: 'warning',
    what: `${service.host} is ${name}, and ${nameOf(manifest)} gives it endpoints outside the mesh`,
    why: 'The endpoints of both are put together: some calls to the Service leave the cluster, and others do not.',
    fix: 'Give the host outside a name of its own. Where its servers are meant to belong to the Service, say so with location: MESH_INTERNAL, which changes nothing for istiod.',
  };
}

/** Without endpoints of its own, what DNS answers is the Service's own address. */
function leadsToServiceItself({ spec }: Entry): boolean {
  return /^DNS/.test(spec.resolution ?? '') && !spec.endpoints?.length;
}

/** Whether no pod of the Service has a proxy, so that nothing is lost with what istiod knows of them: a server that stands for one outside. */
function isOutsideMesh({ mesh }: CheckContext, service: Service): boolean {
  return (
    mesh.membershipIn(service.namespace) === 'none' &&
    mesh.workloads.inNamespace(service.namespace).every(({ membership }) => membership === 'none')
  );
}

function differ(a: Entry, b: Entry): string | undefined {
  const portsOf = ({ spec }: Entry): string =>
    JSON.stringify((spec.ports ?? []).map(({ number, protocol = '' }) => `${number} ${protocol.toUpperCase()}`).sort());
  if (portsOf(a) !== portsOf(b)) return 'ports';
  if ((a.spec.resolution ?? 'NONE') !== (b.spec.resolution ?? 'NONE')) return 'resolution';
  if (JSON.stringify(a.spec.endpoints ?? []) !== JSON.stringify(b.spec.endpoints ?? [])) return 'endpoints';
  return (a.spec.location ?? 'MESH_EXTERNAL') !== (b.spec.location ?? 'MESH_EXTERNAL') ? 'location' : undefined;
}
