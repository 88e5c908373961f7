import { join } from 'node:path';
import { diff } from '../../src/diff/diff';
import { load, loadObjects } from '../../src/model/load';
import type { Manifest } from '../../src/model/manifest';

export const company = load([join(__dirname, 'fixtures', 'company.yaml')]).manifests;

export function bodies(manifests: readonly Manifest[]): readonly unknown[] {
  return manifests.map((manifest) => manifest.body as unknown);
}

export function without(manifests: readonly Manifest[], at: number): readonly Manifest[] {
  return loadObjects(bodies(manifests).filter((_, index) => index !== at)).manifests;
}

/** What a diff leaves out must not have changed: following only what objects reach finds what following everything finds. */
export function agree(was: readonly Manifest[], is: readonly Manifest[], what: string): void {
  const narrow = diff(was, is);
  const wide = diff(was, is, { exhaustive: true });
  const told = (one: typeof wide): string[] =>
    one.changes
      .map(
        (change) =>
          `${change.effect} ${change.to} ${change.was.text} -> ${change.is.text} for ${change.from.join(', ')}`,
      )
      .sort();
  expect({ what, changes: told(narrow) }).toEqual({ what, changes: told(wide) });
}
