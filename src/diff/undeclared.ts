/**
 * Requests that no object speaks of: in another protocol than is declared for the port, and to the Services of gateways by their own names.
 * Few send any, and so they are followed only where nothing else has changed: before it is said that nothing has.
 */
import { labelsMatch, record, records, strings, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import type { Target } from '../traffic/universe';
import { isGatewayService, otherHostProbes, probe, probesAt, probesTo, type Probe, type Probes } from './requests';

const SCHEMES = ['http', 'https', 'tcp'] as const;

export const UNDECLARED: Probes = {
  to: (host, meshes) => {
    const declared = probesTo(host, meshes);
    const known = new Set(declared.map(({ port }) => port));
    const ports = [...new Set(meshes.flatMap((mesh) => portsOfPods(mesh, host)))].filter((port) => !known.has(port));
    const pods = ports.flatMap((port) => SCHEMES.map((scheme) => probe({ host, scheme, port }, meshes)));
    const found = [...others(declared, meshes), ...pods];
    return meshes.some((mesh) => isGatewayService(mesh, host)) ? [...declared, ...found] : found;
  },
  elsewhere: (ports, meshes) => others(otherHostProbes(ports, meshes), meshes),
  at: (gateway, host, meshes) => {
    const declared = probesAt(gateway, host, meshes);
    if (declared.length === 0) return [];
    // A Service may have ports that no server has, and that lead to one which another port is for.
    const own = new Set(declared.map(({ port }) => port));
    const ports = new Set(meshes.flatMap((mesh) => servicePorts(mesh, gateway)));
    const more = [...ports]
      .filter((port) => !own.has(port))
      .flatMap((port) => SCHEMES.filter((scheme) => scheme !== 'tcp' || !host.startsWith('*')).map((scheme) => probe({ host, scheme, port }, meshes))); // prettier-ignore
    return [...others(declared, meshes), ...more];
  },
};

/** The name of a headless Service is that of its Pods: whoever dials it may take any port that something says of them. */
function portsOfPods(mesh: Mesh, host: string): readonly number[] {
  return mesh.services
    .declaring(host)
    .filter(({ registry, resolution }) => registry === 'Kubernetes' && resolution === 'PASSTHROUGH')
    .flatMap((service) =>
      mesh.workloads.behind(service).flatMap((pod) => [
        ...pod.namedPorts.values(),
        ...mesh.services
          .inNamespace(service.namespace)
          .filter((one) => Object.keys(one.selector).length > 0 && labelsMatch(one.selector, pod.labels))
          .flatMap(({ ports }) => ports.map(({ target }) => (typeof target === 'number' ? target : 0))),
        ...policyPorts(mesh, pod.namespace),
      ]),
    )
    .filter((port) => port > 0);
} // prettier-ignore

/** Ports that policies about servers name. */
function policyPorts(mesh: Mesh, namespace: string): readonly number[] {
  const here = (kind: string): readonly Json[] =>
    ['security.istio.io', 'networking.istio.io'].flatMap((group) =>
      mesh
        .of(group, kind)
        .filter((one) => one.namespace === namespace || one.namespace === mesh.config.rootNamespace)
        .map(({ body }) => record(record(body).spec)),
    );
  return [
    ...here('PeerAuthentication').flatMap(({ portLevelMtls }) => Object.keys(record(portLevelMtls))),
    ...here('AuthorizationPolicy').flatMap(({ rules }) =>
      records(rules).flatMap(({ to, when }) => [
        ...records(to).flatMap(({ operation }) => [...texts(record(operation).ports), ...texts(record(operation).notPorts)]),
        ...records(when).flatMap(({ key, values, notValues }) => (key === 'destination.port' ? [...texts(values), ...texts(notValues)] : [])),
      ]),
    ),
    ...here('Sidecar').flatMap(({ ingress }) => records(ingress).map(({ port }) => String(record(port).number))),
  ]
    .map(Number)
    .filter((port) => port > 0);
} // prettier-ignore

/** Ports of the Services that lead to the Pods of a gateway. */
function servicePorts(mesh: Mesh, gateway: string): readonly number[] {
  const [namespace = '', name = ''] = gateway.split('/');
  const own = mesh.gateways.find((one) => one.namespace === namespace && one.name === name);
  const pods =
    own === undefined
      ? []
      : mesh.workloads.all.filter(({ membership, labels }) => membership === 'gateway' && labelsMatch(strings(own.spec.selector), labels)); // prettier-ignore
  const services = [
    ...pods.flatMap((pod) => mesh.services.inNamespace(pod.namespace).filter(({ selector }) => Object.keys(selector).length > 0 && labelsMatch(selector, pod.labels))), // prettier-ignore
    // istiod names the Service of a Gateway of the Gateway API after it.
    ...(own === undefined ? mesh.services.inNamespace(namespace).filter(({ host }) => host.startsWith(name)) : []),
  ];
  return services.flatMap(({ ports }) => ports.map(({ port }) => port));
}

/** The same places in each protocol that none of them has. */
function others(declared: readonly Probe[], meshes: readonly Mesh[]): readonly Probe[] {
  const known = new Set(declared.map(({ target }) => keyOf(target)));
  const wanted = new Map<string, Probe>();
  for (const { target } of declared)
    for (const scheme of SCHEMES) {
      const { host, port, address } = target;
      // A connection alone says nothing of its host: of names that nobody has, it is followed by its address.
      if (scheme === 'tcp' && host.startsWith('*') && address === undefined) continue;
      const key = keyOf({ ...target, scheme });
      if (!known.has(key)) wanted.set(key, probe({ host, scheme, port, address }, meshes));
    }
  return [...wanted.values()];
}

function keyOf({ scheme, host, port, address = '' }: Target): string {
  return `${scheme === 'tls' ? 'https' : scheme} ${host} ${port} ${address}`;
}
