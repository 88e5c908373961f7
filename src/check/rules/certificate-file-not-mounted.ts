import type { FieldPath, Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { policiesOf } from '../credentials';
import { isHeldTo } from '../destination-rules';
import { MESH, gatewaysByName, nameOf, ruleMatches, selects, virtualServices, fullHost } from '../edge';
import { NETWORKING, specOf } from '../istio';
import { hasFile } from '../proxy-files';
import type { Rule } from '../rule';
import { type PodTemplate, isGatewayPod, podTemplates, podsWith } from '../workloads';

export const rule: Rule = {
  id: 'EDGE322',
  name: 'certificate-file-not-mounted',
  severity: 'warning',
  title: 'A certificate is named by a file that the proxy does not have',
  why: 'The file is read in the container of the proxy, not in that of the application. Without it the proxy never gets the cluster or the listener ready, and what goes there fails with 503.',
  fix: 'Mount the file into the proxy (sidecar.istio.io/userVolume and userVolumeMount, or volumeMounts of the gateway), show the rule to those proxies only that have it (workloadSelector, exportTo), or use credentialName.',
  see: 'https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings',
  reads: ['DestinationRule', 'Gateway'],
  footguns: ['T11'],
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const spec = specOf('DestinationRule', manifest);
      const named = [...policiesOf(spec)].flatMap(({ policy: { tls }, field }) =>
        tls?.mode === 'SIMPLE' || tls?.mode === 'MUTUAL' ? filesOf(tls, [...field, 'tls']) : [],
      );
      if (named.length === 0) continue;
      const readers = readersOf(context, manifest, fullHost(context, spec.host ?? '', manifest.namespace));
      yield* missing(manifest, named, readers);
    }
    for (const { manifest, spec } of context.index(gatewaysByName).values()) {
      const named = (spec.servers ?? []).flatMap(({ tls }, at) =>
        tls && tls.mode !== 'PASSTHROUGH' ? filesOf(tls, ['spec', 'servers', at, 'tls']) : [],
      );
      if (named.length === 0 || Object.keys(spec.selector ?? {}).length === 0) continue;
      const pods = podsWith(context, spec.selector).filter(isGatewayPod);
      yield* missing(manifest, named, pods);
    }
  },
};

interface NamedFile {
  readonly file: string;
  readonly field: FieldPath;
}

const FIELDS = ['clientCertificate', 'serverCertificate', 'privateKey', 'caCertificates', 'caCrl'] as const;

function filesOf(tls: object, at: FieldPath): readonly NamedFile[] {
  const settings = tls as Readonly<Record<string, unknown>>;
  return FIELDS.flatMap((name) => {
    const file = settings[name];
    return typeof file === 'string' && file.startsWith('/') ? [{ file, field: [...at, name] }] : [];
  });
}

/** One finding for an object, with the first file that is missing and all pods that lack one. */
function* missing(manifest: Manifest, named: readonly NamedFile[], pods: readonly PodTemplate[]) {
  const lacking = pods.filter((pod) => named.some(({ file }) => hasFile(pod, file) === false));
  const first = named.find(({ file }) => lacking.some((pod) => hasFile(pod, file) === false));
  if (!first) return;
  const names = lacking.slice(0, 3).map((pod) => nameOf(pod.manifest));
  const more = lacking.length > 3 ? ` and ${lacking.length - 3} more` : '';
  yield {
    manifest,
    field: first.field,
    what: `nothing mounts ${first.file} into the proxy of ${names.join(', ')}${more}, for which it is named`,
  };
}

/** Pods whose proxies make connections by the rule: sidecars that see it, and gateways whose routes lead to its host. */
function readersOf(context: CheckContext, manifest: Manifest, host: string): readonly PodTemplate[] {
  const { mesh } = context;
  return context.index(podTemplates).filter((pod) => {
    const { membership } = mesh.workloads.find(pod.namespace, pod.manifest.name) ?? {};
    if (membership !== 'sidecar' && membership !== 'gateway') return false;
    if (membership === 'gateway' && !leadsTo(context, pod, host)) return false;
    return isHeldTo(context, manifest, host, pod, membership);
  });
}

/** Whether a route on a Gateway of the pod's leads to the host. */
function leadsTo(context: CheckContext, { labels }: PodTemplate, host: string): boolean {
  const gateways = context.index(gatewaysByName);
  return context
    .index(virtualServices)
    .some((service) =>
      ruleMatches(service).some(
        ({ kind, rule: at, gateways: names }) =>
          (service.spec[kind]?.[at]?.route ?? []).some(
            ({ destination }) => fullHost(context, destination?.host ?? '', service.manifest.namespace) === host,
          ) && names.some((name) => name !== MESH && selectsPod(gateways.get(name)?.spec.selector, labels)),
      ),
    );
}

function selectsPod(
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.keys(selector ?? {}).length > 0 && selects(selector, labels);
}
