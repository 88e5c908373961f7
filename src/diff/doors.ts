/** Gateways whose whole entrance hangs on a changed object: the Pods that run them, and the Services that lead to these. */
import { labelsMatch, optionalRecord, record, records, strings, text } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { readWorkload } from '../model/workloads';
import { serverHosts, type Links } from './links';
import type { ObjectChange } from './objects';

const NONE: ReadonlySet<string> = new Set();
const GATEWAY_API = 'gateway.networking.k8s.io';

export function doorsOf(change: ObjectChange, both: readonly Links[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [side, manifest] of [change.was, change.is].entries())
    for (const links of both)
      if (manifest !== undefined) for (const one of doorsAt(manifest, links, both[side])) found.add(one);
  return found;
}

function doorsAt(manifest: Manifest, links: Links, own: Links | undefined): Iterable<string> {
  const { kind, group, namespace, name } = manifest;
  if (kind === 'Gateway' && group === 'networking.istio.io') return besides(manifest, links);
  if (kind === 'Service' && group === '') return ofService(manifest, links);
  if (kind === 'EndpointSlice' || kind === 'Endpoints') {
    const service = text(manifest.labels['kubernetes.io/service-name']) || name;
    const found = links.mesh.find('', 'Service', namespace, service);
    return found === undefined ? NONE : ofService(found, links);
  }
  if (group === 'security.istio.io') return held(manifest, links);
  const workload = own === undefined ? undefined : readWorkload(manifest, own.mesh.namespaces);
  return workload?.membership === 'gateway' ? runBy(namespace, workload.labels, links) : NONE;
}

/** Gateways that Pods with these labels run. */
function runBy(namespace: string, labels: Readonly<Record<string, string>>, { mesh }: Links): ReadonlySet<string> {
  const found = new Set<string>();
  for (const gateway of [...mesh.gateways, ...mesh.ingresses]) {
    const selector = strings(optionalRecord(gateway.spec.selector));
    if (labelsMatch(selector, labels)) found.add(`${gateway.namespace}/${gateway.name}`);
  }
  const name = labels[`${GATEWAY_API}/gateway-name`];
  if (name !== undefined) found.add(`${namespace}/${name}`);
  return found;
}

function ofService(manifest: Manifest, links: Links): ReadonlySet<string> {
  const { namespace, name } = manifest;
  const selector = strings(record(record(manifest.body).spec).selector);
  const found = new Set(runBy(namespace, selector, links));
  for (const pod of links.mesh.workloads.behind({ namespace, selector }))
    if (pod.membership === 'gateway') for (const one of runBy(namespace, pod.labels, links)) found.add(one);
  // istiod names the Service of a Gateway of the Gateway API after it.
  for (const gateway of links.mesh.of(GATEWAY_API, 'Gateway'))
    if (gateway.namespace === namespace && name.startsWith(gateway.name)) found.add(`${namespace}/${gateway.name}`);
  return found;
}

/** Gateways whose Pods a policy selects: all of its namespace, or of the mesh from the root namespace, if it selects none. */
function held(manifest: Manifest, links: Links): Iterable<string> {
  const { namespace, body } = manifest;
  const { selector } = record(record(body).spec);
  const labels = strings(record(selector).matchLabels);
  const isRoot = links.mesh.config.rootNamespace === namespace;
  const pods = links.mesh.workloads.all.filter(({ membership }) => membership === 'gateway');
  const run = pods
    .filter((pod) => isRoot || pod.namespace === namespace)
    .filter((pod) => labelsMatch(labels, pod.labels))
    .flatMap((pod) => [...runBy(pod.namespace, pod.labels, links)]);
  // Pods that no manifest shows are somewhere, with the labels that their Gateway asks for, and maybe others.
  const unshown = [...links.mesh.gateways, ...links.mesh.ingresses].filter(({ spec }) => {
    const asked = strings(optionalRecord(spec.selector));
    const may = Object.entries(labels).every(([key, value]) => asked[key] === undefined || asked[key] === value);
    return may && !pods.some((pod) => labelsMatch(asked, pod.labels));
  });
  return [...run, ...unshown.map((one) => `${one.namespace}/${one.name}`)];
}

/** Gateways whose servers share a port with one of this Gateway, and may share its Pods: of two kinds of listener one is left out. */
function besides({ namespace, name, body }: Manifest, { mesh }: Links): ReadonlySet<string> {
  const spec = record(record(body).spec);
  const selector = strings(optionalRecord(spec.selector));
  const ports = new Set(records(spec.servers).map((server) => Number(record(server.port).number)));
  const mayShare = (other: Readonly<Record<string, string>>): boolean =>
    Object.entries(selector).every(([key, value]) => other[key] === undefined || other[key] === value);
  return new Set(
    mesh.gateways
      .filter((one) => one.namespace !== namespace || one.name !== name)
      .filter(({ spec: other }) => mayShare(strings(optionalRecord(other.selector))))
      .filter(
        ({ spec: other }) =>
        records(other.servers).some((server) => ports.has(Number(record(server.port).number)) && serverHosts(server).includes('*')), // prettier-ignore
      )
      .map((one) => `${one.namespace}/${one.name}`),
  );
}
