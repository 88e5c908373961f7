/** Namespaces that hold more than the manifests show, since charts and operators fill them in the cluster. */
import { optionalRecord, record, records, text, type Json } from './fields';
import type { Manifest } from './manifest';
import type { Mesh } from './mesh';

/** Groups whose objects bring no Service or workload with them: Kubernetes' own end in `.k8s.io` or have no dot. */
const BRINGS_NOTHING = [
  /^[^.]*$/,
  /\.k8s\.io$/,
  /\.istio\.io$/,
  /^gateway\.envoyproxy\.io$/,
  /^gateway\.networking\.x-k8s\.io$/,
  /(^|\.)cert-manager\.io$/,
  /^external-secrets\.io$/,
  /^bitnami\.com$/,
  /^kyverno\.io$/,
  /^cilium\.io$/,
  /projectcalico\.org$/,
  /\.fluxcd\.io$/,
  /^argoproj\.io$/,
  /^keda\.sh$/,
  /^reloader\.stakater\.com$/,
];

/** Kinds of operators' groups that only watch or rule what is there. */
const WATCHES = /^(ServiceMonitor|PodMonitor|Probe|PrometheusRule|ScrapeConfig|AlertmanagerConfig|.*Policy|.*Rule)$/;

/** Where a chart is installed: `helm install --namespace` of each kind's controller. */
function chartsTarget({ kind, namespace, body }: Manifest): string | undefined {
  const spec = record(record(body).spec);
  const destination = (application: Json): string | undefined =>
    text(record(application.destination).namespace) || undefined;
  switch (kind) {
    case 'HelmRelease':
      return text(spec.targetNamespace) || namespace;
    case 'HelmChart':
      return optionalRecord(spec.sourceRef) === undefined ? text(spec.targetNamespace) || namespace : undefined;
    case 'Application':
      return destination(spec);
    case 'ApplicationSet':
      return destination(record(record(spec.template).spec));
    default:
      return undefined;
  }
}

const CHARTS = /^(helm\.toolkit\.fluxcd\.io|helm\.cattle\.io|argoproj\.io)$/;

/** Whether charts or operators put more into a namespace than the manifests show. */
export function isFilledElsewhere(mesh: Pick<Mesh, 'manifests' | 'remember'>, namespace: string): boolean {
  return mesh.remember(mesh, 'open namespaces', () => openNamespaces(mesh.manifests)).has(namespace);
}

function openNamespaces(manifests: readonly Manifest[]): ReadonlySet<string> {
  const open = new Set<string>(beingWatched(manifests));
  for (const manifest of manifests) {
    const target = CHARTS.test(manifest.group) ? chartsTarget(manifest) : undefined;
    if (target !== undefined) open.add(target);
    const isOperators = !BRINGS_NOTHING.some((group) => group.test(manifest.group)) && !WATCHES.test(manifest.kind);
    if (isOperators && manifest.namespace !== '' && manifest.kind !== 'CustomResourceDefinition')
      open.add(manifest.namespace);
  }
  return open;
}

/** Ports that are there for those who watch, by name. */
const WATCHED = /^(https?-)?metrics$/;

/**
 * Namespaces of which manifests show no workload, and no Service but those by which others are watched: somebody added these to what is installed
 * from elsewhere.
 */
function beingWatched(manifests: readonly Manifest[]): readonly string[] {
  const services = new Map<string, boolean>();
  const filled = new Set<string>();
  for (const { group, kind, namespace, body } of manifests) {
    if (group === 'apps' || group === 'batch' || (group === '' && kind === 'Pod')) filled.add(namespace);
    if (group !== '' || kind !== 'Service') continue;
    const ports = records(record(record(body).spec).ports);
    const isWatching = ports.length > 0 && ports.every(({ name }) => WATCHED.test(text(name)));
    services.set(namespace, (services.get(namespace) ?? true) && isWatching);
  }
  return [...services].filter(([namespace, all]) => all && !filled.has(namespace)).map(([namespace]) => namespace);
}
