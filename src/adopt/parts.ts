/** Charts that the code is split into: one, or one for each namespace or folder of the manifests. */
import { HELM_VALUES } from '../model/recognize';
import type { Manifest } from '../model/manifest';
import { Names, variableName } from './code';
import type { Lifted } from './lifted';

/** What charts are made by, one for each. */
export type Split = 'namespace' | 'folder';

export interface Content {
  readonly lifted: readonly Lifted[];
  readonly raw: readonly Manifest[];
  /** Values of Helm charts. */
  readonly values: readonly Manifest[];
}

export interface Part extends Content {
  /** The id of the chart, and the name of its file. */
  readonly name: string;
  readonly className: string;
  /** What others use of it, by variable. */
  readonly gives: readonly Lifted[];
  /** What it uses of others. */
  readonly takes: readonly { readonly from: string; readonly lifted: Lifted }[];
}

const WHOLE = 'edge';
/** Names of objects that no namespace or folder has. */
const CLUSTER = 'cluster';
const INSTALL = 'install';

/** In an order in which each comes after what it uses. Those that lead into one another are one. */
export function partsOf(content: Content, split: Split | undefined): readonly Part[] {
  const keyOf =
    split === undefined ? () => WHOLE : split === 'namespace' ? byNamespace : byFolder(manifestsOf(content));
  const providers = new Map(content.lifted.flatMap((one) => (one.provides === undefined ? [] : [[one.provides, one]])));
  const isElsewhere = ({ replaces }: Lifted): boolean => replaces.length === 0;
  const keys = new Map(content.lifted.filter((one) => !isElsewhere(one)).map((one) => [one, keyOf(one.replaces[0]!)]));
  const uses = ({ uses: names = [] }: Lifted): readonly Lifted[] =>
    names.flatMap((name) => {
      const one = providers.get(name);
      return one === undefined ? [] : isElsewhere(one) ? [one, ...uses(one)] : [one];
    });
  const all = [...new Set([...keys.values(), ...content.raw.map(keyOf), ...content.values.map(keyOf)])].sort();
  const leads = new Map(all.map((key) => [key, new Set<string>()]));
  for (const [one, key] of keys)
    for (const other of uses(one)) if (keys.has(other)) leads.get(key)!.add(keys.get(other)!);
  return named(together(all.length === 0 ? [WHOLE] : all, leads)).map(({ name, className, members }, _index, parts) => {
    const isOwn = (key: string | undefined): boolean => key !== undefined && members.includes(key);
    const own = content.lifted.filter((one) => isOwn(keys.get(one)));
    const needed = new Set(own.flatMap((one) => uses(one)));
    const lifted = content.lifted.filter((one) => isOwn(keys.get(one)) || (isElsewhere(one) && needed.has(one)));
    const given = new Set([...keys].filter(([, key]) => !isOwn(key)).flatMap(([one]) => uses(one)));
    return {
      name,
      className,
      lifted,
      raw: content.raw.filter((one) => isOwn(keyOf(one))),
      values: content.values.filter((one) => isOwn(keyOf(one))),
      gives: own.filter((one) => given.has(one)),
      takes: [...needed].flatMap((one) => {
        const from = parts.find(({ members: theirs }) => theirs.includes(keys.get(one) ?? '') && !isOwn(keys.get(one)));
        return from === undefined ? [] : [{ from: from.name, lifted: one }];
      }),
    };
  });
}

const manifestsOf = ({ lifted, raw, values }: Content): readonly Manifest[] => [
  ...lifted.flatMap(({ replaces }) => replaces),
  ...raw,
  ...values,
];

function byNamespace({ kind, namespace }: Manifest): string {
  return kind === HELM_VALUES ? INSTALL : namespace || CLUSTER;
}

/** By the folder that a manifest was read from, told from the folder that all are in. */
function byFolder(manifests: readonly Manifest[]): (one: Manifest) => string {
  const foldersOf = ({ source: { file = '' } }: Manifest): readonly string[] => file.split('/').slice(0, -1);
  const all = manifests.map(foldersOf);
  const [first = []] = all;
  const differs = first.findIndex((folder, index) => all.some((other) => other[index] !== folder));
  const common = differs < 0 ? first.length : differs;
  const start = Math.min(common, ...all.map(({ length }) => length));
  return (one) => foldersOf(one).slice(start).join('-') || WHOLE;
}

/** Those that reach one another are one; each comes after those that it leads to. */
function together(keys: readonly string[], leads: ReadonlyMap<string, ReadonlySet<string>>): readonly string[][] {
  const reach = new Map(keys.map((key) => [key, reachable(key, leads)]));
  const groups: string[][] = [];
  for (const key of keys) {
    if (groups.some((group) => group.includes(key))) continue;
    groups.push(keys.filter((other) => other === key || (reach.get(key)!.has(other) && reach.get(other)!.has(key))));
  }
  const sorted: string[][] = [];
  const place = (group: string[]): void => {
    if (sorted.includes(group)) return;
    for (const other of groups)
      if (other !== group && group.some((key) => other.some((one) => reach.get(key)!.has(one)))) place(other);
    sorted.push(group);
  };
  groups.forEach(place);
  return sorted;
}

function reachable(from: string, leads: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [from];
  for (let key = open.pop(); key !== undefined; key = open.pop())
    for (const next of leads.get(key) ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(next);
    }
  return found;
}

interface Group {
  readonly members: readonly string[];
  readonly name: string;
  readonly className: string;
}

/** Files that are there beside those of the charts. */
const FILES = ['main', 'app', 'raw', 'carry'];
function named(groups: readonly string[][]): readonly Group[] {
  const files = new Names(FILES);
  const classes = new Names();
  return groups.map((members) => {
    const wanted = members.map((key) => key.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || WHOLE).join('-'); // prettier-ignore
    const name = files.free(wanted, `${wanted}-chart`);
    const pascal = variableName(name).replace(/^./, (first) => first.toUpperCase());
    // No name that a file imports ends so.
    return { members, name, className: name === WHOLE ? 'Edge' : classes.free(`${pascal}Edge`) };
  });
}
