/** The findings of check as a validation of the construct tree, for those who run their app directly. */
import { existsSync, readFileSync } from 'node:fs';
import { type CheckOptions, check } from '../check/check';
import { readConfiguration } from '../check/configuration';
import { type Finding, SEVERITIES, type Severity } from '../check/finding';
import type { MeshOptions } from '../model/mesh-options';
import { allPrintable } from '../model/printable';
import { loadSubject } from '../model/subject';

export interface ValidationProperties extends MeshOptions {
  /** Findings at least this serious fail the synthesis. @default error */
  readonly failOn?: Severity;
  /** @default mesh-edge.yaml, if there is one */
  readonly config?: string;
}

/** Constructs are known by their shape: the app and this module may have different copies of the library. */
interface Validated {
  readonly node: { addValidation(validation: { validate(): string[] }): void };
}

/** What check is told: by properties, else by the configuration file. */
export function checkOptionsOf({ failOn, config = 'mesh-edge.yaml', ...given }: ValidationProperties): CheckOptions {
  void failOn;
  if (!existsSync(config)) return given;
  const { suppress, severity, mesh } = readConfiguration(readFileSync(config, 'utf8'), config);
  return { ...mesh, ...given, suppress, ...(severity === undefined ? {} : { severity }) };
}

export function isSerious({ severity }: Finding, { failOn = 'error' }: ValidationProperties): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(failOn);
}

/** A validation of everything below a construct; each finding is one message. */
export class CheckValidation {
  constructor(
    private readonly scope: unknown,
    private readonly properties: ValidationProperties = {},
  ) {}

  validate(): string[] {
    const loaded = loadSubject(this.scope, 'CheckValidation');
    const { findings } = check(loaded, checkOptionsOf(this.properties));
    const serious = findings.filter((finding) => isSerious(finding, this.properties));
    const lines = linesOf(this.scope);
    return serious.map((finding) =>
      message(allPrintable(finding), 'construct' in finding.where ? lines.get(finding.where.construct) : undefined),
    );
  }
}

/** Lets `app.synth()` refuse what check finds in an app, or in a chart alone. */
export function checkAtSynth(scope: Validated, properties: ValidationProperties = {}): void {
  scope.node.addValidation(new CheckValidation(scope, properties));
}

/** Where our constructs keep the line of the user's own code that made them; with any copy of the library (`core/own-line.ts`). */
const MADE = Symbol.for('cdk8s-mesh-edge.made');

interface Node {
  readonly node: {
    readonly path: string;
    readonly scopes: readonly { [MADE]?: { readonly line?: () => string | undefined } }[];
    findAll(): Node[];
  };
}

/** By construct path: the line that made the object, or the construct that it belongs to. */
function linesOf(scope: unknown): { get(path: string): string | undefined } {
  const nodes = (scope as Partial<Node>).node?.findAll?.() ?? [];
  const byPath = new Map(nodes.map((one) => [one.node.path, one]));
  return {
    get: (path) =>
      byPath
        .get(path)
        ?.node.scopes.map((one) => one[MADE]?.line?.())
        .reverse()
        .find((line) => line !== undefined),
  };
}

function message({ id, name, what, why, fix, object, field, where }: Finding, line: string | undefined): string {
  const place = object ? `${object.kind} ${object.namespace ? `${object.namespace}/` : ''}${object.name}` : '';
  const construct = 'construct' in where ? `${where.construct}: ` : '';
  return `${construct}${place}${field === '' ? '' : ` ${field}`}: ${what} (${id} ${name})\n      why: ${why}\n      fix: ${fix}${line === undefined ? '' : `\n      at: ${line}`}`;
}
