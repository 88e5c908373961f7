import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Api, type KubeObject } from './api';
import { type StartDaemon } from './controlplane';
import { DNS_IP, setTable } from './network';
import { persist } from './process';

interface ServiceSpec {
  readonly type?: string;
  readonly clusterIP?: string;
  readonly externalName?: string;
  readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[];
}

interface Slice extends KubeObject {
  readonly endpoints:
    readonly { readonly addresses: readonly string[]; readonly conditions?: { readonly ready?: boolean } }[] | null;
  readonly ports: readonly { readonly name?: string; readonly port: number }[] | null;
}

/** What stands for cluster DNS and kube-proxy: names for Services and sites, and Service addresses that lead to Pods. */
export class Services {
  private services: ReadonlyMap<string, KubeObject> = new Map();
  private slices: ReadonlyMap<string, KubeObject> = new Map();
  private written = '';
  private busy = false;
  private dirty = false;
  private dns: { reload(): void } | undefined;

  public constructor(
    private readonly api: Api,
    private readonly folder: string,
    /** The internet's names, by address. */
    private readonly sites: ReadonlyMap<string, readonly string[]>,
  ) {}

  public async start(start: StartDaemon): Promise<void> {
    const hosts = path.join(this.folder, 'hosts');
    fs.mkdirSync(hosts, { recursive: true });
    const log = path.join(this.folder, 'dnsmasq.pid');
    const named = [...this.sites].filter(([, names]) => names.length > 0);
    const lines = named.map(([address, names]) => `${address} ${names.join(' ')}\n`);
    fs.writeFileSync(path.join(hosts, 'sites'), lines.join(''));
    start('dnsmasq', [
      'dnsmasq',
      '--keep-in-foreground',
      '--no-resolv',
      '--no-hosts',
      '--conf-file=/dev/null',
      // With nobody to ask, a name that is not here does not exist, rather than being refused.
      '--local=/#/',
      '--bind-interfaces',
      `--listen-address=${DNS_IP}`,
      '--local-ttl=2',
      `--addn-hosts=${hosts}`,
      `--pid-file=${log}`,
      '--user=root',
      '--group=root',
    ]);
    this.dns = {
      reload: () => {
        const pid = fs.existsSync(log) ? Number(fs.readFileSync(log, 'utf8')) : 0;
        // While the file is still empty, 0 would be everybody.
        if (pid > 0) process.kill(pid, 'SIGHUP');
      },
    };
    this.services = await this.api.watch({ apiVersion: 'v1', kind: 'Service' }, () => void this.update());
    const slice = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
    this.slices = await this.api.watch(slice, () => void this.update());
    await this.update();
  }

  /** One update at a time, and one more where something changed meanwhile. */
  private async update(): Promise<void> {
    this.dirty = true;
    if (this.busy) return;
    this.busy = true;
    while (this.dirty) {
      this.dirty = false;
      await this.write();
    }
    this.busy = false;
  }

  private async write(): Promise<void> {
    const names: string[] = [];
    const rules: string[] = [];
    for (const service of this.services.values()) {
      const { name, namespace } = service.metadata;
      const spec = service.spec as ServiceSpec;
      const fqdn = `${name}.${namespace}.svc.cluster.local ${name}.${namespace}.svc`;
      for (const address of this.addresses(service)) names.push(`${address} ${fqdn}\n`);
      if (!isClusterIp(spec)) continue;
      for (const { name: port, port: number, protocol = 'TCP' } of spec.ports ?? []) {
        if (protocol !== 'TCP') continue;
        const backends = this.backends(service, port);
        if (backends.length === 0) continue;
        const choice = backends.map((backend, index) => `${index} : ${backend}`).join(', ');
        const to = `dnat ip addr . port to numgen random mod ${backends.length} map { ${choice} }`;
        rules.push(`ip daddr ${spec.clusterIP} tcp dport ${number} ${to}`);
      }
    }
    const content = names.sort().join('');
    const chain = (hook: string) =>
      ` chain ${hook} {\n type nat hook ${hook} priority -100;\n ${rules.join('\n ')}\n }`;
    const table = `${chain('prerouting')}\n${chain('output')}`;
    if (this.written === content + table) return;
    this.written = content + table;
    fs.writeFileSync(path.join(this.folder, 'hosts', 'services'), content);
    this.dns?.reload();
    await persist(() => setTable('services', table));
  }

  private addresses(service: KubeObject): readonly string[] {
    const spec = service.spec as ServiceSpec;
    if (isClusterIp(spec)) return [spec.clusterIP!];
    if (spec.type === 'ExternalName') {
      const names = [...this.sites].filter(([, hosts]) => hosts.includes(spec.externalName ?? ''));
      return names.map(([address]) => address);
    }
    return this.slicesOf(service).flatMap((slice) => readyAddresses(slice));
  }

  private backends(service: KubeObject, port: string | undefined): readonly string[] {
    const all = this.slicesOf(service).flatMap((slice) => {
      const target = slice.ports?.find(({ name }) => (name ?? '') === (port ?? ''))?.port;
      return target === undefined ? [] : readyAddresses(slice).map((address) => `${address} . ${target}`);
    });
    return [...new Set(all)].sort();
  }

  private slicesOf(service: KubeObject): readonly Slice[] {
    return [...this.slices.values()].filter(
      ({ metadata }) =>
        metadata.namespace === service.metadata.namespace &&
        metadata.labels?.['kubernetes.io/service-name'] === service.metadata.name,
    ) as unknown as readonly Slice[];
  }
}

const isClusterIp = ({ clusterIP }: ServiceSpec) => clusterIP !== undefined && clusterIP !== '' && clusterIP !== 'None';

function readyAddresses(slice: Slice): readonly string[] {
  const ready = (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
  return ready.flatMap(({ addresses }) => addresses);
}
