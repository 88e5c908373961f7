import * as fs from 'node:fs';
import * as path from 'node:path';
import { sh } from './process';

/**
 * The lab's network. All of it is in network namespaces that no name outside refers to, so it goes when the lab's
 * processes go:
 *
 *     the node (the lab process's own): apiserver, istiod, DNS; routes between the others
 *       |-- one namespace a Pod, routed by its own /32
 *       `-- the internet: 203.0.113.0/24
 */
export const NODE_IP = '10.244.0.1';
/** Addresses of the node that stand for Pods: DNS and istiod run beside it, and NetworkPolicies name them by their Pods. */
export const DNS_IP = '10.244.0.2';
export const ISTIOD_IP = '10.244.0.3';
export const SERVICE_RANGE = '10.96.0.0/16';
export const KUBERNETES_SERVICE_IP = '10.96.0.1';
const INTERNET_ROUTER = '203.0.113.1';
/** The Pods' next hop: the node's end of their link, the same address on each. */
const LINK_LOCAL = '169.254.1.1';

/** A command as it runs inside a network namespace. */
export function inNamespace(namespace: string, command: readonly string[]): string[] {
  return ['nsenter', `--net=${namespace}`, '--', ...command];
}

async function addNamespace(file: string): Promise<void> {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, '');
  await sh(['unshare', `--net=${file}`, 'true']);
}

async function removeNamespace(file: string): Promise<void> {
  await sh(['umount', '--lazy', file]);
  fs.rmSync(file, { force: true });
}

const ip = (lines: readonly string[]) => sh(['ip', '-batch', '-'], lines.join('\n'));
const ipIn = (namespace: string, lines: readonly string[]) =>
  sh(inNamespace(namespace, ['ip', '-batch', '-']), lines.join('\n'));

/** Makes the namespace that this process runs in the node: loopback, its addresses, and routing. */
export async function setUpNode(): Promise<void> {
  await ip(['link set lo up', ...[NODE_IP, DNS_IP, ISTIOD_IP].map((address) => `addr add ${address}/32 dev lo`)]);
  fs.writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
}

/** One Pod's network: a namespace with one address and one link to the node. */
export class PodNetwork {
  private static links = 0;

  public static async create(file: string, address: string): Promise<PodNetwork> {
    await addNamespace(file);
    const link = `pod${++PodNetwork.links}`;
    await ip([
      `link add ${link} type veth peer name eth0 netns ${file}`,
      `link set ${link} up`,
      `addr add ${LINK_LOCAL}/32 dev ${link}`,
      `route add ${address}/32 dev ${link}`,
    ]);
    await ipIn(file, [
      'link set lo up',
      `addr add ${address}/32 dev eth0`,
      'link set eth0 up',
      `route add ${LINK_LOCAL} dev eth0`,
      `route add default via ${LINK_LOCAL}`,
    ]);
    // What container runtimes do for every Pod: any user may listen on any port.
    await sh(inNamespace(file, ['sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start']));
    return new PodNetwork(file, address, link);
  }

  private constructor(
    public readonly file: string,
    public readonly address: string,
    private readonly link: string,
  ) {}

  public async destroy(): Promise<void> {
    await ip([`link delete ${this.link}`]);
    await removeNamespace(this.file);
  }
}

/** The internet's namespace, with one address for each of its sites. */
export async function setUpInternet(file: string, addresses: readonly string[]): Promise<void> {
  await addNamespace(file);
  await ip([
    `link add internet type veth peer name eth0 netns ${file}`,
    'link set internet up',
    `addr add ${INTERNET_ROUTER}/24 dev internet`,
  ]);
  await ipIn(file, [
    'link set lo up',
    'link set eth0 up',
    ...addresses.map((address) => `addr add ${address}/24 dev eth0`),
    `route add default via ${INTERNET_ROUTER}`,
  ]);
}

/** Replaces one table of the node's packet filter. */
export async function setTable(name: string, chains: string): Promise<void> {
  await sh(['nft', '-f', '-'], `table ip ${name}\ndelete table ip ${name}\ntable ip ${name} {\n${chains}\n}\n`);
}
