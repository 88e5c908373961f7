/** The names in the options of the register, and those that no manifest has anything about. */
import { isSubsetOf } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import type { ObjectRef } from '../trace/types';
import { clientClasses } from '../traffic/clients';
import type { CallerFilter } from './callers';
import { Targets } from './targets';

export interface NameProblem {
  readonly what: string;
  readonly word: string;
  /** What could have been meant. */
  readonly known: readonly string[];
}

interface Names {
  readonly from?: CallerFilter;
  readonly to?: string;
  readonly by?: ObjectRef;
  readonly problems: readonly NameProblem[];
}

export function readNames(
  mesh: Mesh,
  { from, to, by }: { readonly from?: string; readonly to?: string; readonly by?: string },
): Names {
  const problems: NameProblem[] = [];
  const host = to?.toLowerCase();
  if (host !== undefined) problems.push(...hostProblems(mesh, host));
  return {
    ...(from === undefined ? {} : { from: callerOf(mesh, from, problems) }),
    ...(host === undefined ? {} : { to: host }),
    ...(by === undefined ? {} : { by: objectOf(mesh, by, problems) }),
    problems,
  };
}

function callerOf(mesh: Mesh, from: string, problems: NameProblem[]): CallerFilter {
  if (from === 'outside') return 'outside';
  const [namespace = '', workload, ...rest] = from.split('/');
  if (namespace === '' || workload === '' || rest.length > 0)
    problems.push({ what: `--from "${from}" is not NAMESPACE, NAMESPACE/WORKLOAD or outside`, word: from, known: [] });
  const members = clientClasses(mesh, mesh).flatMap((one) =>
    one.at !== undefined || one.isElsewhere ? [] : one.members,
  );
  const namespaces = sorted(members.map((one) => one.namespace));
  if (!namespaces.includes(namespace)) {
    if (namespace !== '')
      problems.push({
        what: `--from: no client of namespace "${namespace}"`,
        word: namespace,
        known: [...namespaces, 'outside'],
      });
    return { namespace };
  }
  if (workload === undefined) return { namespace };
  const own = members.filter((one) => one.namespace === namespace);
  const found = mesh.workloads.find(namespace, workload)?.name;
  if (!own.some(({ name }) => name === null || name === workload || name === found))
    problems.push({
      what: `--from: no workload "${workload}" in namespace "${namespace}"`,
      word: workload,
      known: sorted(own.flatMap(({ name }) => name ?? [])),
    });
  return { namespace, workload };
}

function hostProblems(mesh: Mesh, host: string): readonly NameProblem[] {
  const { hosts } = new Targets(mesh);
  if ([...hosts].some((known) => isSubsetOf(known, host) || isSubsetOf(host, known))) return [];
  return [{ what: `--to: no manifest has anything about host "${host}"`, word: host, known: sorted([...hosts]) }];
}

function objectOf(mesh: Mesh, by: string, problems: NameProblem[]): ObjectRef {
  const [kind = '', namespace = '', name = '', ...rest] = by.split('/');
  const object = { kind, namespace, name };
  if (kind === '' || name === '' || rest.length > 0) {
    problems.push({ what: `--by "${by}" is not KIND/NAMESPACE/NAME`, word: by, known: [] });
    return object;
  }
  const found = mesh.manifests.find(
    (one) => one.kind.toLowerCase() === kind.toLowerCase() && one.namespace === namespace && one.name === name,
  );
  if (found !== undefined) return { kind: found.kind, namespace, name };
  problems.push({
    what: `--by: there is no object "${by}"`,
    word: by,
    known: sorted(mesh.manifests.map((one) => `${one.kind}/${one.namespace}/${one.name}`)),
  });
  return object;
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}
