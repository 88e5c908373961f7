/** Shorter names of a Service, which clients may dial as well: those that conditions on the Host tell apart from its whole name. Other SNIs are in `sni.ts`. */
import type { Mesh } from '../model/mesh';
import { evaluate, type Matcher } from '../trace/matcher';
import type { TraceRequest } from '../trace/types';
import { tail, type Target } from './universe';

/**
 * Gives each such name to `follow`, which returns what was then asked about the Host.
 *
 * @param asked what was asked about the Host of requests to the whole name
 */
export function followShorterNames(
  target: Target,
  meshes: readonly Mesh[],
  { from, at }: Pick<TraceRequest, 'from' | 'at'>,
  asked: readonly Matcher[],
  follow: (shorter: Target) => readonly Matcher[],
): void {
  const { host, scheme } = target;
  if (asked.length === 0 || scheme !== 'http' || at !== undefined) return;
  const service = meshes.flatMap((mesh) => mesh.services.declaring(host)).find((one) => one.registry === 'Kubernetes');
  if (service === undefined) return;
  const [name = ''] = host.split('.');
  const isOwn = from.split('/')[0] === service.namespace;
  const names = [`${name}.${service.namespace}`, `${name}.${service.namespace}.svc`, ...(isOwn ? [name] : [])];
  const questions = [...asked];
  const answers = (one: string): string =>
    questions.map((matcher) => evaluate(matcher, `${one}${tail(target)}`)).join();
  const followed = [host];
  // Whoever is answered as another name is fares as that does; one that is not may be asked further.
  const isOpen = (one: string): boolean => followed.every((other) => answers(other) !== answers(one));
  for (let next = names.find(isOpen); next !== undefined; next = names.find(isOpen)) {
    followed.push(next);
    questions.push(...follow({ ...target, host: next, shortFor: host }));
  }
}
