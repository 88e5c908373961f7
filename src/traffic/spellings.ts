/**
 * Other spellings of a Host: shorter names of a Service, which clients may dial as well, and ports that the Host need not have, or has of its own.
 * Those are followed that conditions on the Host tell apart from the usual one. Other SNIs are in `sni.ts`.
 */
import type { Mesh } from '../model/mesh';
import { evaluate, type Matcher } from '../trace/matcher';
import type { TraceRequest } from '../trace/types';
import { STAND_IN, tail, type Target } from './universe';

/** A port that no object names, in a Host: gateways route by the name alone. */
const ODD_PORT = ':1';

/**
 * Gives each such spelling to `follow`, which returns what was then asked about the Host.
 *
 * @param asked what was asked about the Host of requests as they are usually spelled
 */
export function followSpellings(
  target: Target,
  meshes: readonly Mesh[],
  { from, at }: Pick<TraceRequest, 'from' | 'at'>,
  asked: readonly Matcher[],
  follow: (spelled: Target) => readonly Matcher[],
): void {
  const { host, scheme } = target;
  if (asked.length === 0 || (scheme !== 'http' && scheme !== 'https')) return;
  const named = [host, ...(scheme === 'http' && at === undefined ? shorterNames(host, meshes, from) : [])].map(
    (name): Target => (name === host ? target : { ...target, host: name, shortFor: host }),
  );
  const ends = [tail(target) === '' ? `:${target.port}` : '', ...(at === undefined ? [] : [ODD_PORT])];
  const spellings = [...named, ...named.flatMap((one) => ends.map((end): Target => ({ ...one, end })))];
  const questions = [...asked];
  const answers = (one: Target): string =>
    namesOf(one, questions)
      .map((name) => questions.map((matcher) => evaluate(matcher, `${name}${tail(one)}`)).join())
      .join(' ');
  const followed = [target];
  // Whoever is answered as another spelling is fares as that does; one that is not may be asked further.
  const isOpen = (one: Target): boolean => followed.every((other) => answers(other) !== answers(one));
  for (let next = spellings.find(isOpen); next !== undefined; next = spellings.find(isOpen)) {
    followed.push(next);
    questions.push(...follow(next));
  }
}

function shorterNames(host: string, meshes: readonly Mesh[], from: string): readonly string[] {
  const service = meshes.flatMap((mesh) => mesh.services.declaring(host)).find((one) => one.registry === 'Kubernetes');
  if (service === undefined) return [];
  const [name = ''] = host.split('.');
  const isOwn = from.split('/')[0] === service.namespace;
  return [`${name}.${service.namespace}`, `${name}.${service.namespace}.svc`, ...(isOwn ? [name] : [])];
}

/** The name; below a wildcard one that nobody has, and those that are asked about. */
function namesOf({ host }: Target, questions: readonly Matcher[]): readonly string[] {
  if (!host.startsWith('*')) return [host.includes(':') ? `[${host}]` : host];
  const below = host.slice(1);
  const literals = questions.flatMap(literalsOf).map((text) => text.replace(/:\d*$/, ''));
  return [`${STAND_IN}${below}`, ...new Set(literals)].filter((name) => name.endsWith(below));
}

function literalsOf(matcher: Matcher): readonly string[] {
  switch (matcher.is) {
    case 'exact':
      return [matcher.value];
    case 'prefix':
      return [matcher.value, `${matcher.value}x`];
    case 'suffix':
      return [`${STAND_IN}${matcher.value}`];
    case 'any of':
      return matcher.of.flatMap(literalsOf);
    default:
      return [];
  }
}
