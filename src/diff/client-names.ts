import type { ClientClass } from './clients';

/** `every workload`, else whole namespaces (`shop`), else workloads (`shop/payments`), sorted. */
export function nameClients(some: readonly ClientClass[], all: readonly ClientClass[]): readonly string[] {
  const outside = [
    ...(some.some((client) => client.isBare === true) ? ['any workload without a sidecar'] : []),
    ...some
      .filter((client) => client.at !== undefined)
      .map((client) => `outside, at ${client.at ?? ''}`)
      .sort(),
  ];
  const isInside = (client: ClientClass): boolean => client.at === undefined && client.isBare !== true;
  const inside = all.filter(isInside);
  const chosen = new Set(some.filter(isInside).map((client) => client.index));
  if (chosen.size === 0) return outside;
  if (chosen.size === inside.length && inside.some((client) => client.isElsewhere))
    return ['every workload', ...outside];
  const names: string[] = [];
  const namespaces = new Set(
    inside.filter((client) => !client.isElsewhere).flatMap((client) => [...client.namespaces]),
  );
  for (const namespace of [...namespaces].sort()) {
    const classes = inside.filter((client) => client.namespaces.has(namespace));
    const hit = classes.filter((client) => chosen.has(client.index));
    if (hit.length === 0) continue;
    if (hit.length === classes.length) {
      names.push(namespace);
      continue;
    }
    for (const client of hit) {
      for (const member of client.members) {
        if (member.namespace !== namespace) continue;
        names.push(`${namespace}/${member.name ?? '(other workloads)'}`);
      }
    }
  }
  if (inside.some((client) => client.isElsewhere && chosen.has(client.index))) names.push('any other namespace');
  return [...names, ...outside];
}
