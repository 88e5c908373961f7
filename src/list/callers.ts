/** The callers of the register: every client class, or those that an option names. */
import type { Mesh } from '../model/mesh';
import type { ClientClass, Member } from '../traffic/clients';

export type CallerFilter = 'outside' | { readonly namespace: string; readonly workload?: string };

export interface Callers {
  readonly client: ClientClass;
  /** Of all members, sorted. */
  readonly names: readonly string[];
}

export function callersOf(classes: readonly ClientClass[], mesh: Mesh, filter?: CallerFilter): readonly Callers[] {
  return classes.flatMap((client) => {
    const members = client.members.filter((one) => isMeant(one, client, mesh, filter));
    const [first] = members;
    if (first === undefined) return [];
    const shown = first.name === null ? undefined : mesh.workloads.find(first.namespace, first.name);
    const request =
      filter !== undefined && shown?.manifest !== undefined && shown.name === first.name
        ? { from: `${first.namespace}/${first.name}` }
        : client.request;
    return [{ client: { ...client, request }, names: members.map((one) => nameOf(one, client)).sort() }];
  });
}

function isMeant(member: Member, client: ClientClass, mesh: Mesh, filter?: CallerFilter): boolean {
  if (filter === undefined) return true;
  if (filter === 'outside') return client.at !== undefined;
  if (client.at !== undefined || member.namespace !== filter.namespace) return false;
  if (filter.workload === undefined || member.name === null) return true;
  return (
    member.name === filter.workload || mesh.workloads.find(filter.namespace, filter.workload)?.name === member.name
  );
}

function nameOf({ namespace, name }: Member, client: ClientClass): string {
  if (client.at !== undefined) return `outside, at ${client.at}`;
  const where = client.isUnnamed === true ? 'any other namespace' : namespace;
  return name === null ? where : `${where}/${name}`;
}
