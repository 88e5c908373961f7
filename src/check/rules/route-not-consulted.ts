import type { Service } from '../../model/services';
import { isHttp, isHttpOrAuto } from '../../model/protocols';
import type { CheckContext } from '../context';
import { MESH, type RuleMatch, type VirtualServiceView, nameOf, ruleMatches, virtualServices, fullHost } from '../edge';
import { isSubsetOf } from '../../model/hostnames';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE218',
  name: 'route-not-consulted',
  severity: 'warning',
  title: 'Rules are written for a host whose requests sidecars never try them on',
  why: "A sidecar looks for a VirtualService's http rules among the HTTP ports of the service that has its very host; on port 80 alone it takes them for any host. Its tcp rules are for ports that are not HTTP.",
  fix: 'Declare the host, under its own name, with the HTTP port that clients call; or write tls rules for TLS.',
  see: 'https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/',
  reads: ['VirtualService', 'ServiceEntry'],
  footguns: ['V05'],
  *check(context) {
    const { services } = context.mesh;
    const wild = services.all.filter(({ host }) => host.startsWith('*'));
    for (const view of context.index(virtualServices)) {
      yield* offTcp(context, view);
      const rules = ruleMatches(view).filter(({ kind, gateways }) => kind === 'http' && gateways.includes(MESH));
      for (const written of rules.length === 0 ? [] : view.hosts) {
        const host = fullHost(context, written, view.manifest.namespace);
        if (host.startsWith('*')) continue;
        const own = services.declaring(host);
        const around = own.length > 0 ? [] : wild.filter((service) => isSubsetOf(host, service.host));
        for (const hit of own.length > 0 ? offHttp(view, host, own, rules) : besideWildcard(context, view, host, around, rules)) yield hit; // prettier-ignore
      }
    }
  },
};

/** Whether a rule would be met on plain HTTP that is sent to port 80, where sidecars know rules of any host. */
const isForPort80 = ({ port }: RuleMatch): boolean => port === 80;

/** A host that is declared, and no port of it HTTP. */
function* offHttp(
  { manifest, spec }: VirtualServiceView,
  host: string,
  own: readonly Service[],
  rules: readonly RuleMatch[],
): Generator<Hit> {
  const ports = own.flatMap((service) => service.ports);
  if (ports.length === 0 || own.some(({ resolution }) => resolution === 'ALIAS')) return;
  for (const rule of rules) {
    if (isForPort80(rule) || ports.some(({ protocol, port }) => isHttpOrAuto(protocol) && (rule.port === undefined || rule.port === port))) continue; // prettier-ignore
    const shown = [...new Set(ports.map(({ port, protocol }) => `${port} ${protocol}`))].join(', ');
    const isTls = ports.some(({ protocol }) => protocol === 'HTTPS' || protocol === 'TLS');
    yield {
      manifest,
      field: rule.field,
      what: `http[${rule.rule}] is for ${host}, which ${nameOf((own[0] as Service).config.manifest)} declares with ${shown}${rule.port === undefined ? '' : `, and the rule asks for port ${rule.port}`}`,
      ...(isTls && rule.port === undefined && (spec.tls ?? []).length === 0
        ? {
            fix: 'Write a tls rule with sniHosts for the TLS of applications; or declare an HTTP port that they call in plain text, and originate TLS from there. What an http rule sets, such as a timeout, cannot be set for TLS that passes through.',
          }
        : {}),
    };
    return;
  }
}

/** A rule for TCP on ports that are HTTP, which sidecars lead by routes of HTTP alone, or that none of its hosts has. */
function* offTcp(context: CheckContext, view: VirtualServiceView): Generator<Hit> {
  const rules = ruleMatches(view).filter(({ kind, gateways }) => kind === 'tcp' && gateways.includes(MESH));
  if (rules.length === 0) return;
  const { manifest, hosts } = view;
  const declared = hosts.map((host) => context.mesh.services.declaring(fullHost(context, host, manifest.namespace)));
  const own = declared.flat();
  const ports = own.flatMap((service) => service.ports);
  if (ports.length === 0 || declared.some(({ length }) => length === 0) || own.some(({ resolution }) => resolution === 'ALIAS')) return; // prettier-ignore
  for (const { rule, port: wanted, field } of rules) {
    if (ports.some(({ protocol, port }) => !isHttp(protocol) && (wanted === undefined || wanted === port))) continue;
    const shown = [...new Set(ports.map(({ port, protocol }) => `${port} ${protocol}`))].join(', ');
    const isThere = wanted === undefined || ports.some(({ port }) => port === wanted);
    yield {
      manifest,
      field,
      what: `tcp[${rule}] is for ${hosts.join(', ')}, which ${nameOf((own[0] as Service).config.manifest)} declares with ${shown}${isThere ? '' : `, and the rule asks for port ${wanted}`}`,
      fix: isThere
        ? 'Write an http rule, which sidecars try on the requests of the port.'
        : 'Ask for a port that the host has.',
    };
  }
}

/** A host that only a wildcard declares: off port 80 its HTTP follows the wildcard, and no rule for the host. */
function* besideWildcard(
  { mesh }: CheckContext,
  { manifest }: VirtualServiceView,
  host: string,
  around: readonly Service[],
  rules: readonly RuleMatch[],
): Generator<Hit> {
  const seen = around.filter((service) => mesh.services.isVisible(service, manifest.namespace));
  const ports = seen.flatMap(({ ports: all }) => all.filter(({ protocol }) => isHttpOrAuto(protocol)));
  const [rule] = rules;
  const [service] = seen;
  if (rule === undefined || service === undefined || ports.length === 0 || ports.some(({ port }) => port === 80))
    return;
  if (rules.some(isForPort80)) return;
  yield {
    manifest,
    field: rule.field,
    what: `${host} is declared by ${nameOf(service.config.manifest)} alone, as ${service.host} on port ${[...new Set(ports.map(({ port }) => port))].join(', ')}, and its requests go there past http[${rule.rule}]`,
    fix: `Declare ${host} in a ServiceEntry of its own, with these ports.`,
  };
}
