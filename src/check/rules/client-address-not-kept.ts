import { record, text } from '../../model/fields';
import { isOnTheInternet } from '../../model/addresses';
import type { FieldPath, Manifest } from '../../model/manifest';
import { proxySettings } from '../../model/proxy-config';
import type { Workload } from '../../model/workloads';
import { type JudgingPolicy, judgingPolicies, targetRefsOf, workloadsOf } from '../authorization';
import type { CheckContext } from '../context';
import { nameOf } from '../edge';
import { type AuthorizationRule, NETWORKING } from '../istio';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE527',
  name: 'client-address-not-kept',
  severity: 'warning',
  title: 'A policy goes by the address of a client that the proxy does not see',
  why: 'Under externalTrafficPolicy Cluster, which is the default, a node that passes a connection on puts its own address in the place of the client’s: an ALLOW lets in nobody, or everybody if its blocks have the nodes, and a DENY denies nobody.',
  fix: 'Write externalTrafficPolicy: Local in the Service of the gateway.',
  see: 'https://istio.io/latest/docs/tasks/security/authorization/authz-ingress/',
  reads: ['AuthorizationPolicy'],
  footguns: ['I12'],
  *check(context) {
    for (const policy of context.index(judgingPolicies)) {
      if (policy.action !== 'ALLOW' && policy.action !== 'DENY') continue;
      const conditions = (policy.spec.rules ?? []).flatMap((rule, r) => conditionsOf(rule, r));
      if (conditions.length === 0) continue;
      const pods = podsOf(context, policy);
      for (const condition of conditions) {
        const hit = atGateways(context, pods, condition) ?? behindGateways(context, pods, condition);
        if (hit === undefined) continue;
        yield { manifest: policy.manifest, field: condition.field, ...hit };
        break;
      }
    }
  },
};

interface Condition {
  readonly field: FieldPath;
  /** As the policy has it. */
  readonly name: string;
  readonly blocks: readonly string[];
  /** Whether it is about the client that proxies tell of, and not about who connects. */
  readonly isRemote: boolean;
}

const FIELDS = ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'] as const;

function conditionsOf({ from = [], when = [] }: AuthorizationRule, r: number): readonly Condition[] {
  return [
    ...from.flatMap(({ source = {} }, f) =>
      FIELDS.map((name) => ({
        field: ['spec', 'rules', r, 'from', f, 'source', name],
        name,
        blocks: source[name] ?? [],
        isRemote: /remote/i.test(name),
      })),
    ),
    ...when.map(({ key = '', values = [], notValues = [] }, w) => ({
      field: ['spec', 'rules', r, 'when', w],
      name: key,
      blocks: key === 'source.ip' || key === 'remote.ip' ? [...values, ...notValues] : [],
      isRemote: key === 'remote.ip',
    })),
  ].filter(({ blocks }) => blocks.length > 0);
}

function podsOf(context: CheckContext, policy: JudgingPolicy): readonly Workload[] {
  const refs = targetRefsOf(policy.spec);
  if (refs.length === 0) return workloadsOf(context, policy);
  return refs.flatMap(({ kind, name = '' }) =>
    kind === 'Gateway'
      ? context.mesh.workloads.selected(policy.manifest.namespace, { 'gateway.networking.k8s.io/gateway-name': name })
      : [],
  );
}

/** Annotations by which a load balancer dials Pods, or says who the client is. */
const KEEPS = /target-type|proxy-protocol|load-balancer-type|load-balancer-internal-pod|\bneg\b|preserve|l7/i;

/** The Services by which clients outside come to Pods. */
function openTo({ mesh }: CheckContext, { namespace, labels }: Workload): readonly Manifest[] {
  return mesh.services
    .selecting(namespace, labels)
    .filter(({ assumed, config: { manifest } }) => !assumed && manifest.kind === 'Service')
    .map(({ config: { manifest } }) => manifest)
    .filter(({ body }) => /^(LoadBalancer|NodePort)$/.test(text(record(record(body).spec).type)));
}

function atGateways(
  context: CheckContext,
  pods: readonly Workload[],
  { name, blocks, isRemote }: Condition,
): Pick<Hit, 'what' | 'fix'> | undefined {
  for (const pod of pods) {
    if (pod.membership !== 'gateway') continue;
    const { proxyProtocol, trustedProxies } = proxySettings(context.mesh, pod);
    if (proxyProtocol || (isRemote && trustedProxies > 0) || isTold(context, pod)) continue;
    const service = openTo(context, pod).find(
      ({ body, annotations }) =>
        text(record(record(body).spec).externalTrafficPolicy) !== 'Local' &&
        !Object.keys(annotations).some((key) => KEEPS.test(key)),
    );
    if (service === undefined) continue;
    return {
      what: `${name} ${blocks.slice(0, 3).join(', ')} is compared with who connects to gateway ${pod.namespace}/${pod.name}, and ${nameOf(service)} has not externalTrafficPolicy Local: that is a node`,
      fix: isRemote
        ? `Write externalTrafficPolicy: Local in ${nameOf(service)}; where proxies before the gateway write X-Forwarded-For, set gatewayTopology.numTrustedProxies to their number.`
        : `Write externalTrafficPolicy: Local in ${nameOf(service)}; where a proxy before the gateway has the connection, compare remoteIpBlocks, with gatewayTopology.numTrustedProxies.`,
    };
  }
  return undefined;
}

/** Whether a filter of one's own may tell the gateway who the client is. */
function isTold({ mesh }: CheckContext, { namespace }: Workload): boolean {
  return mesh
    .of(NETWORKING, 'EnvoyFilter')
    .some(
      (filter) =>
        (filter.namespace === namespace || filter.namespace === mesh.config.rootNamespace) &&
        /proxy_protocol|original_src|use_remote_address|xff/.test(JSON.stringify(filter.body)),
    );
}

/** Pods to which nobody outside connects: addresses of the internet are none of theirs that do. */
function behindGateways(
  context: CheckContext,
  pods: readonly Workload[],
  { name, blocks, isRemote }: Condition,
): Pick<Hit, 'what' | 'why' | 'fix'> | undefined {
  if (isRemote || !blocks.every(isOnTheInternet)) return undefined;
  const inside = pods.filter(({ membership }) => membership === 'sidecar' || membership === 'ztunnel');
  const [pod] = inside;
  if (pod === undefined || inside.length < pods.length || inside.some((one) => openTo(context, one).length > 0))
    return undefined;
  return {
    what: `${name} ${blocks.slice(0, 3).join(', ')} is compared with who connects to ${pod.namespace}/${pod.name}, and clients outside come to it through a gateway, whose address it is`,
    why: 'A proxy of a workload sees who has opened the connection: another Pod, or the gateway in place of its clients. No address outside is among them.',
    fix: 'Write the policy for the Pods of the gateway.',
  };
}
