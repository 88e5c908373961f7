/**
 * What Istio's own simulation tests ask and expect. The tests themselves tell: they are taken from the Go module cache, two lines of
 * theirs are made to write down each case (`dump_test.go`), and they run. Nothing of theirs is kept in this repository.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { build, go, GO_FLAGS, moduleFolder, type Part } from '../lab/build';
import { partFolder } from '../lab/cache';
import { istioModule, VERSIONS } from '../lab/versions';

export interface SimulatedResult {
  readonly Error: string;
  readonly Listener: string;
  readonly FilterChain: string;
  readonly RouteConfig: string;
  readonly VirtualHost: string;
  readonly Cluster: string;
}

export interface SimulatedCall {
  readonly Name: string;
  readonly Address: string;
  readonly Port: number;
  readonly Path: string;
  readonly Protocol: 'http' | 'http2' | 'tcp';
  readonly TLS: 'plaintext' | 'tls' | 'mtls';
  readonly Alpn: string;
  readonly Host: string;
  readonly Sni: string;
  readonly Mode: '' | 'gateway' | 'outbound' | 'inbound';
  /** Why Istio's test knows its own result to be wrong; empty if it does not. */
  readonly Skip: string;
  /** What the test asserts: empty fields are not. */
  readonly Expected: SimulatedResult;
  readonly Actual: SimulatedResult;
}

/** One mesh, with the calls of one proxy or the clusters of its virtual hosts. */
export interface SimulatedCase {
  readonly Test: string;
  readonly Config: string;
  readonly Kube: string;
  readonly Mesh: string;
  readonly Type: 'sidecar' | 'router';
  readonly Namespace: string;
  /** The namespace whose configuration the proxy gets, where that is not its own. */
  readonly Scope: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Addresses: readonly string[];
  readonly Calls: readonly SimulatedCall[] | null;
  readonly Route: string;
  readonly Hosts: Readonly<Record<string, readonly string[] | null>> | null;
}

const PACKAGE = 'pilot/pkg/networking/core';
const TESTS = ['gateway', 'sidecar', 'serviceentry', 'peer_authentication'];

/** Where each test is made to tell its case. */
const PATCHES: Readonly<Record<string, readonly [string, string]>> = {
  gateway: [
    'sim := simulation.NewSimulation(t, s, s.SetupProxy(proxy))\n',
    'proxy := s.SetupProxy(proxy)\n\t\tsim := simulation.NewSimulation(t, s, proxy)\n' +
      '\t\tdumpSimulation(t, proxy, o, tt.config, tt.kubeConfig, sim, tt.calls)\n',
  ],
  sidecar: [
    'gotHosts := xdstest.ExtractVirtualHosts(vh)\n',
    'dumpRoutes(t, s.SetupProxy(tt.proxy), cfg, tt.routeName, exp)\n\t\t\t\t\tgotHosts := xdstest.ExtractVirtualHosts(vh)\n',
  ],
};

async function tell(folder: string): Promise<void> {
  const source = path.join(moduleFolder('istio.io/istio', istioModule(VERSIONS.istio).version), PACKAGE);
  const wrapper = path.join(folder, 'wrapper');
  fs.mkdirSync(wrapper);
  for (const name of ['go.mod', 'go.sum'])
    fs.writeFileSync(path.join(wrapper, name), fs.readFileSync(path.resolve(__dirname, '../oracle', name)));
  fs.copyFileSync(path.join(__dirname, 'dump_test.go'), path.join(wrapper, 'dump_test.go'));
  for (const name of TESTS) {
    let text = fs.readFileSync(path.join(source, `${name}_simulation_test.go`), 'utf8');
    const [before, after] = PATCHES[name] ?? ['', ''];
    if (text.split(before).length !== 2 && before !== '')
      throw new Error(`${name}_simulation_test.go is not as it was: no single "${before.trim()}"`);
    text = before === '' ? text : text.replace(before, after);
    fs.writeFileSync(path.join(wrapper, `${name}_test.go`), text);
  }
  const dump = path.join(folder, 'cases.jsonl');
  await go(['test', '-mod=mod', '-count=1', ...GO_FLAGS, '.'], wrapper, { MESH_EDGE_DUMP: dump });
  fs.rmSync(wrapper, { recursive: true });
}

function part(): Part {
  const hash = createHash('sha256');
  for (const name of ['dump_test.go', 'cases.ts']) hash.update(fs.readFileSync(path.join(__dirname, name)));
  return {
    name: "Istio's simulation tests",
    id: `simulations-${VERSIONS.istio}-${hash.digest('hex').slice(0, 12)}`,
    fill: tell,
  };
}

/** All cases, told by the tests on first use and kept in the cache. */
export async function simulatedCases(say?: (line: string) => void): Promise<readonly SimulatedCase[]> {
  const own = part();
  await build([own], say);
  const lines = fs
    .readFileSync(path.join(partFolder(own.id), 'cases.jsonl'), 'utf8')
    .trim()
    .split('\n');
  // Tests that run side by side tell their cases in any order.
  return lines.map((line) => JSON.parse(line) as SimulatedCase).sort((a, b) => (a.Test < b.Test ? -1 : 1));
}
