/** Objects that a cluster takes as they are written: what two states of a mesh both have is judged once. */
import { canonical } from '../model/canonical';
import type { Manifest } from '../model/manifest';
import type { MeshConfig } from '../model/mesh-config';
import type { ReleasesInForce } from '../model/releases-in-force';

/** Documents that are written alike have one body (`KnownDocuments`), by which an object is known. */
type Bodies = WeakSet<object>;

export class Taken {
  private readonly known: { readonly judgedBy: string; readonly definitions: readonly unknown[]; readonly bodies: Bodies }[] = []; // prettier-ignore

  /** Bodies that were taken by an API server and an istiod as these are. */
  public by(config: MeshConfig, releases: ReleasesInForce, definitions: readonly Manifest[]): Bodies {
    const judgedBy = canonical([
      {
        ...config,
        outboundFrom: null,
        releases: null,
        revisions: [config.revisions.names, [...config.revisions.tags]],
      },
      Object.entries(releases).map(([name, { release, from }]) => [name, release, from]),
    ]);
    const own = definitions.map(({ body }) => body);
    const isSame = (one: (typeof this.known)[number]): boolean =>
      one.judgedBy === judgedBy &&
      one.definitions.length === own.length &&
      one.definitions.every((body, at) => body === own[at]);
    const found = this.known.find(isSame);
    if (found !== undefined) return found.bodies;
    const bodies: Bodies = new WeakSet();
    this.known.push({ judgedBy, definitions: own, bodies });
    return bodies;
  }
}
