/** Whom a rule means: the client classes that it is about, with one client of each that it names itself. */
import type { Mesh } from '../model/mesh';
import { labelsMatch } from '../model/fields';
import { clientClasses, type ClientClass, type Member } from '../traffic/clients';
import type { Rule, Who } from './rules';

export interface Caller {
  readonly client: ClientClass;
  /** As a counterexample names it. */
  readonly name: string;
}

/**
 * Classes of a mesh, and the workloads that rules name and no manifest shows. Where rules tell a workload from others of its namespace, there
 * are others, whether manifests show them or not.
 */
export function allClients(mesh: Mesh, rules: readonly Rule[]): readonly ClientClass[] {
  const classes = [...clientClasses(mesh, mesh, true)];
  const named = rules.flatMap(({ from, except }) => [...from, ...except]);
  classes.push(...othersBeside(named, classes));
  for (const who of named) {
    if (who.is !== 'workload' && who.is !== 'account') continue;
    if (classes.some((one) => one.members.some((member) => isMember(who, member, one, mesh)))) continue;
    const request =
      who.is === 'workload'
        ? { from: `${who.namespace}/${who.name}` }
        : { from: who.namespace, serviceAccount: who.name };
    classes.push({
      index: classes.length,
      namespace: who.namespace,
      request,
      members: [{ namespace: who.namespace, name: who.is === 'workload' ? who.name : `serviceaccount=${who.name}` }],
      namespaces: new Set([who.namespace]),
      at: undefined,
      likeElsewhere: false,
      isElsewhere: false,
    });
  }
  return classes;
}

function othersBeside(named: readonly Who[], classes: readonly ClientClass[]): readonly ClientClass[] {
  const told = new Set(named.flatMap((who) => ('namespace' in who && who.is !== 'namespace' ? [who.namespace] : [])));
  const namespaces = new Map<string, boolean>();
  for (const { members, at, isUnnamed } of classes)
    for (const { namespace, name } of at === undefined && isUnnamed !== true ? members : [])
      if (told.has(namespace) || told.has(undefined))
        namespaces.set(namespace, namespaces.get(namespace) === true || name === null);
  return [...namespaces]
    .filter(([, hasOthers]) => !hasOthers)
    .map(([namespace], index) => ({
      index: classes.length + index,
      namespace,
      request: { from: namespace },
      members: [{ namespace, name: null }],
      namespaces: new Set([namespace]),
      at: undefined,
      likeElsewhere: false,
      isElsewhere: false,
    }));
}

export function callersOf(rule: Rule, classes: readonly ClientClass[], mesh: Mesh): readonly Caller[] {
  return classes.flatMap((client) => {
    const member = client.members.find(
      (one) =>
        rule.from.some((who) => isMember(who, one, client, mesh)) &&
        !rule.except.some((who) => isMember(who, one, client, mesh)),
    );
    if (member === undefined) return [];
    const shown = member.name === null ? undefined : mesh.workloads.find(member.namespace, member.name);
    const request =
      shown?.manifest !== undefined && shown.name === member.name
        ? { from: `${member.namespace}/${member.name ?? ''}` }
        : client.request;
    return [{ client: { ...client, request }, name: nameOf(client, member) }];
  });
}

function nameOf(client: ClientClass, member: Member): string {
  if (client.at !== undefined) return `outside, at ${client.at}`;
  if (client.isBare === true) return 'a workload without a sidecar';
  const where = client.isUnnamed === true ? 'any other namespace' : member.namespace;
  return member.name === null ? where : `${where}/${member.name}`;
}

function isMember(who: Who, member: Member, client: ClientClass, mesh: Mesh): boolean {
  if (who.is === 'outside') return client.at !== undefined;
  if (client.at !== undefined) return false;
  if (who.is === 'everyone') return true;
  if (client.isBare === true) return false;
  if (who.is === 'labels' && who.namespace === undefined)
    return labelsMatch(who.labels, labelsOf(member, client, mesh));
  if (member.namespace !== who.namespace) return false;
  if (who.is === 'namespace') return true;
  const shown = member.name === null ? undefined : mesh.workloads.named(member.namespace, member.name);
  if (who.is === 'labels') return labelsMatch(who.labels, labelsOf(member, client, mesh));
  if (who.is === 'account') return (shown?.serviceAccount ?? client.request.serviceAccount) === who.name;
  if (shown !== undefined) return mesh.workloads.find(who.namespace, who.name)?.name === shown.name;
  if (member.name === who.name) return true;
  // A workload that no manifest shows is taken, as by `trace`, to have its name for its label and its account.
  const { labels = {}, serviceAccount } = client.request;
  const named = Object.entries(labels);
  if (named.length === 0 && serviceAccount === undefined) return false;
  return (
    named.every(([key, value]) => /^(app|app\.kubernetes\.io\/name|k8s-app)$/.test(key) && value === who.name) &&
    (serviceAccount === undefined || serviceAccount === who.name)
  );
}

function labelsOf(member: Member, client: ClientClass, mesh: Mesh): Readonly<Record<string, string>> {
  const shown = member.name === null ? undefined : mesh.workloads.named(member.namespace, member.name);
  return shown?.labels ?? client.request.labels ?? {};
}
