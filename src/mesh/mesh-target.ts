import { ApiObject } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import { NEEDS, RELEASES, SERVED, SETS } from '../../imports/releases';
import { formatProblem, Problem } from '../core/problem';

/** The releases that manifests are written for. */
export interface MeshTargetProps {
  /**
   * Istio's, such as `1.30`.
   *
   * @default the newest that is known
   */
  readonly istio?: string;

  /**
   * That of the Gateway API: `1.4` for the standard channel of its CRDs, `1.4/experimental` for the other.
   *
   * @default the newest that is known, of the standard channel
   */
  readonly gatewayApi?: string;

  /**
   * Envoy Gateway's, such as `1.8`.
   *
   * @default the newest that is known
   */
  readonly envoyGateway?: string;

  /**
   * That of Kubernetes, such as `1.34`.
   *
   * @default the newest that is known
   */
  readonly kubernetes?: string;
}

const CONTEXT = 'cdk8s-mesh-edge/target';
const EXPERIMENTAL = '/experimental';

/**
 * The releases that a cluster runs. Objects are rendered in the versions that these serve, and what they do not have is refused at
 * synth, with the release that it needs. Give it to an `EdgeApp`, or to a part of any app by `applyTo`.
 */
export class MeshTarget {
  /**
   * What the objects of a construct are written for: that of the nearest construct around it that has one, else the newest.
   *
   * @param scope the construct
   */
  public static of(scope: IConstruct): MeshTarget {
    const said = scope.node.tryGetContext(CONTEXT) as MeshTargetProps | undefined;
    return said === undefined ? MeshTarget.newest() : new MeshTarget(said);
  }

  /** The newest release of each that is known. */
  public static newest(): MeshTarget {
    return new MeshTarget();
  }

  /** Istio's release. */
  public readonly istio: string;

  /** That of the Gateway API, with `/experimental` for the experimental channel. */
  public readonly gatewayApi: string;

  /** Envoy Gateway's release. */
  public readonly envoyGateway: string;

  /** That of Kubernetes. */
  public readonly kubernetes: string;

  /** @throws if a release is none that is known */
  public constructor(props: MeshTargetProps = {}) {
    this.istio = known('istio', props.istio);
    this.gatewayApi = known('gatewayApi', props.gatewayApi);
    this.envoyGateway = known('envoyGateway', props.envoyGateway);
    this.kubernetes = known('kubernetes', props.kubernetes);
  }

  /**
   * Has everything in a part of an app written for these releases.
   *
   * @param scope the app, a chart or another construct, before anything is put into it
   */
  public applyTo(scope: Construct): void {
    const { istio, gatewayApi, envoyGateway, kubernetes } = this;
    scope.node.setContext(CONTEXT, { istio, gatewayApi, envoyGateway, kubernetes });
    scope.node.addValidation({
      validate: () =>
        scope.node
          .findAll()
          .filter((node): node is ApiObject => ApiObject.isApiObject(node) && !isChecked(node))
          .flatMap((object) =>
            targetProblems(object).map((problem) => `${object.node.path} ${formatProblem(problem)}`),
          ),
    });
  }
}

/**
 * The version of a kind that a target serves: the one of the bindings if it does, else the most stable other one.
 *
 * @internal
 */
export function servedVersion(scope: IConstruct, apiVersion: string, kind: string): string {
  const [group, version] = parts(apiVersion);
  const component = componentOf(group);
  const versions = SERVED[`${group}/${kind}`];
  if (component === undefined || versions === undefined) return apiVersion;
  const release = MeshTarget.of(scope)[component];
  const serves = (one: string): boolean => SETS[versions[one] ?? -1]?.includes(release) === true;
  if (serves(version)) return apiVersion;
  const other = Object.keys(versions)
    .sort((a, b) => stability(b) - stability(a))
    .find(serves);
  return other === undefined ? apiVersion : `${group}/${other}`;
}

/** v1 before v1beta1 before v1alpha3 before v1alpha2. */
function stability(version: string): number {
  const [, major = '0', stage = 'stable', minor = '0'] = /^v(\d+)(alpha|beta)?(\d+)?$/.exec(version) ?? [];
  return (
    Number(major) * 1000 + { stable: 900, beta: 400, alpha: 0 }[stage as 'stable' | 'beta' | 'alpha'] + Number(minor)
  );
}

type Component = 'istio' | 'gatewayApi' | 'envoyGateway';

const TITLE: Readonly<Record<Component, string>> = {
  istio: 'Istio',
  gatewayApi: 'Gateway API',
  envoyGateway: 'Envoy Gateway',
};

/** Objects of this package's own constructs are checked where they are made. */
function isChecked(object: ApiObject): boolean {
  return '_asked' in object;
}

/**
 * What of an object the releases lack that it is written for.
 *
 * @internal
 */
export function targetProblems(object: ApiObject): Problem[] {
  const [group, version] = parts(object.apiVersion);
  const component = componentOf(group);
  const versions = SERVED[`${group}/${object.kind}`];
  if (component === undefined || versions === undefined || versions[version] === undefined) return [];
  const release = MeshTarget.of(object)[component];
  const serving = SETS[versions[version]];
  if (!serving.includes(release))
    return [lacking(`is a ${object.kind} ${version}`, component, release, serving, 'the API server refuses it')];
  const needs = Object.entries(NEEDS[`${group}/${version}/${object.kind}`] ?? {}).filter(([, at]) => !SETS[at].includes(release)); // prettier-ignore
  if (needs.length === 0) return [];
  const missing = new Map(needs);
  const found = new Map<string, Problem>();
  walk(record(object.toJson()).spec, 'spec', 'spec', (place, path) => {
    const at = missing.get(path);
    if (at === undefined) return false;
    const [field, value] = split(path, place);
    const happens = value === undefined ? 'the API server drops the field' : 'the API server refuses the object';
    found.set(
      place,
      lacking(`has ${field}${value === undefined ? '' : `: ${value}`}`, component, release, SETS[at], happens),
    );
    return true;
  });
  return [...found.values()];
}

/** `[spec.rules[0].filters[0].type, CORS]` of a path with a value. */
function split(path: string, place: string): [string, string | undefined] {
  const at = path.indexOf('=');
  return at < 0 ? [place, undefined] : [place.slice(0, place.lastIndexOf('=')), path.slice(at + 1)];
}

function lacking(
  what: string,
  component: Component,
  release: string,
  having: readonly string[],
  happens: string,
): Problem {
  const names = RELEASES[component];
  const isExperimental = release.endsWith(EXPERIMENTAL);
  const at = names.indexOf(release);
  const level = (name: string): string => name.replace(EXPERIMENTAL, '');
  const newer = names
    .slice(0, at)
    .filter((name) => level(name) !== level(release) || name.endsWith(EXPERIMENTAL))
    .reverse();
  const next =
    newer.find((name) => having.includes(name) && name.endsWith(EXPERIMENTAL) === isExperimental) ??
    newer.find((name) => having.includes(name));
  const last = having[0];
  const needed = next === undefined ? `went after ${titleOf(component, last)}` : `needs ${titleOf(component, next)}`;
  return {
    what: `${what}, which ${needed}`,
    why: `the target is ${titleOf(component, release)}, where ${happens}`,
    fix:
      next === undefined
        ? 'leave it out'
        : 'leave it out, or name a newer release in the MeshTarget, once the cluster runs it',
  };
}

function titleOf(component: Component, release: string): string {
  const title = `${TITLE[component]} ${release.replace(EXPERIMENTAL, '')}`;
  return release.endsWith(EXPERIMENTAL) ? `the experimental channel of ${title}` : title;
}

/** Each field by its place (`spec.rules[0].name`) and its path (`spec.rules[].name`), from outside in, until `visit` has found one. */
function walk(value: unknown, place: string, path: string, visit: (place: string, path: string) => boolean): void {
  if (Array.isArray(value)) {
    value.forEach((item, at) => walk(item, `${place}[${at}]`, `${path}[]`, visit));
    return;
  }
  if (value === null || typeof value !== 'object') {
    visit(`${place}=${String(value)}`, `${path}=${String(value)}`);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const own = `${place}.${key}`;
    // Maps with keys of any name have one path for all of them.
    const paths = [`${path}.${key}`, `${path}{}`];
    if (paths.some((one) => visit(own, one))) continue;
    for (const one of paths) walk(inner, own, one, visit);
  }
}

function known(component: 'istio' | 'gatewayApi' | 'envoyGateway' | 'kubernetes', asked: string | undefined): string {
  const names = RELEASES[component];
  const standard = names.filter((name) => !name.endsWith(EXPERIMENTAL));
  if (asked === undefined) return standard[0];
  const name = asked.replace(/^v?(\d+\.\d+)[^/]*/, '$1');
  if (names.includes(name)) return name;
  throw new Error(
    `MeshTarget: ${component} is "${asked}", which is none that is known: ${names.join(', ')}. Name the nearest one, or a newer version of this package.`,
  );
}

function componentOf(group: string): Component | undefined {
  if (/^(networking|security|telemetry|extensions)\.istio\.io$/.test(group)) return 'istio';
  if (/^gateway\.networking\.(x-)?k8s\.io$/.test(group)) return 'gatewayApi';
  return group === 'gateway.envoyproxy.io' ? 'envoyGateway' : undefined;
}

function parts(apiVersion: string): [string, string] {
  const at = apiVersion.indexOf('/');
  return [apiVersion.slice(0, Math.max(at, 0)), apiVersion.slice(at + 1)];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
