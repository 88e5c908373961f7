import { push } from '../../model/objects';
import { MESH, type VirtualServiceView, nameOf, ruleMatches, virtualServices, fullHost } from '../edge';
import { type Destination, NETWORKING, specOf } from '../istio';
import { type CheckContext, defineIndex } from '../context';
import type { FieldPath, Manifest } from '../../model/manifest';
import { type NamedHost, judgeHost } from '../named-hosts';
import { isHttpOrAuto } from '../../model/protocols';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE210',
  name: 'unknown-destination',
  severity: 'error',
  title: 'An object names a host, port or subset that nothing declares',
  why: 'A route to a host that is in no registry ends in 503, and a DestinationRule for one changes nothing.',
  fix: 'Name a Service or a host of a ServiceEntry.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0101/',
  reads: ['VirtualService', 'DestinationRule'],
  findsAbsence: true,
  footguns: ['V12', 'V17'],
  echoOf: ['EDGE211', 'EDGE213'],
  *check(context) {
    for (const service of context.index(virtualServices)) {
      const { manifest, spec, gateways } = service;
      for (const kind of ['http', 'tls', 'tcp'] as const) {
        for (const [r, { route = [] }] of (spec[kind] ?? []).entries()) {
          const rule = spec.http?.[r];
          const mirrors = kind === 'http' ? [...(rule?.mirrors ?? []).entries()] : [];
          const named = [
            ...route.map(({ destination }, d) => ({ destination, at: ['route', d, 'destination'] })),
            ...(kind === 'http' && rule?.mirror ? [{ destination: rule.mirror, at: ['mirror'] }] : []),
            ...mirrors.map(([m, { destination }]) => ({ destination, at: ['mirrors', m, 'destination'] })),
          ];
          for (const { destination, at } of named) {
            const field: FieldPath = ['spec', kind, r, ...at];
            const hit = shortened(context, destination?.host ?? '', manifest) ?? judgeHost(context, destination?.host ?? '', manifest); // prettier-ignore
            const isMirror = at[0] !== 'route';
            // Sidecars that meet such a route are followed hop by hop, and said to fail there; nobody waits for a mirror's answer.
            if (hit)
              yield {
                manifest,
                field: [...field, 'host'],
                ...hit,
                severity: hit.isElsewhere
                  ? ('info' as const)
                  : hit.isSure
                    ? ('error' as const)
                    : gateways.includes(MESH) && !isMirror
                      ? ('info' as const)
                      : ('warning' as const),
              };
            else if (destination) {
              const isForMesh = isForSidecars(spec[kind]?.[r]?.match, gateways);
              const called = kind === 'http' && isForMesh ? portsCalled(context, service, r) : [];
              yield* partsOf(context, manifest, destination, field, isForMesh, called);
            }
          }
        }
      }
    }
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const host = specOf('DestinationRule', manifest).host ?? '';
      const hit = shortened(context, host, manifest) ?? judgeHost(context, host, manifest);
      const field: FieldPath = ['spec', 'host'];
      if (hit) yield { manifest, field, ...hit, severity: hit.isSure ? ('warning' as const) : ('info' as const) };
    }
  },
};

/** A host without a dot in a route or a DestinationRule is a Service of its namespace; a ServiceEntry's is taken as it is written. */
function shortened(context: CheckContext, host: string, manifest: Manifest): NamedHost | undefined {
  if (host === '' || host.includes('.') || host.includes('*')) return undefined;
  const { services } = context.mesh;
  if (services.named(fullHost(context, host, manifest.namespace)).size > 0) return undefined;
  const [entry] = [...services.named(host).values()].filter(({ registry }) => registry === 'External');
  if (entry === undefined) return undefined;
  return {
    what: `${nameOf(manifest)} names ${JSON.stringify(host)}, which means ${fullHost(context, host, manifest.namespace)}, and not the host ${host} of ${nameOf(entry.config.manifest)}`,
    fix: `Give the host outside a name with a dot, in ${nameOf(entry.config.manifest)} and here.`,
    isSure: true,
  };
}

/** A port or a subset that a host does not have, where manifests show what it has. */
function* partsOf(
  context: CheckContext,
  manifest: Manifest,
  { host = '', port, subset }: Destination,
  field: FieldPath,
  isForMesh: boolean,
  called: readonly number[],
): Generator<Hit> {
  const fqdn = fullHost(context, host, manifest.namespace);
  const declared = [...context.mesh.services.named(fqdn).values()].filter(({ assumed }) => !assumed);
  const { services } = context.mesh;
  const seen = declared.filter((service) => services.isVisible(service, manifest.namespace));
  if (declared.length > 0 && seen.length === 0 && isForMesh && isForOwnSidecars(manifest))
    yield {
      manifest,
      field: [...field, 'host'],
      severity: 'warning',
      what: `${host} is declared in ${[...new Set(declared.map(({ namespace }) => namespace))].join(', ')}, and namespace ${manifest.namespace} does not see it`,
      fix: `Export it to ${manifest.namespace}.`,
    };
  const alias = declared.find(({ resolution }) => resolution === 'ALIAS');
  const lacking = alias === undefined ? [] : called.filter((one) => alias.ports.every((own) => own.port !== one));
  if (alias !== undefined && lacking.length > 0) {
    const isDeclared = services.declaring(alias.externalName).length > 0;
    yield {
      manifest,
      field: [...field, 'host'],
      what: `${host} is an ExternalName Service for ${alias.externalName} without port ${lacking.join(', ')}, and what is called on ${lacking.length === 1 ? 'that' : 'these'} leads nowhere`,
      why: 'istiod makes no cluster for a Service of type ExternalName: sidecars lead to the host that it stands for on ports that the Service has itself, and on any other port to a cluster that is not there, which is a 503.',
      fix: `Write host: ${alias.externalName}${isDeclared ? '' : ', and declare that in a ServiceEntry'}.`,
    };
  }
  const led = alias === undefined ? declared : services.declaring(alias.externalName);
  const ports = led.flatMap((service) => service.ports.map((one) => one.port));
  if (port?.number && ports.length > 0 && !ports.includes(port.number))
    yield {
      manifest,
      field: [...field, 'port', 'number'],
      what: `${alias?.externalName ?? host} has port ${[...new Set(ports)].join(', ')}, and not ${port.number}`,
      fix: 'Write a port of the Service, or of the ServiceEntry.',
    };
  if (!subset) return;
  const rules = context.index(subsetsByHost).get(fqdn) ?? [];
  if (rules.length > 0 && !rules.includes(subset))
    yield {
      manifest,
      field: [...field, 'subset'],
      what: `the DestinationRules for ${host} have ${rules.some(Boolean) ? `subsets ${rules.filter(Boolean).join(', ')}` : 'no subsets'}, and not ${subset}`,
      fix: 'Define the subset in a DestinationRule for the host.',
    };
}

/** Ports on which sidecars read an HTTP rule: its own, those of what it is for, and 80 for a host that nothing declares. */
function portsCalled(context: CheckContext, service: VirtualServiceView, rule: number): readonly number[] {
  const found = ruleMatches(service)
    .filter((one) => one.kind === 'http' && one.rule === rule && one.gateways.includes(MESH))
    .flatMap(({ port }) => {
      if (port !== undefined) return [port];
      const declared = service.hosts.flatMap((host) => context.mesh.services.declaring(fullHost(context, host, service.manifest.namespace))); // prettier-ignore
      const ports = declared.flatMap((one) => one.ports).filter(({ protocol }) => isHttpOrAuto(protocol));
      return declared.length === 0 ? [80] : ports.map((one) => one.port);
    });
  return [...new Set(found)].sort((a, b) => a - b);
}

/** Whether sidecars read a rule: a gateway sees what its own namespace does. */
function isForSidecars(
  matches: readonly { readonly gateways?: readonly string[] }[] = [],
  bound: readonly string[],
): boolean {
  // prettier-ignore
  const own = matches.length === 0 ? [{}] : matches;
  return own.some(({ gateways }) => (gateways !== undefined && gateways.length > 0 ? gateways : bound).includes(MESH));
}

/** Whether the sidecars of the namespace itself see the rules. */
function isForOwnSidecars(manifest: Manifest): boolean {
  const { exportTo = [] } = specOf('VirtualService', manifest);
  return exportTo.length === 0 || exportTo.some((entry) => ['*', '.', manifest.namespace].includes(entry));
}

/** Names of subsets by host; an empty one for each rule, so that a host with rules is told from one without. */
const subsetsByHost = defineIndex('subsets by host', (context): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>();
  for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
    const { host = '', subsets = [] } = specOf('DestinationRule', manifest);
    for (const name of ['', ...subsets.map((subset) => subset.name ?? '')])
      push(found, fullHost(context, host, manifest.namespace), name);
  }
  return found;
});
