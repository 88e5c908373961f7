/** Where the clients of a class may send requests: what is explored to speak of all of them. */
import { Links } from '../diff/links';
import { fromOutside } from '../diff/plan';
import { probesAt, probesFor, type Probe } from '../diff/requests';
import { knows } from '../diff/scopes';
import { isSubsetOf, isWildcard } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import { unclaimedParts } from '../traffic/address-parts';
import type { ClientClass } from '../traffic/clients';
import type { Target } from '../traffic/explore';

const SCHEMES = ['http', 'https', 'tcp'] as const;

export class Targets {
  public readonly hosts: ReadonlySet<string>;
  private readonly links: Links;
  private readonly wildcards: readonly string[];
  private readonly owners = new Map<string, ReadonlySet<string>>();
  private readonly byHost = new Map<string, readonly Target[]>();

  private readonly meshes: readonly Mesh[];

  public constructor(private readonly mesh: Mesh) {
    this.meshes = [mesh];
    this.links = Links.of(mesh);
    this.hosts = new Set([...this.links.hosts()].filter((host) => host !== '*' && !/(^|\.)invalid$/.test(host)));
    this.wildcards = [...this.hosts].filter(isWildcard);
  }

  /**
   * All that a client may ask for; `extra` are wildcards and ports that somebody asks about. Of hosts that `onEvery` is true of, whatever
   * may be spoken on whichever port, declared or not.
   */
  public of(
    client: ClientClass,
    extra: {
      readonly hosts?: readonly string[];
      readonly ports?: readonly number[];
      readonly onEvery?: (host: string) => boolean;
      /** Hosts that objects name and that are left out. */
      readonly isIdle?: (host: string) => boolean;
    } = {},
  ): readonly Target[] {
    if (client.at !== undefined) return this.at(client, client.at, extra.hosts ?? []);
    const own = [...this.hosts]
      .filter((host) => extra.isIdle?.(host) !== true && knows(client, host, [this.mesh]))
      .flatMap((host) => (extra.onEvery?.(host) === true ? this.onEvery(host, extra.ports ?? []) : this.to(host)));
    const others = (extra.hosts ?? []).filter((host) => !this.hosts.has(host) || !knows(client, host, [this.mesh]));
    const ports = [...(extra.ports ?? []), ...(extra.onEvery === undefined ? [] : [this.otherPort])];
    return unique([...own, ...['*', ...others].flatMap((host) => this.unnamed(host, ports))]);
  }

  /** At a gateway: its hosts, one that stands for all others if it takes any, and those that are asked about and only that takes. */
  private at(client: ClientClass, gateway: string, asked: readonly string[]): readonly Target[] {
    const own = fromOutside(client, new Set(), true, [this.links, this.links]);
    const hosts = new Set(own.map(({ host }) => host));
    const covers = (one: string, host: string): boolean => one === host || (isWildcard(one) && one !== '*' && isSubsetOf(host, one)); // prettier-ignore
    const others = asked.filter((host) => host !== '*' && ![...hosts].some((one) => covers(one, host)));
    return unique([
      ...own.map(({ host, probe }) => this.target(host === '*' ? '*.example' : host, probe)),
      ...others.flatMap((host) => probesAt(gateway, host, [this.mesh]).map((probe) => this.target(host, probe))),
    ]);
  }

  /** Whether a namespace of a client has an object about a host, or about one that its routes send to. */
  public isOwned(host: string, { namespaces }: ClientClass): boolean {
    let known = this.owners.get(host);
    if (known === undefined) this.owners.set(host, (known = this.links.ownersOf(host)));
    if (known.size > 0) for (const namespace of namespaces) if (known.has(namespace)) return true;
    return false;
  }

  /** Hosts whose requests may arrive at one of these, by routes, aliases and other names: itself among them. */
  public leadingTo(wanted: readonly string[]): ReadonlySet<string> {
    const related = [...this.hosts].filter((host) =>
      wanted.some((one) => isSubsetOf(host, one) || isSubsetOf(one, host)),
    );
    return this.links.viaAll([...wanted, ...related]);
  }

  /** Whether objects are about a name itself, and not only about a wildcard that covers it. */
  public isNamed(name: string, beside: string): boolean {
    return (
      this.hosts.has(name) ||
      this.wildcards.some((wild) => wild !== beside && isSubsetOf(wild, beside) && isSubsetOf(name, wild))
    );
  }

  private to(host: string): readonly Target[] {
    const known = this.byHost.get(host);
    if (known !== undefined) return known;
    const found = byParts(unique(probesFor(host, [this.mesh]).map((probe) => this.target(host, probe))));
    this.byHost.set(host, found);
    return found;
  }

  /** Ports that objects speak of, and one for all others. */
  public get ports(): readonly number[] {
    const known = new Set([443, ...this.mesh.services.all.flatMap(({ ports }) => ports.map(({ port }) => port))]);
    return [...known, this.otherPort];
  }

  /** Whether proxies send requests for a host on to the address that was dialled. */
  public isDialled(host: string): boolean {
    const services = [...this.mesh.services.named(host).values()];
    return services.some(({ resolution, registry }) => registry === 'External' && resolution === 'PASSTHROUGH');
  }

  /** A port that no object speaks of, which stands for all of those. */
  private get otherPort(): number {
    return this.mesh.remember(this.mesh, 'targets: a port that nobody has', () => {
      const taken = new Set(this.mesh.services.all.flatMap(({ ports }) => ports.map(({ port }) => port)));
      for (const host of this.hosts) for (const { port } of this.to(host)) taken.add(port);
      return [...Array(1000).keys()].map((index) => 9999 - index).find((port) => !taken.has(port)) ?? 9999;
    });
  }

  private onEvery(host: string, ports: readonly number[]): readonly Target[] {
    const declared = this.to(host);
    const [first] = declared;
    if (first === undefined) return [];
    const { address: _, ...plain } = first;
    const all = new Set([...declared.map(({ port }) => port), ...ports, this.otherPort]);
    return [
      ...[...all].flatMap((port) => SCHEMES.map((scheme): Target => ({ ...plain, scheme, port, isUndeclared: true }))),
      // Of two that are alike the last one stays: what is declared.
      ...declared,
    ].filter(({ scheme, isUndeclared }) => isUndeclared !== true || scheme !== 'tcp' || !isWildcard(host));
  }

  private target(host: string, probe: Pick<Probe, 'port' | 'request' | 'target'>): Target {
    const { parts } = probe.target;
    const scheme = probe.request.request.slice(0, probe.request.request.indexOf(':')) as Target['scheme'];
    return {
      scheme,
      host,
      port: probe.port,
      ...(probe.request.address === undefined ? {} : { address: probe.request.address }),
      ...(parts === undefined ? {} : { parts }),
      ...(isWildcard(host) ? { except: (name: string) => this.isNamed(name, host) } : {}),
    };
  }

  private unnamed(host: string, ports: readonly number[]): readonly Target[] {
    const except = isWildcard(host) || host === '*' ? { except: (name: string) => this.isNamed(name, host) } : {};
    const of = (scheme: Target['scheme'], port: number): Target => ({ scheme, host, port, ...except });
    return [
      of('http', 80),
      of('https', 443),
      ...ports
        .filter((port) => port !== 80 && port !== 443)
        .flatMap((port) => [of('http', port), of('https', port)])
        .map((one): Target => (host === '*' ? one : { ...one, isUndeclared: true })),
      ...(host === '*'
        ? [...new Set([443, ...ports])].map((port) => ({ ...of('tcp', port), parts: unclaimedParts(this.meshes) }))
        : []),
    ];
  }
}

function unique(targets: readonly Target[]): readonly Target[] {
  return [
    ...new Map(targets.map((one) => [`${one.scheme} ${one.host} ${one.port} ${one.address ?? ''}`, one])).values(),
  ];
}

/** What is followed at each part of a host's addresses is one target: its classes are those of all the parts. */
function byParts(targets: readonly Target[]): readonly Target[] {
  const found = new Map<string, Target>();
  for (const one of targets) {
    const key = `${one.scheme} ${one.port}`;
    if (one.parts === undefined) {
      found.set(`${key} ${one.address ?? ''}`, one);
      continue;
    }
    const { address: _, ...whole } = one;
    // Who dials the name dials one of them.
    found.set(`${key} `, { ...whole, parts: [...(found.get(`${key} `)?.parts ?? []), ...one.parts] });
  }
  return [...found.values()];
}
