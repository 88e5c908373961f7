import * as fs from 'node:fs';
import * as path from 'node:path';
import { type KubeObject } from '../lab/api';
import { oracleBinary } from '../lab/build';
import { readManifests } from '../lab/manifests';
import { Oracle } from '../trace/oracle/process';
import { asNew, refusalsOf } from './admission';
import { AmbientMesh, caller } from './ambient';
import { EnvoyGateway } from './envoy-gateway';
import { committed, eventually, fixture, Mesh } from './mesh';
import { type Beside, type ByRequest } from './rules/confirmation';
import { follow, type Request, sentTo } from './rules/oracle';
import { ACCURACY, type Row, sectionOf, withSection } from './rules/report';
import { confirmedBy } from './rules/table';

const TEST = path.resolve(__dirname, '..');

type Kind = 'bad' | 'good';
const example = (of: string, kind: Kind): readonly KubeObject[] =>
  readManifests([path.join(TEST, kind === 'bad' ? 'invalid' : 'valid', `${of}.yaml`)]);

function whole(of: string, kind: Kind, beside: Beside = []): readonly KubeObject[] {
  const objects = example(of, kind);
  return [...objects, ...(typeof beside === 'function' ? beside(objects) : beside)];
}

const namespace = (name: string, labels: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});

const askOf = ({ ask }: ByRequest, kind: Kind): Request => ('bad' in ask ? ask[kind] : ask);
const inWords = ({ from, url, address, sni }: Request): string =>
  `${from} to ${url}${address === undefined ? '' : ` at ${address}`}${sni === undefined ? '' : ` with SNI ${sni}`}`;

let mesh: Mesh;
let oracle: Oracle;
beforeAll(async () => {
  mesh = await Mesh.open();
  oracle = new Oracle(await oracleBinary());
}, 1_800_000);
afterAll(() => oracle.end());

const rows = {
  admission: [] as Row[],
  request: [] as Row[],
  configuration: [] as Row[],
  lab: [] as Row[],
  ambient: [] as Row[],
};

describe('the bad example is refused in the words of the rule, and the good one is taken', () => {
  it.each(confirmedBy('admission'))('%s', async (of, { says }) => {
    const refusals = (kind: Kind) => refusalsOf(mesh, example(of, kind).map(asNew));
    expect(await refusals('bad')).toEqual([expect.stringContaining(says)]);
    expect(await refusals('good')).toEqual([]);
    rows.admission.push({ of, cells: [`"${says}"`] });
  });
});

describe('the request fails with the bad example as the rule says, and passes with the good one', () => {
  it.each(confirmedBy('request'))('%s', async (of, confirmation) => {
    const see = (kind: Kind) => follow(oracle, whole(of, kind, confirmation.beside), askOf(confirmation, kind));
    const seen = { bad: await see('bad'), good: await see('good') };
    expect(seen).toEqual({ bad: confirmation.bad, good: confirmation.good });
    expect(seen.bad).not.toBe(seen.good);
    const asked = [...new Set([inWords(askOf(confirmation, 'bad')), inWords(askOf(confirmation, 'good'))])];
    rows.request.push({ of, cells: [asked.join(', mended '), seen.bad, seen.good] });
  });
});

describe('what istiod sends differs as the rule says', () => {
  it.each(confirmedBy('configuration'))('%s', async (of, confirmation) => {
    const see = async (kind: Kind) =>
      confirmation.at(await sentTo(oracle, whole(of, kind, confirmation.beside), confirmation.of));
    const seen = { bad: await see('bad'), good: await see('good') };
    expect(seen).toEqual({ bad: confirmation.bad, good: confirmation.good });
    expect(seen.bad).not.toBe(seen.good);
    rows.configuration.push({ of, cells: [`${confirmation.of}: ${confirmation.look}`, seen.bad, seen.good] });
  });
});

describe('the lab shows what the rule says', () => {
  const room = () => [
    ...fixture('rules.yaml'),
    ...committed('external-https-proxy').filter(({ kind }) => kind !== 'ServiceEntry'),
  ];
  let envoyGateway: EnvoyGateway;
  const PODS = [
    ...['app/sleep', 'shop/sleep', 'istio-egress/egress', 'istio-ingress/ingress'],
    ...['web/front-istio', 'web/docs', 'external/squid'],
  ];
  beforeAll(async () => {
    await mesh.lab.apply(room());
    await Promise.all(PODS.map((pod) => mesh.lab.ready(pod)));
    envoyGateway = await EnvoyGateway.install(mesh);
  }, 900_000);
  afterAll(async () => {
    await envoyGateway.remove();
    await mesh.lab.delete(room().filter(({ kind }) => kind !== 'Namespace'));
  });

  it.each(confirmedBy('lab'))('%s', async (of, { look, world, see, bad, good }) => {
    const expected = { bad, good };
    for (const kind of ['bad', 'good'] as const) {
      const objects = (await world?.(example(of, kind), mesh)) ?? [];
      if (world) await mesh.use(objects);
      await eventually(async () => expect(await see(mesh, kind, example(of, kind))).toBe(expected[kind]), 30);
      await mesh.lab.delete(objects);
    }
    await mesh.lab.settle();
    expect(bad).not.toBe(good);
    rows.lab.push({ of, cells: [look, bad, good] });
  });
});

describe('ambient mode shows what the rule says', () => {
  const room = [
    ...['app', 'shop'].map((name) => namespace(name, { 'istio.io/dataplane-mode': 'ambient' })),
    namespace('istio-egress', {}),
    ...['app', 'shop'].flatMap((name) => caller(name, 'caller')),
    ...caller('shop', 'payments'),
  ];
  let ambient: AmbientMesh;
  beforeAll(async () => {
    ambient = await AmbientMesh.open();
    await ambient.mesh.lab.apply(room);
  }, 300_000);
  afterAll(async () => {
    const waypoints = await ambient.mesh.lab.api.list({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway' });
    await ambient.mesh.lab.delete([...waypoints, ...room.filter(({ kind }) => kind !== 'Namespace')]);
    await ambient.clear();
    await ambient.close();
  }, 300_000);

  it.each(confirmedBy('ambient'))('%s', async (of, { look, see, beside, bad, good }) => {
    const expected = { bad, good };
    for (const kind of ['bad', 'good'] as const) {
      const objects = whole(of, kind, beside);
      await ambient.use([...objects, ...room]);
      await eventually(async () => expect(await see(ambient)).toBe(expected[kind]), 30);
      // A waypoint takes seconds to start, and the next example mostly has the same.
      await ambient.mesh.lab.delete(objects.filter((one) => one.kind !== 'Namespace' && one.kind !== 'Gateway'));
    }
    expect(bad).not.toBe(good);
    rows.ambient.push({ of, cells: [look, bad, good] });
  });
});

it('docs/accuracy/rules.md says what was seen', () => {
  const tests = confirmedBy('test').map(([of, { file, test }]) => ({ of, cells: [`${test} (test/mesh/${file})`] }));
  const reasons = confirmedBy('reason').map(([of, { reason }]) => ({ of, cells: [reason] }));
  const seen = ['seen with the bad example', 'seen with the good one'];
  const section = sectionOf([
    {
      title: 'Refused by the API server or its webhooks',
      head: ['what is said to the bad example'],
      rows: rows.admission,
    },
    { title: "By a request, in istiod's own configuration", head: ['request', ...seen], rows: rows.request },
    { title: 'By what istiod sends', head: ['looked at', ...seen], rows: rows.configuration },
    { title: 'In the lab', head: ['looked at', ...seen], rows: rows.lab },
    { title: 'In ambient mode', head: ['looked at', ...seen], rows: rows.ambient },
    { title: 'By another test of the real mesh', head: ['seen'], rows: tests },
    { title: 'Not to be confirmed', head: ['why'], rows: reasons },
  ]);
  const { now, wanted } = withSection(section);
  if (process.env.MESH_EDGE_WRITE) fs.writeFileSync(ACCURACY, wanted);
  else expect(now).toBe(wanted);
});
