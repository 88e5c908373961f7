import type { Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { isSubsetOf, overlaps } from '../../model/hostnames';
import { isVisible } from '../edge';
import { NETWORKING, specOf } from '../istio';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE406',
  name: 'sidecar-imports-nothing',
  severity: 'error',
  title: 'A Sidecar imports a host from a namespace that does not have it',
  why: 'The part before the slash is the namespace of the object that declares the host, not of the destination: nothing is imported, and the host is unknown to the sidecar.',
  fix: 'Write the namespace of the ServiceEntry or Service, or * for any.',
  see: 'https://istio.io/latest/docs/reference/config/networking/sidecar/#IstioEgressListener',
  reads: ['Sidecar'],
  footguns: ['X08'],
  *check(context) {
    const { services } = context.mesh;
    for (const manifest of context.of(NETWORKING, 'Sidecar')) {
      yield* ofPorts(context, manifest);
      for (const [e, { hosts = [] }] of (specOf('Sidecar', manifest).egress ?? []).entries()) {
        for (const [h, host] of hosts.entries()) {
          const [given = '', name = ''] = host.split('/');
          if (given === '*' || given.startsWith('~') || name === '*' || name === '') continue;
          const namespace = given === '.' ? manifest.namespace : given;
          const owners = new Set(
            (name.includes('*') ? services.all : [...services.named(name).values()])
              .filter((service) =>
                name.includes('*') ? isSubsetOf(service.host, name) || overlaps(service.host, name) : true,
              )
              .filter((service) => services.isVisible(service, manifest.namespace))
              .map((service) => service.namespace),
          );
          const meant = owners.size > 0 ? undefined : longNameOf(context, name, namespace);
          if (meant !== undefined)
            yield {
              manifest,
              field: ['spec', 'egress', e, 'hosts', h],
              what: `${JSON.stringify(host)} imports nothing: hosts are compared by their whole names, and namespace ${namespace} has ${meant}`,
              why: 'A Sidecar knows no short names, nor those of another domain: nothing is imported, and the host is unknown to the sidecar.',
              fix: `Write ${given}/${meant}.`,
            };
          if (owners.size === 0 || owners.has(namespace)) continue;
          const routes = context
            .of(NETWORKING, 'VirtualService')
            .some(
              (service) =>
                service.namespace === namespace &&
                (specOf('VirtualService', service).hosts ?? []).includes(name) &&
                isVisible(context, { manifest: service, spec: specOf('VirtualService', service) }, manifest.namespace),
            );
          if (routes) continue;
          yield {
            manifest,
            field: ['spec', 'egress', e, 'hosts', h],
            what: `${JSON.stringify(host)} imports nothing: ${name} is declared in ${[...owners].join(', ')}, not in ${namespace}`,
            fix: `Write ${[...owners][0]}/${name}.`,
          };
        }
      }
    }
  },
};

/** The whole name of a Service that is named short, or under another domain. */
function longNameOf({ mesh: { services } }: CheckContext, name: string, namespace: string): string | undefined {
  // istiod's webhook refuses a name without a dot.
  if (name.includes('*') || !name.includes('.')) return undefined;
  const found = services.inNamespace(namespace).find((one) => {
    if (one.assumed || one.registry !== 'Kubernetes') return false;
    const short = one.config.name;
    return name === `${short}.${namespace}` || name.startsWith(`${short}.${namespace}.svc`);
  });
  return found?.host;
}

/** Listeners for a port that nothing has which they import. */
function* ofPorts({ mesh: { services } }: CheckContext, manifest: Manifest): Generator<Hit> {
  for (const [e, { hosts = [], port, bind }] of (specOf('Sidecar', manifest).egress ?? []).entries()) {
    if (port?.number === undefined || bind !== undefined) continue;
    const imported = hosts.map((host) => {
      const [given = '', name = ''] = host.split('/');
      const namespace = given === '.' ? manifest.namespace : given;
      // Those of a whole mesh are nowhere shown together.
      if (given === '*' || given.startsWith('~')) return [];
      return services
        .inNamespace(namespace)
        .filter((one) => services.isVisible(one, manifest.namespace) && (name === '*' || overlaps(one.host, name)));
    });
    const all = imported.flat();
    if (imported.some((some) => some.length === 0) || all.some((one) => one.assumed)) continue;
    if (all.some(({ ports }) => ports.some((one) => one.port === port.number))) continue;
    yield {
      manifest,
      field: ['spec', 'egress', e, 'port', 'number'],
      severity: 'warning',
      what: `the listener is for port ${port.number}, and what it imports has others: ${all
        .slice(0, 3)
        .map(({ host, ports }) => `${host} ${ports.map((one) => one.port).join(', ')}`)
        .join('; ')}`,
      why: 'A listener with a port imports hosts for that port alone, which is the one of the Service and not of its Pods. Requests to others find nothing there.',
      fix: 'Write a port of the Service, or leave the port out: then all of them are imported.',
    };
  }
}
