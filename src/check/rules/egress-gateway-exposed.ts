import type { ApiGateway } from '../../model/gateway-api';
import { record, records, text } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { nameOf } from '../edge';
import { hostsBehind, hostsBehindApi } from '../egress-gateways';
import type { Hit, Rule } from '../rule';
import { serviceSpec } from '../workloads';

const SERVICE_TYPE = 'networking.istio.io/service-type';

export const rule: Rule = {
  id: 'EDGE610',
  name: 'egress-gateway-exposed',
  severity: 'warning',
  title: 'A gateway for what leaves is open to what is outside',
  why: 'A Service of type LoadBalancer or NodePort gives the gateway an address that can be called from outside the cluster, and whoever calls it may be let out to every host behind it.',
  fix: 'Make the Service of the egress gateway a ClusterIP.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#automated-deployment',
  reads: ['Service', 'Gateway', 'IstioOperator'],
  footguns: ['W08'],
  *check(context) {
    for (const manifest of context.of('', 'Service')) {
      const { type = 'ClusterIP', selector = {} } = serviceSpec(manifest);
      if (!isOpen(type) || Object.keys(selector).length === 0) continue;
      const hosts = hostsBehind(context, selector);
      const isNamed = /egress/.test(`${manifest.name} ${Object.values(selector).join(' ')}`) && isGateway(context, selector, manifest.namespace); // prettier-ignore
      if (hosts.length > 0 || isNamed)
        yield {
          manifest,
          field: ['spec', 'type'],
          what: `${nameOf(manifest)} is of type ${type}, and ${hosts.length > 0 ? `every route of its gateway leads out: ${listed(hosts)}` : 'its pods are those of an egress gateway, by their name'}`,
        };
    }
    for (const manifest of context.of('install.istio.io', 'IstioOperator')) yield* installed(manifest);
    for (const gateway of context.mesh.gatewayApi.gateways) {
      const hit = gateway.controller === 'istio' ? exposed(context, gateway) : undefined;
      if (hit) yield { ...hit, manifest: gateway.config.manifest };
    }
  },
};

/** Whether the pods behind a Service are a gateway's, as far as manifests show. */
function isGateway({ mesh }: CheckContext, selector: Readonly<Record<string, string>>, namespace: string): boolean {
  return mesh.workloads.selected(namespace, selector).some(({ membership }) => membership === 'gateway');
}

const isOpen = (type: unknown): boolean => type === 'LoadBalancer' || type === 'NodePort';

const listed = (hosts: readonly string[]): string =>
  hosts.length > 3 ? `${hosts.slice(0, 3).join(', ')} and ${hosts.length - 3} more` : hosts.join(', ');

/** istioctl makes its egress gateways ClusterIPs if nothing else is asked. */
function* installed(manifest: Manifest): Generator<Hit> {
  const { components } = record(record(manifest.body).spec);
  for (const [at, gateway] of records(record(components).egressGateways).entries()) {
    const { type } = record(record(gateway.k8s).service);
    if (!isOpen(type) || gateway.enabled === false) continue;
    yield {
      manifest,
      field: ['spec', 'components', 'egressGateways', at, 'k8s', 'service', 'type'],
      what: `the Service of egress gateway ${text(gateway.name)} is of type ${text(type)}`,
    };
  }
}

/** Istio makes the Service of a Gateway a LoadBalancer if nothing else is asked. */
function exposed(context: CheckContext, gateway: ApiGateway): Omit<Hit, 'manifest'> | undefined {
  const { annotations, manifest, spec } = gatewayOf(gateway);
  // With addresses, the Service is somebody's own.
  if (records(spec.addresses).length > 0 || parametersSay(context, gateway)) return undefined;
  const infrastructure = record(record(spec.infrastructure).annotations);
  const type = infrastructure[SERVICE_TYPE] ?? annotations[SERVICE_TYPE] ?? 'LoadBalancer';
  if (!isOpen(type)) return undefined;
  const hosts = hostsBehindApi(context, gateway);
  if (hosts.length === 0) return undefined;
  const isWritten = type !== 'LoadBalancer' || SERVICE_TYPE in annotations || SERVICE_TYPE in infrastructure;
  return {
    field: ['metadata', 'annotations'],
    what: `Istio makes the Service of ${nameOf(manifest)} a ${text(type)}${isWritten ? '' : ', as nothing else is asked'}, and every route of it leads out: ${listed(hosts)}`,
    fix: `Annotate the Gateway with ${SERVICE_TYPE}: ClusterIP.`,
  };
}

const gatewayOf = ({ config: { manifest, spec } }: ApiGateway) => ({
  manifest,
  annotations: manifest.annotations,
  spec,
});

/** Whether a ConfigMap of parameters has a say in the Service, or may have one unseen. */
function parametersSay(context: CheckContext, { config: { spec, namespace }, className }: ApiGateway): boolean {
  const reference = record(record(spec.infrastructure).parametersRef);
  const maps = context.of('', 'ConfigMap');
  const found = maps.filter(
    ({ name, namespace: own, labels }) =>
      (name === text(reference.name) && own === namespace) || labels[CLASS_DEFAULTS] === className,
  );
  if (text(reference.name) !== '' && found.length === 0) return true;
  return found.some(({ body }) => /\btype:/.test(text(record(record(body).data).service)));
}

const CLASS_DEFAULTS = 'gateway.istio.io/defaults-for-class';
