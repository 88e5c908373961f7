/** How random meshes are put together: by choosing from the few names that make their objects meet. */
import type { Body } from './one-field';
import type { Random } from './worlds';

export const pick = <T>(next: Random, of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
export const maybe = (next: Random, share: number): boolean => next() < share;
/** Some of them, in their order. */
export const those = <T>(next: Random, share: number, of: readonly T[]): T[] => of.filter(() => maybe(next, share));
/** Fields that are there or not. */
export const given = (next: Random, share: number, fields: () => Body): Body => (maybe(next, share) ? fields() : {});

export const some = (next: Random, most: number, one: (index: number) => Body): Body[] =>
  Array.from({ length: Math.floor(next() * (most + 1)) }, (_one, index) => one(index));

export const object = (apiVersion: string, kind: string, namespace: string, name: string, more: Body): Body => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  ...more,
});
