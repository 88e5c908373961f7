import { labelsMatch, optionalRecord, record, strings, text } from './fields';
import { compareAge, push, type Config } from './objects';

export type MutualTlsMode = 'DISABLE' | 'PERMISSIVE' | 'STRICT';

export interface InboundTls {
  readonly mode: MutualTlsMode;
  readonly config: Config | undefined;
  readonly field: string;
}

function modeOf(mtls: unknown): MutualTlsMode | undefined {
  const mode = text(record(mtls).mode);
  return mode === 'DISABLE' || mode === 'PERMISSIVE' || mode === 'STRICT' ? mode : undefined;
}

function selectorOf(object: Config): Readonly<Record<string, string>> {
  return strings(record(object.spec.selector).matchLabels);
}

/** PeerAuthentications: one for the mesh, one for each namespace, and those for workloads. */
export class PeerAuthentications {
  private readonly general = new Map<string, Config>();
  private readonly forWorkloads = new Map<string, Config[]>();

  public constructor(
    objects: readonly Config[],
    private readonly rootNamespace: string,
  ) {
    for (const object of [...objects].sort(compareAge)) {
      if (Object.keys(selectorOf(object)).length > 0) push(this.forWorkloads, object.namespace, object);
      else if (!this.general.has(object.namespace)) this.general.set(object.namespace, object);
    }
  }

  /** What a client assumes of a service: mesh and namespace policies only. */
  public forClients(namespace: string): MutualTlsMode {
    const mesh = this.general.get(this.rootNamespace);
    const inherited = modeOf(mesh?.spec.mtls) ?? 'PERMISSIVE';
    const own = namespace === this.rootNamespace ? undefined : this.general.get(namespace);
    return own === undefined ? inherited : (modeOf(own.spec.mtls) ?? inherited);
  }

  /** What a workload demands on a port: its own policy's port, its own policy, its namespace's, the mesh's. */
  public forWorkload(namespace: string, labels: Readonly<Record<string, string>>, port: number): InboundTls {
    let result: InboundTls = { mode: 'PERMISSIVE', config: undefined, field: '' };
    const levels = [
      this.general.get(this.rootNamespace),
      namespace === this.rootNamespace ? undefined : this.general.get(namespace),
    ];
    const own =
      namespace === this.rootNamespace
        ? undefined
        : (this.forWorkloads.get(namespace) ?? []).find((object) => labelsMatch(selectorOf(object), labels));
    for (const object of [...levels, own]) {
      const mode = modeOf(object?.spec.mtls);
      if (mode !== undefined) result = { mode, config: object, field: 'spec.mtls.mode' };
    }
    const ports = optionalRecord(own?.spec.portLevelMtls);
    const mode = modeOf(ports?.[String(port)]);
    return mode === undefined ? result : { mode, config: own, field: `spec.portLevelMtls.${port}.mode` };
  }
}
