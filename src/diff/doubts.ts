/** Requests of which it is not known whether they fare as before: one line for all clients and targets that share the reason. */
import { record, type Json } from '../model/fields';
import { isOfInstallation } from '../model/installation';
import type { Mesh } from '../model/mesh';
import { nameClients } from '../traffic/client-names';
import type { ClientClass } from '../traffic/clients';
import type { Doubt } from './compare';
import type { ObjectChange } from './objects';
import type { Task } from './plan';
import type { ChangedObject, Undecided } from './types';

interface Held {
  readonly label: string;
  readonly doubt: Doubt;
  readonly clients: Set<ClientClass>;
}

export class Doubts {
  private readonly held = new Map<string, Held>();
  private readonly general: Undecided[] = [];

  public constructor(private readonly clients: readonly ClientClass[]) {}

  public add({ client, also, probe }: Task, doubt: Doubt): void {
    // Many classes of one target may hang on the same: the first tells of them.
    const key = `${probe.label}\n${doubt.why}`;
    const known = this.held.get(key) ?? { label: probe.label, doubt, clients: new Set() };
    this.held.set(key, known);
    for (const one of [client, ...also]) known.clients.add(one);
  }

  public everywhere({ what, why }: Doubt): void {
    this.general.push({ from: ['everybody'], to: 'every host', what, why });
  }

  public told(): readonly Undecided[] {
    const found = [...this.held.values()].map(({ label, doubt, clients }): Undecided => ({
      from: nameClients([...clients], this.clients),
      to: label,
      ...doubt,
    }));
    return [...this.general, ...found];
  }
}

const OTHER_PATHS = 'requests whose path is not in canonical form';

/** Settings by which proxies read requests before any question is asked of them: requests are explored as they stand after it. */
export function settingsInDoubt(
  changes: readonly ObjectChange[],
  [was, is]: readonly [Mesh, Mesh],
): readonly { readonly change: ChangedObject; readonly doubt: Doubt }[] {
  const found: { change: ChangedObject; doubt: Doubt }[] = [];
  const [before, after] = [was.config.pathNormalization, is.config.pathNormalization];
  if (before !== after)
    for (const { ref } of changes)
      if (isOfInstallation(ref))
        found.push({
          change: ref,
          doubt: {
            what: OTHER_PATHS,
            why: `the mesh normalizes paths otherwise than before (pathNormalization ${before}, now ${after})`,
          },
        });
  for (const { ref, was: old, is: now } of changes) {
    if (ref.kind !== 'ClientTrafficPolicy') continue;
    const specs = [old, now].map((side) => record(record(side?.body).spec));
    const differs = (read: (spec: Json) => unknown): boolean => new Set(specs.map((spec) => JSON.stringify(read(spec)))).size > 1; // prettier-ignore
    const policy = `ClientTrafficPolicy ${ref.namespace}/${ref.name}`;
    const doubt = (what: string, how: string): void =>
      void found.push({ change: ref, doubt: { what, why: `${policy} ${how}` } });
    if (differs(({ path }) => record(path))) doubt(OTHER_PATHS, 'has paths read otherwise than before');
    if (differs(({ headers }) => record(headers).withUnderscoresAction ?? 'RejectRequest'))
      doubt('requests with a header whose name has an underscore', 'has such headers taken otherwise than before');
  }
  return found;
}
