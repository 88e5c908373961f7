import { IConstruct } from 'constructs';
import { Workloads } from '../mesh/workloads';
import type { EgressGatewayBase } from './egress-gateway';
import { HttpEgress } from './egress-ways';
import { ExternalPort } from './external-port';
import { IExternalService } from './external-service';
import type { TransparentProxy } from './transparent-proxy';
import type { UpstreamSettings } from './upstream-settings';

/** What one rule allows to some workloads: one port of one host. A policy is the sum of what it permits. */
export interface Permission {
  /** The policy, and its rule, for messages. */
  readonly by: IConstruct;
  readonly rule: number;
  readonly from: Workloads;
  readonly service: IExternalService;
  readonly host: string;
  readonly port: ExternalPort;
  /** What the last proxy does with plain HTTP. Said of HTTP ports only. */
  readonly way?: HttpEgress;
  /** The proxy outside the mesh that it is taken through. Never said of HTTP ports. */
  readonly tunnel?: TransparentProxy;
  /** How the last proxy treats the host. One for all that is allowed of a host. */
  readonly upstream?: UpstreamSettings;
  readonly methods: readonly string[];
  readonly paths: readonly string[];
  readonly trustDomain: string;
}

/** What a rule allows by a gateway. */
export interface Grant extends Permission {
  readonly gateway: EgressGatewayBase;
  /** The port of the gateway's Service that the hop goes to. */
  readonly gatewayPort: number;
}

/** The gateway of a permission; none where it leaves from the sidecar. */
export function gatewayOf(permission: Permission): EgressGatewayBase | undefined {
  return (permission as Partial<Grant>).gateway;
}

/** Where a grant was written: both sides of a conflict are named by it. */
export function whereOf({ by, rule }: Pick<Permission, 'by' | 'rule'>): string {
  return `${by.node.path} rules[${rule}]`;
}

/** Tells ways apart: two grants with one key have the gateway do the same. */
export function wayKey(way: HttpEgress | undefined): string {
  return JSON.stringify([way?.mode ?? 'AS_IS', way?.credential?.name, way?.tls]);
}

/** How the last proxy treats a host: said once by any of its rules, it holds for all. */
export function upstreamOf(permissions: Iterable<Permission>): UpstreamSettings | undefined {
  for (const { upstream } of permissions) if (upstream) return upstream;
  return undefined;
}

/** What happens to plain HTTP, in words. */
export function wayWords(way: HttpEgress | undefined, by = 'gateway'): string {
  if (way?.mode === 'SIMPLE') return `as TLS that the ${by} makes`;
  if (way?.mode === 'MUTUAL') return `as mutual TLS with credential ${JSON.stringify(way.credential?.name)}`;
  return 'as it is';
}

/** The grants by a key, in the order in which they came. */
export function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

/** A caller as the gateway knows it: by its certificate. */
export interface CallerSource {
  readonly principals?: string[];
  readonly namespaces?: string[];
}

/** What the gateway sees of a grant's callers. Labels are known to their sidecars only. */
export function sourceOf({ from, trustDomain }: Pick<Permission, 'from' | 'trustDomain'>): CallerSource {
  if (!from.serviceAccounts.length) return { namespaces: [from.namespace] };
  return { principals: from.serviceAccounts.map((name) => `${trustDomain}/ns/${from.namespace}/sa/${name}`) };
}
