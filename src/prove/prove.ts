/**
 * Decides rules for every request: each class of requests of each client that a rule is about is followed once, and what cannot be
 * decided is never a proof. A counterexample is followed once more before it is told.
 */
import { contains, isAddress } from '../model/addresses';
import { isSubsetOf, isWildcard } from '../model/hostnames';
import { textOfLeftOut } from '../model/left-out';
import type { Mesh } from '../model/mesh';
import { everyName } from '../diff/requests';
import { isOutside } from '../list/outside';
import { Targets } from '../list/targets';
import { RequestError, trace, whyUnknown } from '../trace/index';
import { anyOf, exact, prefix, type Matcher } from '../trace/matcher';
import type { ObjectRef, Trace, TraceRequest } from '../trace/types';
import {
  decidedBy,
  explore,
  pathsOf,
  regionText,
  traceBy,
  withShares,
  type Client,
  type Condition,
  type Target,
} from '../traffic/explore';
import { partsWithin } from '../traffic/address-parts';
import { Budget, MOST_WORK } from '../traffic/budget';
import type { ClientClass } from '../traffic/clients';
import { member } from '../traffic/members';
import { followSpellings } from '../traffic/spellings';
import { supposing } from '../traffic/supposed';
import { otherNames } from '../traffic/sni';
import { universe } from '../traffic/universe';
import { allClients, callersOf } from './clients';
import { violationOf } from './demands';
import { openServices } from '../traffic/open-services';
import { pastWaypoints } from '../traffic/past-waypoints';
import type { Rule, RuleProblem, Where } from './rules';

export type Verdict = 'proved' | 'refuted' | 'undecided' | 'vacuous';

export interface Counterexample {
  readonly from: string;
  readonly request: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly address: string | null;
  /** SNI, where it is another name than the one of the request. */
  readonly sni?: string;
  /** As a line of `trace --requests` has them: tokens signed by their issuers, with these claims. */
  readonly tokens?: TraceRequest['tokens'];
  readonly labels?: Readonly<Record<string, string>>;
  readonly serviceAccount?: string;
  readonly at?: string;
}

export interface Proof {
  readonly name: string;
  readonly verdict: Verdict;
  /** Whether the run passes as far as this rule is concerned. */
  readonly passes: boolean;
  /** Classes of requests that were followed. */
  readonly classes: number;
  readonly counterexample: Counterexample | null;
  readonly trace: Trace | null;
  /** What decided it, in sentences. */
  readonly because: readonly string[];
  /** Objects that let the counterexample through. */
  readonly by: readonly ObjectRef[];
  readonly line: number;
}

export interface ProveOptions {
  readonly onProgress?: (done: number, total: number) => void;
  /** Work for all rules, of which each has an equal share (see `Budget`): a rule that takes more is undecided. */
  readonly work?: number;
}

const MOST_REASONS = 5;

/** Names in rules that nothing in the manifests is about. */
export function unknownNames(mesh: Mesh, rules: readonly Rule[]): readonly RuleProblem[] {
  const known = everyName(mesh);
  const namespaces = new Set(
    mesh.manifests.flatMap(({ kind, name, namespace }) => [namespace, ...(kind === 'Namespace' ? [name] : [])]),
  );
  for (const one of allClients(mesh, [])) for (const namespace of one.namespaces) namespaces.add(namespace);
  return rules.flatMap((rule): readonly RuleProblem[] => {
    const problems: RuleProblem[] = [];
    for (const who of [...rule.from, ...rule.except])
      if ('namespace' in who && who.namespace !== undefined && !namespaces.has(who.namespace))
        problems.push({
          line: rule.line,
          key: `${rule.is}.from`,
          what: `no manifest has anything about namespace "${who.namespace}"`,
        });
    const hosts = hostsOf(rule.to, mesh);
    // A gateway with a server for every host has something about any.
    const isOpen = rule.from.some(({ is }) => is === 'outside');
    const isKnown = (host: string): boolean =>
      [...known].some((one) => (one !== '*' || isOpen) && (isSubsetOf(one, host) || isSubsetOf(host, one)));
    if (hosts !== undefined && !hosts.some(isKnown))
      problems.push({
        line: rule.line,
        key: `${rule.is}.to.hosts`,
        what: `no manifest has anything about ${hosts.map((host) => `"${host}"`).join(' or ')}${notFollowedFor(hosts, mesh)}`,
      });
    return problems;
  });
}

/** The objects about those hosts that no cluster would take, which is why nothing is known of the hosts. */
function notFollowedFor(hosts: readonly string[], { leftOut }: Mesh): string {
  const isAbout = (one: string): boolean => hosts.some((host) => isSubsetOf(one, host) || isSubsetOf(host, one));
  const about = leftOut.filter(({ hosts: own = [], isFollowed }) => isFollowed !== true && own.some(isAbout));
  return about.map((one) => ` (${textOfLeftOut(one)})`).join('');
}

/** The hosts of a rule, those of Services among them. */
function hostsOf({ hosts }: Where, mesh: Mesh): readonly string[] | undefined {
  return hosts?.map((host) => {
    if (!host.startsWith('service:')) return host;
    const [namespace = '', name = ''] = host.slice('service:'.length).split('/');
    return `${name}.${namespace}.svc.${mesh.config.clusterDomain}`;
  });
}

export function prove(
  mesh: Mesh,
  rules: readonly Rule[],
  { onProgress, work = MOST_WORK }: ProveOptions = {},
): readonly Proof[] {
  const targets = new Targets(mesh);
  const classes = allClients(mesh, rules);
  return rules.map((rule, index) => {
    onProgress?.(index, rules.length);
    return new Prover(mesh, rule, targets, new Budget(work / rules.length)).decide(callersOf(rule, classes, mesh));
  });
}

class Prover {
  private readonly hosts: readonly string[] | undefined;
  /** Hosts whose requests may arrive at those of the rule; undefined where it names none. */
  private readonly leading: ReadonlySet<string> | undefined;
  private readonly doubts = new Set<string>();
  private readonly witnesses = new Set<string>();
  /** What a proof does not say. */
  private readonly remarks: string[] = [];
  private followed = 0;
  /** Whether the rule says anything of any request. */
  private isTrueOfSome = false;

  public constructor(
    private readonly mesh: Mesh,
    private readonly rule: Rule,
    private readonly targets: Targets,
    private readonly budget: Budget,
  ) {
    this.hosts = hostsOf(rule.to, mesh);
    this.leading = this.hosts === undefined ? undefined : targets.leadingTo(this.hosts);
  }

  public decide(callers: ReturnType<typeof callersOf>): Proof {
    for (const { client, name } of callers) {
      for (const target of this.reachable(client)) {
        if (this.budget.isSpent) {
          this.doubts.add(`${name} to ${urlOf(target)} and all that comes after it: ${this.budget.why}`);
          break;
        }
        const refuted = this.follow(client.request, target, name);
        if (refuted !== undefined) return refuted;
      }
    }
    this.askOpenServices(callers);
    if (this.isTrueOfSome && this.doubts.size === 0) this.askPods(callers);
    const verdict: Verdict = this.doubts.size > 0 ? 'undecided' : this.isTrueOfSome ? 'proved' : 'vacuous';
    const because =
      verdict === 'undecided'
        ? [...this.doubts].slice(0, MOST_REASONS)
        : verdict === 'vacuous'
          ? [
              callers.length === 0
                ? 'no client is one of those that it is about'
                : this.rule.is === 'forbid'
                  ? 'there is no request of the kind that it forbids'
                  : 'no request of the kind that it is about arrives',
            ]
          : this.witnesses.size + this.remarks.length > 0
            ? [...this.remarks, ...this.witnesses].slice(0, MOST_REASONS)
            : ['no object lets such a request through'];
    return {
      name: this.rule.name,
      verdict,
      passes: verdict === 'proved' || (verdict === 'vacuous' && this.rule.mayBeVacuous),
      classes: this.followed,
      counterexample: null,
      trace: null,
      because,
      by: [],
      line: this.rule.line,
    };
  }

  /** Clients outside come to Services past all Gateways too; that no Gateway leads to one that there is is what a rule about them says. */
  private askOpenServices(callers: ReturnType<typeof callersOf>): void {
    const { from, is, to } = this.rule;
    if (!from.some((who) => who.is === 'outside') || to.outside || to.cidrs !== undefined) return;
    const isService = ({ registry }: { readonly registry: string }): boolean => registry === 'Kubernetes';
    if (is === 'forbid' && callers.length > 0 && this.hosts?.some((host) => this.mesh.services.declaring(host).some(isService)) === true) this.isTrueOfSome = true; // prettier-ignore
    for (const { host, ports, name, how } of openServices(this.mesh)) {
      if (!this.isAsked({ host }) || to.ports?.every((port) => !ports.includes(port)) === true) continue;
      this.doubts.add(`outside to ${host}: Service ${name} ${how}: clients outside come to it past all Gateways, which no request here shows`); // prettier-ignore
    }
  }

  /** What holds of requests by name need not hold of who dials Pods by their own addresses, past the waypoint of their Service. */
  private askPods(callers: ReturnType<typeof callersOf>): void {
    const { to } = this.rule;
    if (to.outside || to.cidrs !== undefined) return;
    const past = pastWaypoints(this.mesh);
    for (const { host, ports, direct, waypoint } of past.services) {
      if (!this.isAsked({ host }) || to.ports?.every((port) => !ports.includes(port)) === true) continue;
      for (const { client, name } of callers) {
        const { serviceAccount, from } = client.request;
        const isWaypoint = serviceAccount === waypoint.name && from.split('/')[0] === waypoint.namespace;
        if (client.at !== undefined || isWaypoint || this.budget.isSpent) continue;
        this.budget.follow();
        const request: TraceRequest = { ...client.request, request: `tcp://${direct.host}:${direct.port}` };
        const told = trace(past.mesh, request);
        const found = violationOf(past.mesh, this.rule, told, request);
        if (told.outcome !== 'delivered' || found.is !== 'violated') continue;
        this.remarks.push(`of requests by name: ${name} may dial the Pods of ${host} by their own addresses, past its waypoint, and ztunnel lets it in`); // prettier-ignore
        break;
      }
    }
  }

  /** Whether nothing leads from a name to the hosts of the rule. An address may be anybody's, and so may a name that nobody has. */
  private isIdle(host: string): boolean {
    if (this.leading === undefined || this.leading.has(host)) return false;
    return !isWildcard(host) && !isAddress(host) && !this.isAsked({ host });
  }

  /** Of workloads without a sidecar only servers of the mesh ask anything: what they send elsewhere no proxy sees. */
  private isBeyond({ isBare }: ClientClass, { host }: Target): boolean {
    if (isBare !== true) return false;
    const isServed = this.mesh.services.declaring(host).some(({ registry, resolution }) => registry === 'Kubernetes' && resolution !== 'ALIAS'); // prettier-ignore
    return this.rule.to.outside || !isServed;
  }

  private reachable(client: ClientClass): readonly Target[] {
    const { to } = this.rule;
    const wanted = this.targets
      .of(client, {
        hosts: this.hosts,
        ports: to.ports,
        onEvery: (host) => this.isAsked({ host }),
        isIdle: (host) => this.isIdle(host),
      })
      .filter(({ port }) => to.ports === undefined || to.ports.includes(port))
      .filter(({ scheme }) => to.protocols === undefined || to.protocols.includes(scheme));
    const parts = to.cidrs?.flatMap((cidr) => partsWithin(cidr, this.mesh)) ?? [];
    const dialled = parts.flatMap(({ address }) =>
      (to.ports ?? this.targets.ports).map((port): Target => ({ scheme: 'tcp', host: address, port, address })),
    );
    // Where a proxy sends on to whatever address was dialled, a name that may be asked for leads to any of them.
    const asked = parts.flatMap(({ address }) =>
      wanted
        .filter(({ host, scheme }) => scheme !== 'tcp' && this.targets.isDialled(host))
        .map(({ parts: _, ...one }): Target => ({ ...one, address })),
    );
    // Whoever asks for one name may say another in its TLS.
    const names = wanted.filter((one) => this.isAsked(one)).flatMap((one) => otherNames(one, [this.mesh], client.at));
    return [...wanted, ...names, ...dialled, ...asked].filter((one) => !this.isBeyond(client, one));
  }

  private follow(client: Client, target: Target, name: string): Proof | undefined {
    let { refuted, asked } = this.followOne(client, target, name);
    if (refuted !== undefined) return refuted;
    followSpellings(target, [this.mesh], client, asked, (shorter) => {
      if (refuted === undefined) ({ refuted, asked } = this.followOne(client, shorter, name));
      return asked;
    });
    return refuted;
  }

  /** @returns also what was asked about the Host */
  private followOne(
    client: Client,
    target: Target,
    name: string,
  ): { readonly refuted: Proof | undefined; readonly asked: readonly Matcher[] } {
    let refuted: Proof | undefined;
    const asked: Matcher[] = [];
    withShares(
      (prefers) => {
        if (refuted !== undefined) return [];
        let explored;
        try {
          explored = explore(this.mesh, client, target, { prefers, budget: this.budget });
          // What no manifest tells may be no matter: refused whatever it is, or let through to somewhere else.
          if (explored.classes.some(({ trace: told }) => told.outcome === 'unknown'))
            explored = explore(this.mesh, client, target, { prefers, budget: this.budget, supposes: true });
        } catch (error) {
          if (!(error instanceof RequestError)) throw error;
          this.doubts.add(`${name} to ${target.host}: ${error.message}`);
          return [];
        }
        refuted = this.judge(explored, client, target, name, prefers);
        asked.push(...explored.hostAsked);
        return explored.offered;
      },
      (why) => this.doubts.add(`${name} to ${urlOf(target)}: ${why}`),
    );
    return { refuted, asked };
  }

  private judge(
    explored: ReturnType<typeof explore>,
    client: Client,
    target: Target,
    name: string,
    prefers: ReadonlySet<string>,
  ): Proof | undefined {
    for (const { what, why, region } of explored.undecided)
      if (this.isAsked(target) && this.narrowed(region, target, client) !== 'none')
        this.doubts.add(`${name} to ${urlOf(target)}, ${what}: ${why}`);
    for (const { region, witness, trace: told, open } of explored.classes) {
      this.followed += 1;
      // Where what leads there ends in what nobody knows, it may arrive.
      const mayArrive = told.outcome === 'unknown' && this.leading?.has(target.host) === true;
      if (!this.isAsked(target) && !this.arrivesThere(told) && !mayArrive) continue;
      if (this.rule.to.cidrs !== undefined && !this.isInBlocks(witness.address, told)) continue;
      const within = this.narrowed(region, target, client);
      if (within === 'none') continue;
      if (within === 'undecided') {
        this.doubts.add(
          `${name} to ${urlOf(target)}, ${regionText(region)}: whether a request of the rule is among these is not decided`,
        );
        continue;
      }
      const request = requestWith(witness, within);
      const supposed = supposing(region);
      const again = traceBy(this.mesh, request, prefers, supposed);
      // That nothing comes of what nobody ever declared tells of no intent.
      if (this.rule.is === 'forbid' && target.isUndeclared !== true) this.isTrueOfSome = true;
      if (again.outcome === 'delivered' && this.isExcepted(again)) continue;
      if (again.outcome === 'unknown') {
        this.doubts.add(`${name} to ${request.request}: ${whyUnknown(again)}`);
        continue;
      }
      if (this.rule.to.outside && again.outcome === 'delivered' && !isOutside(this.mesh, again)) continue;
      const found = violationOf(this.mesh, this.rule, again, request);
      if (found.is === 'undecided') this.doubts.add(`${name} to ${request.request}: ${found.why}`);
      if (found.is === 'violated' && supposed !== undefined) {
        const asItIs = traceBy(this.mesh, request, prefers);
        if (asItIs.outcome === 'unknown') {
          this.doubts.add(`${name} to ${request.request}: ${whyUnknown(asItIs)}`);
          continue;
        }
      }
      if (found.is === 'violated')
        return this.refuted(
          name,
          request,
          again,
          prefers.size === 0
            ? found.why
            : `${found.why} (a share of these requests, or copies: ${[...prefers].join(', ')})`,
        );
      if (found.is === 'kept' && target.isUndeclared !== true) this.isTrueOfSome = true;
      for (const why of open) this.doubts.add(`${name} to ${urlOf(target)}, ${regionText(region)}: ${why}`);
      for (const one of decidedBy(again))
        this.witnesses.add(`${one.kind} ${one.namespace}/${one.name} decides ${urlOf(target)}`);
    }
    return undefined;
  }

  private refuted(name: string, request: TraceRequest, told: Trace, why: string): Proof {
    const by = decidedBy(told);
    return {
      name: this.rule.name,
      verdict: 'refuted',
      passes: false,
      classes: this.followed,
      counterexample: {
        from: request.from,
        request: request.request,
        method: request.method ?? 'GET',
        headers: request.headers ?? {},
        address: request.address ?? null,
        ...(request.sni === undefined ? {} : { sni: request.sni }),
        ...(request.tokens === undefined ? {} : { tokens: request.tokens }),
        ...(request.labels === undefined ? {} : { labels: request.labels }),
        ...(request.serviceAccount === undefined ? {} : { serviceAccount: request.serviceAccount }),
        ...(request.at === undefined ? {} : { at: request.at }),
      },
      trace: told,
      because: [
        `${name} to ${request.request} ${why}`,
        ...by.map((one) => `by ${one.kind} ${one.namespace}/${one.name}`),
      ],
      by,
      line: this.rule.line,
    };
  }

  /** Whether the rule is about what is asked for. */
  private isAsked({ host: named, shortFor: host = named }: Pick<Target, 'host' | 'shortFor'>): boolean {
    return (
      this.hosts === undefined ||
      this.hosts.some(
        (wanted) =>
          isSubsetOf(host, wanted) ||
          (isWildcard(host) && host !== '*' && isSubsetOf(wanted, host) && !this.targets.isNamed(wanted, host)),
      )
    );
  }

  /** Whether it ends where the rule says that it is no matter. */
  private isExcepted({ destination }: Trace): boolean {
    return destination !== null && this.rule.to.except.some((one) => isSubsetOf(destination.host, one));
  }

  /** Whether it is about where a request ends, whatever was asked for. */
  private arrivesThere({ destination }: Trace): boolean {
    return destination !== null && (this.hosts?.some((wanted) => isSubsetOf(destination.host, wanted)) ?? true);
  }

  private isInBlocks(address: string | undefined, { hops }: Trace): boolean {
    const endpoints = (hops[hops.length - 1]?.envoy.endpoints ?? []).map((one) => one.replace(/:\d+$/, ''));
    const ends = endpoints.length > 0 ? endpoints : address === undefined ? [] : [address];
    return this.rule.to.cidrs?.some((cidr) => ends.some((one) => contains(cidr, one))) ?? true;
  }

  /** Texts that make a request of a class one of the rule; `none` if no request of the class is. */
  private narrowed(region: readonly Condition[], target: Target, client: Client): 'none' | 'undecided' | Narrowing {
    const { methods, paths } = this.rule.to;
    const isHttp = target.scheme === 'http' || target.scheme === 'https';
    const found: { path?: string; method?: string; host?: string } = {};
    if ((methods !== undefined || paths !== undefined) && !isHttp) return {}; // what is inside is anything that the client likes
    const ask = (kind: 'path' | 'method' | 'host', wanted: Matcher): 'none' | 'undecided' | undefined => {
      const own = region.filter(({ dimension }) => dimension.kind === kind);
      const one = member(
        [...own, { matcher: wanted, holds: true, whenAbsent: false }],
        universe({ kind, name: '' }, target, pathsOf([this.mesh], client, target)),
      );
      if (one.is !== 'member') return one.is === 'none' ? 'none' : 'undecided';
      found[kind] = one.text;
      return undefined;
    };
    const answers = [
      methods === undefined ? undefined : ask('method', anyOf(...methods.map((one) => exact(one)))),
      paths === undefined
        ? undefined
        : ask('path', anyOf(...paths.map((one) => (one.endsWith('*') ? prefix(one.slice(0, -1)) : exact(one))))),
    ];
    if (answers.includes('none')) return 'none';
    if (answers.includes('undecided')) return 'undecided';
    // Below a wildcard that an object has, a rule may be about a single name.
    const single = isWildcard(target.host)
      ? this.hosts?.find((one) => !isWildcard(one) && isSubsetOf(one, target.host))
      : undefined;
    return single === undefined ? found : { ...found, host: single };
  }
}

interface Narrowing {
  readonly path?: string;
  readonly method?: string;
  readonly host?: string;
}

function requestWith(witness: TraceRequest, { path, method, host }: Narrowing): TraceRequest {
  const [, scheme = '', authority = '', rest = ''] = /^(\w+:\/\/)([^/?]+)(.*)$/s.exec(witness.request) ?? [];
  const query = rest.includes('?') ? rest.slice(rest.indexOf('?')) : '';
  const port = /:\d+$/.exec(authority)?.[0] ?? '';
  return {
    ...witness,
    request: `${scheme}${host === undefined ? authority : `${host}${port}`}${path === undefined ? rest : `${path}${query}`}`,
    ...(method === undefined || (method === 'GET' && witness.method === undefined) ? {} : { method }),
  };
}

function urlOf({ scheme, host, port }: Target): string {
  return `${scheme}://${host === '*' ? '(any other host)' : host}:${port}`;
}
