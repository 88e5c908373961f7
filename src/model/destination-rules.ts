import { labelsMatch, number, optionalRecord, record, records, strings, text, texts, type Json } from './fields';
import { HostIndex, resolveShortName } from './hostnames';
import type { MeshConfig } from './mesh-config';
import { compareAge, type Config } from './objects';
import type { Service } from './services';

/** A traffic policy and where it stands, for the explanation. */
export interface Policy {
  readonly policy: Json;
  readonly config: Config;
  /** `spec.trafficPolicy`, `spec.subsets[1].trafficPolicy`. */
  readonly field: string;
}

export interface Subset {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly policy: Policy | undefined;
  readonly config: Config;
  readonly field: string;
}

/** One or several DestinationRules of a host and namespace, merged as istiod merges them. */
export interface DestinationRule {
  readonly host: string;
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>> | undefined;
  readonly exportTo: ReadonlySet<string>;
  readonly policy: Policy | undefined;
  readonly subsets: readonly Subset[];
  readonly from: readonly Config[];
}

const NOWHERE_SAID: ReadonlySet<string> = new Set();

function exportSet(exportTo: readonly string[]): ReadonlySet<string> {
  return exportTo.length === 0 ? NOWHERE_SAID : new Set(exportTo);
}

function parseRule(object: Config, mesh: MeshConfig): DestinationRule {
  const { spec } = object;
  const selector = optionalRecord(spec.workloadSelector);
  const policy = optionalRecord(spec.trafficPolicy);
  return {
    host: resolveShortName(text(spec.host), object.namespace, mesh.clusterDomain),
    namespace: object.namespace,
    selector: selector === undefined ? undefined : strings(selector.matchLabels),
    exportTo: selector === undefined ? exportSet(texts(spec.exportTo)) : new Set(['.']),
    policy: policy === undefined ? undefined : { policy, config: object, field: 'spec.trafficPolicy' },
    subsets: records(spec.subsets).map((subset, index): Subset => {
      const own = optionalRecord(subset.trafficPolicy);
      const field = `spec.subsets[${index}]`;
      return {
        name: text(subset.name),
        labels: strings(subset.labels),
        policy: own === undefined ? undefined : { policy: own, config: object, field: `${field}.trafficPolicy` },
        config: object,
        field,
      };
    }),
    from: [object],
  };
}

/** Positions of subsets by name, the first of each; thousands of objects may have given one rule theirs. */
const positions = new WeakMap<readonly Subset[], ReadonlyMap<string, number>>();
/** So few are found as fast without. */
const FEW = 8;

/** Where a rule has a subset of a name; -1 if it has none. The rule must be whole, as `DestinationRuleIndex` gives it. */
export function subsetIndex(rule: DestinationRule | undefined, name: string): number {
  if (rule === undefined) return -1;
  const { subsets } = rule;
  if (subsets.length <= FEW) return subsets.findIndex((subset) => subset.name === name);
  let byName = positions.get(subsets);
  if (byName === undefined) {
    const made = new Map<string, number>();
    subsets.forEach((subset, index) => {
      if (!made.has(subset.name)) made.set(subset.name, index);
    });
    byName = made;
    positions.set(subsets, byName);
  }
  return byName.get(name) ?? -1;
}

export function subsetOf(rule: DestinationRule | undefined, name: string): Subset | undefined {
  return rule?.subsets[subsetIndex(rule, name)];
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a.size !== b.size) return false;
  for (const item of a) if (!b.has(item)) return false;
  return true;
}

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return Object.keys(a).length === Object.keys(b).length && labelsMatch(a, b);
}

/** An older rule of a host that takes in the subsets of younger ones, and their policy if it has none; thousands may share a host. */
class MergedRule implements DestinationRule {
  public readonly host: string;
  public readonly namespace: string;
  public readonly selector: Readonly<Record<string, string>> | undefined;
  public readonly exportTo: ReadonlySet<string>;
  public policy: Policy | undefined;
  public readonly subsets: Subset[];
  public readonly from: Config[];
  private readonly known: Set<string>;

  /** @param fillsGaps whether a policy of the Gateway API only says what DestinationRules leave out */
  public constructor(
    oldest: DestinationRule,
    private readonly fillsGaps: boolean,
  ) {
    this.host = oldest.host;
    this.namespace = oldest.namespace;
    this.selector = oldest.selector;
    this.exportTo = oldest.exportTo;
    this.policy = oldest.policy;
    this.subsets = [...oldest.subsets];
    this.from = [...oldest.from];
    this.known = new Set(oldest.subsets.map((subset) => subset.name));
  }

  public take(incoming: DestinationRule): this {
    this.policy = this.withPolicyOf(incoming);
    // Subsets that are younger than these of one name give way; those that one rule names twice stay as they are.
    for (const subset of incoming.subsets.filter(({ name }) => !this.known.has(name))) this.subsets.push(subset);
    for (const subset of incoming.subsets) this.known.add(subset.name);
    this.from.push(...incoming.from);
    return this;
  }

  private withPolicyOf(incoming: DestinationRule): Policy | undefined {
    const isOneOfEach = isOfGatewayApi(this) !== isOfGatewayApi(incoming);
    if (!this.fillsGaps || !isOneOfEach || this.policy === undefined || incoming.policy === undefined)
      return this.policy ?? incoming.policy;
    return isOfGatewayApi(this) ? filledUp(incoming.policy, this.policy) : filledUp(this.policy, incoming.policy);
  }
}

const isOfGatewayApi = (rule: DestinationRule): boolean => first(rule).kind !== 'DestinationRule';

/** What one policy says, and where it says nothing the other: of a port as well (mergeBackendPolicyTrafficPolicy of pilot/pkg/model). */
function filledUp(rule: Policy, gaps: Policy): Policy {
  const portOf = (one: Json): number => number(record(one.port).number);
  const [own, others] = [records(rule.policy.portLevelSettings), records(gaps.policy.portLevelSettings)];
  const portLevelSettings = [
    ...own.map((one) => ({ ...others.find((other) => portOf(other) === portOf(one)), ...one })),
    ...others.filter((other) => !own.some((one) => portOf(one) === portOf(other))),
  ];
  const saysTls = [rule.policy, ...own].some(({ tls }) => tls !== undefined);
  return { ...(saysTls ? rule : gaps), policy: { ...gaps.policy, ...rule.policy, portLevelSettings } };
}

function merged(existing: DestinationRule, incoming: DestinationRule, fillsGaps: boolean): DestinationRule {
  return (existing instanceof MergedRule ? existing : new MergedRule(existing, fillsGaps)).take(incoming);
}

type Rules = HostIndex<DestinationRule[]>;

function add(rules: Rules, incoming: DestinationRule, fillsGaps: boolean): void {
  const existing = rules.get(incoming.host);
  if (existing === undefined) {
    rules.set(incoming.host, [incoming]);
    return;
  }
  let separately = true;
  existing.forEach((rule, index) => {
    if (sameSet(incoming.exportTo, rule.exportTo)) separately = false;
    else {
      separately = true;
      const isWider =
        rule.exportTo.size > 0 && [...rule.exportTo].every((namespace) => incoming.exportTo.has(namespace));
      if (!isWider) return;
    }
    const bothSelect = rule.selector !== undefined && incoming.selector !== undefined;
    if (bothSelect && !sameLabels(rule.selector ?? {}, incoming.selector ?? {})) {
      separately = true;
      return;
    }
    if ((rule.selector === undefined && incoming.selector === undefined) || bothSelect) separately = false;
    existing[index] = merged(rule, incoming, fillsGaps);
  });
  if (separately) existing.push(incoming);
}

/** DestinationRules as istiod looks them up: the client's namespace, then the service's, then the root namespace. */
export class DestinationRuleIndex {
  private readonly local = new Map<string, Rules>();
  private readonly exported = new Map<string, Rules>();
  private readonly rootLocal: Rules = new HostIndex();

  public constructor(
    objects: readonly Config[],
    private readonly mesh: MeshConfig,
  ) {
    const rules = objects.map((object) => parseRule(object, mesh));
    rules.sort(
      (a, b) => Number(b.selector !== undefined) - Number(a.selector !== undefined) || compareAge(first(a), first(b)),
    );
    for (const rule of rules) this.insert(rule);
  }

  private insert(rule: DestinationRule): void {
    const { exportTo, namespace } = rule;
    const fillsGaps = this.mesh.istio.prefersDestinationRules;
    if (exportTo.size === 0 || exportTo.has('*') || exportTo.has('.') || exportTo.has(namespace))
      add(rulesOf(this.local, namespace), rule, fillsGaps);
    const isPrivate =
      (exportTo.size === 0 && this.mesh.defaultDestinationRuleExportTo.includes('.')) ||
      (exportTo.size === 1 && (exportTo.has('.') || exportTo.has(namespace)));
    if (!isPrivate) add(rulesOf(this.exported, namespace), rule, fillsGaps);
    else if (namespace === this.mesh.rootNamespace) add(this.rootLocal, rule, fillsGaps);
  }

  /** The candidates for a client in a namespace: more than one only where some select workloads. */
  public find(service: Service, clientNamespace: string): readonly DestinationRule[] {
    const own = clientNamespace === this.mesh.rootNamespace ? this.rootLocal : this.local.get(clientNamespace);
    const local = own?.mostSpecific(service.host);
    if (local !== undefined) return local;
    const fromService = this.exportedFrom(service.namespace, service.host, clientNamespace);
    return fromService.length > 0
      ? fromService
      : this.exportedFrom(this.mesh.rootNamespace, service.host, clientNamespace);
  }

  private exportedFrom(owner: string, host: string, clientNamespace: string): readonly DestinationRule[] {
    const rules = this.exported.get(owner)?.mostSpecific(host) ?? [];
    return rules.filter(
      (rule) => rule.exportTo.size === 0 || rule.exportTo.has('*') || rule.exportTo.has(clientNamespace),
    );
  }
}

function first(rule: DestinationRule): Config {
  return rule.from[0] as Config;
}

function rulesOf(index: Map<string, Rules>, namespace: string): Rules {
  const rules = index.get(namespace) ?? new HostIndex<DestinationRule[]>();
  index.set(namespace, rules);
  return rules;
}

/** Of the candidates, the one that selects the workload, else the one that selects none. */
export function ruleForWorkload(
  candidates: readonly DestinationRule[],
  namespace: string,
  labels: Readonly<Record<string, string>>,
): DestinationRule | undefined {
  let general: DestinationRule | undefined;
  for (const rule of candidates) {
    if (rule.selector === undefined) general = rule;
    else if (rule.namespace === namespace && labelsMatch(rule.selector, labels)) return rule;
  }
  return general;
}

/** What of a traffic policy decides the connection: TLS, load balancing, PROXY protocol, and where each stands. */
export interface EffectivePolicy {
  readonly tls: { readonly settings: Json; readonly config: Config; readonly field: string } | undefined;
  readonly simpleLoadBalancer: string;
}

/** Port-level settings replace the whole policy for their port: what they leave out goes back to the default. */
function forPort(
  policy: Policy | undefined,
  port: number,
): { readonly policy: Policy | undefined; readonly isPortLevel: boolean } {
  if (policy === undefined) return { policy, isPortLevel: false };
  const settings = records(policy.policy.portLevelSettings);
  const index = settings.findIndex((entry) => number(record(entry.port).number) === port);
  const own = settings[index];
  if (own === undefined) return { policy, isPortLevel: false };
  return {
    policy: { policy: own, config: policy.config, field: `${policy.field}.portLevelSettings[${index}]` },
    isPortLevel: true,
  };
}

function tlsOf(policy: Policy | undefined): EffectivePolicy['tls'] {
  const settings = optionalRecord(policy?.policy.tls);
  return policy === undefined || settings === undefined
    ? undefined
    : { settings, config: policy.config, field: `${policy.field}.tls` };
}

function loadBalancerOf(policy: Policy | undefined): Json | undefined {
  return optionalRecord(policy?.policy.loadBalancer);
}

export function effectivePolicy(rule: DestinationRule | undefined, subsetName: string, port: number): EffectivePolicy {
  const base = forPort(rule?.policy, port).policy;
  const subset = subsetName === '' ? undefined : subsetOf(rule, subsetName);
  const own = forPort(subset?.policy, port);
  if (own.policy === undefined) return { tls: tlsOf(base), simpleLoadBalancer: text(loadBalancerOf(base)?.simple) };
  const replaces = own.isPortLevel || base === undefined;
  return {
    tls: tlsOf(own.policy) ?? (replaces ? undefined : tlsOf(base)),
    simpleLoadBalancer: text((loadBalancerOf(own.policy) ?? (replaces ? undefined : loadBalancerOf(base)))?.simple),
  };
}

/**
 * The TLS mode by which istiod decides whether endpoints are told to take mutual TLS. Unlike the policy of the cluster, a
 * port-level setting without TLS falls back to the rule's own, and a subset looks at nothing but itself.
 */
export function endpointTlsMode(
  rule: DestinationRule | undefined,
  subsetName: string,
  port: number,
): string | undefined {
  const policy = subsetName === '' ? rule?.policy : subsetOf(rule, subsetName)?.policy;
  if (policy === undefined) return undefined;
  const settings = records(policy.policy.portLevelSettings).find(
    (entry) => number(record(entry.port).number) === port && optionalRecord(entry.tls) !== undefined,
  );
  const tls = optionalRecord(settings?.tls) ?? optionalRecord(policy.policy.tls);
  return tls === undefined ? undefined : text(tls.mode) || 'DISABLE';
}
