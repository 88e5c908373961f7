import { record, text } from '../../model/fields';
import { fieldOf, installationsOf } from '../../model/installation';
import type { FieldPath, Manifest } from '../../model/manifest';
import type { CheckContext } from '../context';
import { MESH, ruleMatches, serviceEntries, virtualServices } from '../edge';
import type { Hit, Rule } from '../rule';
import { readersOf } from '../served';
import { podTemplates } from '../workloads';

const WIDE = new Set(['*', '0.0.0.0/0', '::/0']);

export const rule: Rule = {
  id: 'EDGE503',
  name: 'capture-excluded',
  severity: 'warning',
  title: 'Workloads send traffic past their sidecars',
  why: 'Connections that are not captured never meet the sidecar: no route, no policy, no log, and no egress gateway.',
  fix: 'Leave out no more than is needed, and hold the rest with a NetworkPolicy.',
  see: 'https://istio.io/latest/docs/reference/config/annotations/',
  reads: [],
  footguns: ['E04'],
  needsProof: true,
  *check(context) {
    const ports = edgePorts(context);
    for (const capture of [...captures(context)]) yield* judge(context, capture, ports);
    for (const { manifest, membership, runsAsProxy } of context.mesh.workloads.all)
      if (manifest !== undefined && membership === 'sidecar' && runsAsProxy !== undefined)
        yield {
          manifest,
          field: runsAsProxy.field,
          what: `${runsAsProxy.containers.join(' and ')} of ${manifest.name} ${runsAsProxy.containers.length === 1 ? 'runs' : 'run'} as the user or group of the sidecar: nothing is captured of what ${runsAsProxy.containers.length === 1 ? 'it sends' : 'they send'}`,
          why: 'The rules that lead connections to a sidecar let those of its own user and group go, by default 1337.',
          fix: 'Run the application as another user and group.',
        };
  },
};

/** What is captured, as a pod's annotations or the installation say. */
interface Capture {
  readonly manifest: Manifest;
  readonly include: Setting;
  readonly exclude: Setting;
  readonly excludePorts: Setting;
}

interface Setting {
  readonly name: string;
  readonly items: readonly string[];
  readonly field: FieldPath;
  /** Written, with nothing in it. */
  readonly isEmpty: boolean;
}

function setting(name: string, value: unknown, field: FieldPath): Setting {
  const items = (typeof value === 'number' ? `${value}` : text(value)).split(',').map((part) => part.trim());
  return { name, items: items.filter(Boolean), field, isEmpty: value === '' };
}

function* captures(context: CheckContext): Generator<Capture> {
  for (const { manifest, annotations, at } of context.index(podTemplates)) {
    const read = (name: string): Setting => {
      const key = `traffic.sidecar.istio.io/${name}`;
      return setting(name, annotations[key], [...at, 'metadata', 'annotations', key]);
    };
    yield {
      manifest,
      include: read('includeOutboundIPRanges'),
      exclude: read('excludeOutboundIPRanges'),
      excludePorts: read('excludeOutboundPorts'),
    };
  }
  for (const installation of installationsOf(context.manifests)) {
    const proxy = record(installation.global.proxy);
    const read = (name: string): Setting =>
      setting(name, proxy[name], fieldOf(installation, 'global', ['proxy', name]));
    yield {
      manifest: installation.manifest,
      include: read('includeIPRanges'),
      exclude: read('excludeIPRanges'),
      excludePorts: read('excludeOutboundPorts'),
    };
  }
}

function* judge(
  context: CheckContext,
  { manifest, include, exclude, excludePorts }: Capture,
  ports: ReadonlySet<string>,
): Generator<Hit> {
  const all = exclude.items.find((range) => WIDE.has(range));
  if (all) yield { manifest, field: exclude.field, what: `${exclude.name} has ${all}: nothing is captured` };
  const lost = excludePorts.items.filter((port) => ports.has(port) || port === '*');
  if (lost.length > 0)
    yield {
      manifest,
      field: excludePorts.field,
      what: `${excludePorts.name} has ${lost.join(' and ')}, on which hosts outside are called`,
    };
  if (include.isEmpty) yield { manifest, field: include.field, what: `${include.name} is empty: nothing is captured` };
  if (include.items.length === 0 || include.items.some((range) => WIDE.has(range))) return;
  yield {
    manifest,
    field: include.field,
    severity: isHeld(context, manifest) ? 'warning' : 'info',
    what: `${include.name} is ${include.items.join(',')}: whatever else is called goes past the sidecar`,
  };
  if (exclude.items.length > 0)
    yield {
      manifest,
      field: exclude.field,
      severity: 'info',
      what: `${include.name} is ${include.items.join(',')}, and ${exclude.name} takes ${exclude.items.join(',')} off it`,
      why: 'Both count: what is captured is what the first has and the second has not.',
    };
}

/** Ports of the web, and those on which entries declare hosts. */
function edgePorts(context: CheckContext): ReadonlySet<string> {
  const declared = context.index(serviceEntries).flatMap(({ spec }) => (spec.ports ?? []).map(({ number }) => number));
  return new Set([80, 443, ...declared].map(String));
}

/** Whether the mesh is to hold what leaves, or to lead it through a gateway. */
function isHeld(context: CheckContext, manifest: Manifest): boolean {
  return (
    readersOf(context, manifest).some(({ config }) => config.outbound === 'REGISTRY_ONLY') ||
    context
      .index(virtualServices)
      .some(
        (service) =>
          ruleMatches(service).some(({ gateways }) => gateways.includes(MESH)) &&
          service.gateways.some((name) => name !== MESH),
      )
  );
}
