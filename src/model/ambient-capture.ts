/** What Istio's CNI plugin has ztunnel take of what Pods in ambient mode send and get (cni/pkg/iptables, getPodLevelTrafficOverrides of cni/pkg/nodeagent). */
import { goBoolean, record, text, type Json } from './fields';
import { chartValues } from './installation';
import type { Manifest } from './manifest';

type Annotations = Readonly<Record<string, string>>;

/** On a Pod: only what it sends is taken. What comes in plain text reaches it past ztunnel; what comes through a tunnel does not. */
const BYPASS_INBOUND = 'ambient.istio.io/bypass-inbound-capture';
/** On a Pod, in place of the setting of the plugin. */
const DNS_CAPTURE = 'ambient.istio.io/dns-capture';
export function bypassesInbound(annotations: Annotations): boolean {
  return goBoolean(annotations[BYPASS_INBOUND]) === true;
}

/** Whether ztunnel answers the DNS queries of a Pod. */
export function ztunnelAnswersDns(annotations: Annotations, usual: boolean): boolean {
  return goBoolean(annotations[DNS_CAPTURE]) ?? usual;
}

/** Whether the plugin has ztunnel answer DNS queries, where a Pod does not say: it does unless an installation says otherwise. */
export function capturesDnsInAmbient(manifests: readonly Manifest[]): boolean {
  const said = manifests.flatMap((manifest) => settingsIn(manifest)).find((one) => one !== undefined);
  return said ?? true;
}

const OPERATORS: ReadonlySet<string> = new Set(['IstioOperator', 'IstioCNI', 'Istio']);

function settingsIn(manifest: Manifest): readonly (boolean | undefined)[] {
  const { kind, name } = manifest;
  if (kind === 'ConfigMap')
    return name.startsWith('istio-cni') ? [goBoolean(record(manifest.body.data).AMBIENT_DNS_CAPTURE)] : [];
  const values = OPERATORS.has(kind) ? [record(record(manifest.body.spec).values)] : chartValues(manifest);
  return values.flatMap((one) => [dnsCapture(record(one.ambient)), dnsCapture(record(record(one.cni).ambient))]);
}

function dnsCapture({ dnsCapture: value }: Json): boolean | undefined {
  return value === undefined ? undefined : goBoolean(text(value) || String(value));
}
