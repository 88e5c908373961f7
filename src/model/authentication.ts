import { labelsMatch, optionalRecord, record, strings, text, type Json } from './fields';
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
    const { levels, own } = this.levels(namespace, labels);
    const mode = modeOf(portsOf(own)[String(port)]);
    return mode === undefined || own === undefined
      ? general([...levels, own])
      : { mode, config: own, field: `spec.portLevelMtls.${port}.mode` };
  }

  /**
   * What ztunnel demands of plain text on a port of a workload. istiod tells it of STRICT as a policy of its own for all ports, or
   * by one made of the workload's, and not all that the workload's says comes through (convertedSelectorPeerAuthentications and
   * convertPeerAuthentication of pilot/pkg/serviceregistry/kube/controller/ambient/authorization.go); a policy that is named and
   * not made, ztunnel skips.
   */
  public atZtunnel(namespace: string, labels: Readonly<Record<string, string>>, port: number): InboundTls {
    const { levels, own } = this.levels(namespace, labels);
    const whole = general([...levels, own]);
    const modes = Object.entries(portsOf(own)).map(([number, mtls]) => ({
      number: Number(number),
      mode: modeOf(mtls),
    }));
    const ownMode = modeOf(own?.spec.mtls);
    const isStrict = whole.mode === 'STRICT';
    const isOpener = ({ mode }: { readonly mode: MutualTlsMode | undefined }): boolean =>
      mode === 'PERMISSIVE' || (ownMode === 'STRICT' && mode === 'DISABLE');
    const isTold = modes.some(isStrict ? isOpener : ({ mode }) => mode === 'STRICT');
    if (own === undefined || !isTold) return isStrict ? whole : { ...whole, mode: 'PERMISSIVE' };
    const [root, ofNamespace] = levels.map((level) => modeOf(level?.spec.mtls));
    const isInherited = ofNamespace === undefined && root === 'STRICT';
    if (!isStrict) {
      const isMade = !isInherited && modes.some((one) => one.number === port && one.mode === 'STRICT');
      return { mode: isMade ? 'STRICT' : 'PERMISSIVE', config: own, field: `spec.portLevelMtls.${port}.mode` };
    }
    // A policy of the namespace that says nothing hides the mesh's STRICT where the workload's is made into one for ztunnel.
    const isHidden = ownMode === undefined && ofNamespace === undefined && levels[1] !== undefined;
    const isOpen = isHidden || modes.some((one) => one.number === port && (one.mode === 'PERMISSIVE' || one.mode === 'DISABLE')); // prettier-ignore
    return isOpen ? { mode: 'PERMISSIVE', config: own, field: `spec.portLevelMtls.${port}.mode` } : whole;
  }

  private levels(
    namespace: string,
    labels: Readonly<Record<string, string>>,
  ): { readonly levels: readonly (Config | undefined)[]; readonly own: Config | undefined } {
    const isRoot = namespace === this.rootNamespace;
    const levels = [this.general.get(this.rootNamespace), isRoot ? undefined : this.general.get(namespace)];
    const own = isRoot
      ? undefined
      : (this.forWorkloads.get(namespace) ?? []).find((object) => labelsMatch(selectorOf(object), labels));
    return { levels, own };
  }
}

function portsOf(own: Config | undefined): Json {
  return optionalRecord(own?.spec.portLevelMtls) ?? {};
}

/** The mode of the innermost policy that has one. */
function general(policies: readonly (Config | undefined)[]): InboundTls {
  let result: InboundTls = { mode: 'PERMISSIVE', config: undefined, field: '' };
  for (const object of policies) {
    const mode = modeOf(object?.spec.mtls);
    if (mode !== undefined) result = { mode, config: object, field: 'spec.mtls.mode' };
  }
  return result;
}
