/** Rules that hold, and one change that may open what they forbid: if a random request breaks the rule then, it has to be refuted. */
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { prove, type Verdict } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';
import { trace } from '../../src/trace/index';
import { random } from '../traffic/worlds';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { INVARIANTS, type WorldName } from './invariants';
import * as worlds from './meshes';
import type { World } from './meshes';
import { breaks, refutation } from './refute';

type Body = any;

export interface Judged {
  readonly world: WorldName;
  readonly rule: string;
  readonly how: string;
  /** A random request that breaks the rule, if one was found. */
  readonly broken: unknown;
  readonly verdict: Verdict;
  /** Whether the counterexample, followed by itself, breaks the rule as it is written. */
  readonly confirmed: boolean;
}

const HOLDS = INVARIANTS.filter(([, , said]) => said === 'proved');

/** Ways to open something, each on one object of the kind. */
const OPENINGS: Readonly<Record<string, readonly (readonly [string, (body: Body, objects: Body[]) => void])[]>> = {
  AuthorizationPolicy: [
    ['is gone', (body, objects) => void objects.splice(objects.indexOf(body), 1)],
    ['allows everything', ({ spec }) => Object.assign(spec, { action: 'ALLOW', rules: [{}] })],
    [
      'names other callers',
      ({ spec }) => spec.rules.forEach((rule: Body) => (rule.from = [{ source: { namespaces: ['*'] } }])),
    ],
    ['names other operations', ({ spec }) => spec.rules.forEach((rule: Body) => delete rule.to)],
    [
      'has no paths',
      ({ spec }) =>
        spec.rules.forEach((rule: Body) =>
          rule.to?.forEach(({ operation }: Body) => {
            delete operation.paths;
            delete operation.notPaths;
          }),
        ),
    ],
    [
      'is for nobody',
      ({ spec }) => {
        spec.selector = { matchLabels: { app: 'nobody' } };
        delete spec.targetRefs;
      },
    ],
  ],
  ServiceEntry: [
    ['is for everybody', ({ spec }) => void delete spec.exportTo],
    ['has another port', ({ spec }) => spec.ports.push({ number: 8443, name: 'https-more', protocol: 'HTTPS' })],
  ],
  VirtualService: [
    ['is gone', (body, objects) => void objects.splice(objects.indexOf(body), 1)],
    [
      'has no conditions',
      ({ spec }) =>
        spec.http.forEach((rule: Body) => {
          if (rule.route !== undefined) delete rule.match;
        }),
    ],
    [
      'answers nothing itself',
      ({ spec }) => {
        spec.http = spec.http.filter((rule: Body) => rule.route !== undefined);
      },
    ],
    [
      'has paths by prefix',
      ({ spec }) =>
        spec.http.forEach((rule: Body) =>
          rule.match?.forEach((one: Body) => {
            if (one.uri !== undefined) one.uri = { prefix: '/' };
          }),
        ),
    ],
    [
      'asks for no method',
      ({ spec }) => spec.http.forEach((rule: Body) => rule.match?.forEach((one: Body) => delete one.method)),
    ],
  ],
  DestinationRule: [
    ['is gone', (body, objects) => void objects.splice(objects.indexOf(body), 1)],
    [
      'has no TLS',
      ({ spec }) => {
        if (spec.trafficPolicy !== undefined) spec.trafficPolicy = { tls: { mode: 'DISABLE' } };
      },
    ],
    [
      'verifies nothing',
      ({ spec }) => {
        if (spec.trafficPolicy?.tls !== undefined) spec.trafficPolicy.tls.insecureSkipVerify = true;
      },
    ],
  ],
  PeerAuthentication: [['is permissive', ({ spec }) => Object.assign(spec, { mtls: { mode: 'PERMISSIVE' } })]],
  HTTPRoute: [
    ['has no paths', ({ spec }) => spec.rules.forEach((rule: Body) => delete rule.matches)],
    ['has more hosts', ({ spec }) => spec.hostnames.push('other.example.org')],
    [
      'has another method',
      ({ spec }) => spec.rules.forEach((rule: Body) => rule.matches?.forEach((one: Body) => delete one.method)),
    ],
  ],
  SecurityPolicy: [
    ['is gone', (body, objects) => void objects.splice(objects.indexOf(body), 1)],
    ['allows by default', ({ spec }) => Object.assign(spec.authorization, { defaultAction: 'Allow' })],
  ],
  Gateway: [['takes every host', ({ spec }) => spec.servers?.forEach((server: Body) => (server.hosts = ['*']))]],
};

export function judge(seed: number, requests = 400): Judged {
  const next = random(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
  const [name, rule] = pick(HOLDS);
  const world: World = worlds[name];
  const objects = parseAllDocuments(world.manifests).flatMap((document): Body[] => document.toJS() ?? []);
  const object = pick(objects.filter(({ kind }) => Object.hasOwn(OPENINGS, kind)));
  const isMeshWide = object === undefined || next() < 0.1;
  const [how, open] = isMeshWide ? (['is ALLOW_ANY', () => undefined] as const) : pick(OPENINGS[object.kind] ?? []);
  if (object !== undefined) open(object, objects);
  const opened: World = {
    ...world,
    outbound: isMeshWide ? 'ALLOW_ANY' : world.outbound,
    manifests: objects.map((one) => stringify(one)).join('---\n'),
  };
  const mesh = buildMesh(loadText(opened.manifests).manifests, { outbound: opened.outbound });
  const text = `rules:\n  - name: it\n    ${rule}\n`;
  const broken = refutation(opened, mesh, text, requests, seed + 1);
  const [proof] = prove(mesh, readRules(text).rules);
  if (proof === undefined) throw new Error('there is no proof');
  return {
    world: name,
    rule,
    how: `${isMeshWide ? 'the mesh' : `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`} ${how}`,
    broken,
    verdict: proof.verdict,
    confirmed: proof.counterexample !== null && isConfirmed(world, mesh, text, proof.counterexample),
  };
}

/** By trace alone, without what was proved. */
function isConfirmed(
  { clients }: World,
  mesh: ReturnType<typeof buildMesh>,
  text: string,
  { address, ...given }: NonNullable<ReturnType<typeof prove>[number]['counterexample']>,
): boolean {
  const request = { ...given, ...(address === null ? {} : { address }) };
  const told = trace(mesh, request);
  const [namespace = '', workload] = request.from.split('/');
  const shown = clients.find((one) => one.from === request.from && one.serviceAccount === request.serviceAccount);
  const client = {
    ...shown,
    ...request,
    namespace,
    ...(workload === undefined ? {} : { workload }),
    account: request.serviceAccount ?? shown?.account ?? workload ?? 'default',
  };
  const rule = parse(text).rules[0];
  if ((rule.forbid ?? rule.require).to?.cidrs !== undefined) return told.outcome === 'delivered';
  return breaks(rule, client, request, told);
}
