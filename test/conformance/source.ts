/**
 * The tests that others hold implementations against, read from the Go module cache: the conformance tests of the Gateway API, and the end-to-end
 * tests of Envoy Gateway. What a test asks and expects is in its Go code, which a small program follows without building it (reader/).
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { moduleFiles } from '../../scripts/go-modules';
import { record, records, text, texts, type Json } from '../../src/model/fields';

/** A helper that a test calls. What is not known of its arguments is `{ unknown: expression }` or `{ call, args }`. */
export interface Call {
  readonly call: string;
  readonly args: readonly unknown[];
  /** What it is called on, where that is a variable. */
  readonly on: unknown;
  /** Names of the subtests around it. */
  readonly within: readonly string[];
  /** Whether it is behind a condition that nobody knows. */
  readonly maybe: boolean;
  readonly line: number;
}

export interface UpstreamTest {
  readonly name: string;
  readonly file: string;
  readonly features: readonly string[];
  /** Files of manifests, the shared ones first. */
  readonly manifests: readonly string[];
  readonly calls: readonly Call[];
}

export interface Source {
  /** `Gateway API 1.6.3`. */
  readonly title: string;
  readonly tests: readonly UpstreamTest[];
}

const GATEWAY_API = 'sigs.k8s.io/gateway-api';
const ENVOY_GATEWAY = 'github.com/envoyproxy/gateway';

function read(modules: Readonly<Record<string, string>>, folders: readonly string[]): readonly Json[] {
  const given = Object.entries(modules).map(([name, folder]) => `${name}=${folder}`);
  const out = execFileSync('go', ['run', '.', ...given, '--', ...folders], {
    cwd: path.join(__dirname, 'reader'),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return out.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Json); // prettier-ignore
}

function testOf(found: Json, folder: string, base: readonly string[]): UpstreamTest {
  const own = texts(found.Manifests).map((file) => path.join(folder, file));
  return {
    name: text(found.ShortName),
    file: text(found.File),
    features: texts(found.Features),
    manifests: [...base, ...own].filter((file) => fs.existsSync(file)),
    calls: records(found.Calls).map((one) => ({
      call: text(one.call),
      args: Array.isArray(one.args) ? one.args : [],
      on: one.on,
      within: texts(one.within),
      maybe: one.maybe === true,
      line: Number(one.line),
    })),
  };
}

/** The conformance tests of a release of the Gateway API, which are a module of their own since 1.5. */
export function gatewayApiTests(version: string): Source {
  const [, minor = 0] = version.split('.').map(Number);
  const folder = minor >= 5 ? moduleFiles(`${GATEWAY_API}/conformance`, version, '') : moduleFiles(GATEWAY_API, version, 'conformance'); // prettier-ignore
  const modules = { [`${GATEWAY_API}/conformance`]: folder, [GATEWAY_API]: moduleFiles(GATEWAY_API, version, '') };
  const inside = (name: string): string => path.join(folder, name);
  const base = { gateway: [inside('base/manifests.yaml')], mesh: [inside('base/manifests.yaml'), inside('mesh/manifests.yaml')] }; // prettier-ignore
  const found = read(modules, [inside('tests'), inside('tests/mesh')]);
  const tests = found.map((one) => testOf(one, folder, texts(one.Features).includes('Mesh') ? base.mesh : base.gateway)); // prettier-ignore
  return { title: `Gateway API ${version.slice(1)}`, tests };
}

/** How the end-to-end tests have Envoy Gateway installed: its own configuration, and the classes. */
export function installationOfTests(version: string): readonly string[] {
  const folder = moduleFiles(ENVOY_GATEWAY, version, 'test/config');
  return ['envoy-gateaway-config/default.yaml', 'gatewayclass.yaml'].map((file) => path.join(folder, file));
}

/** The end-to-end tests of Envoy Gateway, which its module has up to 1.7; `gatewayApi` is the release that they are written for. */
export function envoyGatewayTests(version: string, gatewayApi: string): Source {
  const module = ENVOY_GATEWAY;
  const folder = moduleFiles(module, version, 'test/e2e');
  const modules = { [module]: moduleFiles(module, version, ''), [GATEWAY_API]: moduleFiles(GATEWAY_API, gatewayApi, '') }; // prettier-ignore
  const found = read(modules, [path.join(folder, 'tests')]);
  const base = [path.join(folder, 'base/manifests.yaml')];
  return { title: `Envoy Gateway ${version.slice(1)}`, tests: found.map((one) => testOf(one, folder, base)) };
}

/** A value that a test's code gives, or undefined where nobody knows it. */
export function isUnknown(value: unknown): boolean {
  const { unknown, call } = record(value);
  return unknown !== undefined || call !== undefined;
}
