import { HeaderChanges } from '../core/header-changes';

/** @internal */
export interface HeaderModifier {
  readonly set?: Array<{ name: string; value: string }>;
  readonly add?: Array<{ name: string; value: string }>;
  readonly remove?: string[];
}

/** @internal */
export function headerModifier(changes: HeaderChanges): HeaderModifier {
  const list = (map: { readonly [name: string]: string } | undefined) =>
    map &&
    Object.entries(map)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => ({ name, value }));
  return { set: list(changes.set), add: list(changes.add), remove: changes.remove && [...changes.remove] };
}
