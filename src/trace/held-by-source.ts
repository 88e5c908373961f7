/** Rules that lead some clients of a host and leave the others where they are: who those are is what such a rule is for. */
import { isSubsetOf } from '../model/hostnames';
import { MESH_GATEWAY, sourceMatches, type VirtualService } from '../model/virtual-services';
import type { ProxyView } from './tcp-routes';
import type { Decision, ObjectRef } from './types';

export interface HeldBySource {
  readonly by: Decision;
  /** `app=payments`, `namespace shop`: whom the rules lead. */
  readonly admits: string;
}

/**
 * The VirtualService whose rules for a host lead clients by their labels or namespace alone, none of which this one has. That others go nowhere
 * is then meant so: letting their whole namespace see the host, or giving the host endpoints, would open what the rule keeps.
 */
export function heldBySource(view: ProxyView, host: string, port: number): HeldBySource | undefined {
  const seen = new Set<VirtualService>(view.scope.listeners.flatMap((listener) => listener.virtualServices));
  for (const service of seen) {
    if (!service.hosts.some((own) => isSubsetOf(host, own))) continue;
    const found = (['http', 'tls', 'tcp'] as const).flatMap((section) => service[section].map((rule) => ({ section, rule }))); // prettier-ignore
    const matches = found.flatMap(({ rule }) => [...rule.matches].filter(isForSidecars(service, port)));
    const isOpen = found.some(({ rule }) => rule.matches.length === 0 && service.gateways.includes(MESH_GATEWAY));
    if (matches.length === 0 || isOpen || matches.some((match) => sourceMatches(match, view.proxy))) continue;
    const [first] = found.filter(({ rule }) => rule.matches.some((match) => matches.some((one) => one === match)));
    const { kind, namespace, name } = service.config;
    const index = first === undefined ? 0 : service[first.section].findIndex((rule) => rule === first.rule);
    return {
      by: { kind, namespace, name, field: `spec.${first?.section ?? 'http'}[${index}].match` },
      admits: [...new Set(matches.map(sourceText))].join(' or '),
    };
  }
  return undefined;
}

/** The VirtualService of it. */
export function ruleOf({ by: { kind, namespace, name } }: HeldBySource): ObjectRef {
  return { kind, namespace, name };
}

interface SourceMatch {
  readonly gateways: readonly string[];
  readonly port: number;
  readonly sourceLabels: Readonly<Record<string, string>>;
  readonly sourceNamespace: string;
}

function isForSidecars({ gateways }: VirtualService, port: number): (match: SourceMatch) => boolean {
  return (match) =>
    (match.gateways.length > 0 ? match.gateways : gateways).includes(MESH_GATEWAY) &&
    (match.port === 0 || match.port === port);
}

function sourceText({ sourceLabels, sourceNamespace }: SourceMatch): string {
  const labels = Object.entries(sourceLabels).map(([key, value]) => `${key}=${value}`);
  return [...(sourceNamespace === '' ? [] : [`namespace ${sourceNamespace}`]), ...labels].join(', ') || 'nobody else';
}
