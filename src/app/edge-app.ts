import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { ApiObject, App, Chart, IResolver, Names } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import { ownLineNow } from '../core/own-line';
import { toYaml } from '../core/yaml';
import { refuseOneObjectTwice } from '../mesh/object-names';
import { MeshTarget } from '../mesh/mesh-target';
import { type FolderChange, replaceFolder } from '../output/folder';
import { printable, safeOutput } from '../output/printable';
import { heldFile, isValidatedLater, shown, summaryOf } from '../output/held';
import { chartContents } from './order';
import { OutputFile } from './output-file';

/** How `EdgeApp` writes. */
export interface EdgeAppProps {
  /**
   * The folder that holds the committed manifests. It is replaced as a whole, and only once everything was rendered and
   * found valid. Files that synth did not write, such as a `kustomization.yaml`, are kept; which ones it wrote is recorded beside the folder
   * (`.dist.synthesized`), in a file to be committed with it.
   *
   * @default "dist"
   */
  readonly manifests?: string;

  /**
   * The folder that cdk8s-cli is told to write to (`output` in cdk8s.yaml). cdk8s-cli deletes it before the app runs, which
   * is why it should not be the folder that is committed. When cdk8s-cli is asked for another folder (`--output`, `--stdout`), only
   * that one is written.
   *
   * @default ".cdk8s-staging"
   */
  readonly staging?: string;

  /**
   * Whether each chart gets a folder of its own, named as the chart. Files beside the manifests (`OutputFile`) go there too.
   *
   * @default true
   */
  readonly folderPerChart?: boolean;

  /**
   * The releases that the manifests are written for. What these do not have is refused.
   *
   * @default the newest that are known
   */
  readonly target?: MeshTarget;

  /**
   * Resolvers of cdk8s, which replace values before they are written.
   *
   * @see https://cdk8s.io/docs/latest/basics/app/#resolvers
   * @default none beside those that cdk8s has
   */
  readonly resolvers?: IResolver[];
}

/**
 * A cdk8s app for manifests that are committed: `cdk8s synth` either replaces the folder by what the app says now, or
 * reports everything that is wrong and leaves the folder as it was.
 *
 * It renders the same objects as cdk8s' `App`, in time linear in their number: each construct is validated once, and each
 * object rendered once, whatever the number of charts.
 * @example
 * const app = new EdgeApp();
 * const chart = new Chart(app, 'edge');
 * const gateway = EgressGateway.fromInstalled(chart, 'Egress');
 * gateway.forward(new ExternalService(chart, 'Cnn', { hosts: ['edition.cnn.com'], audience: Audience.namespaces('news') }));
 * app.synth();
 */
export class EdgeApp extends App {
  private readonly manifestsDir: string;
  private readonly asked?: string;
  private readonly isStaging: boolean;
  private readonly folderPerChart: boolean;

  public constructor(props: EdgeAppProps = {}) {
    super({ outdir: process.env.CDK8S_OUTDIR ?? props.manifests ?? 'dist', resolvers: props.resolvers });
    const asked = process.env.CDK8S_OUTDIR;
    this.manifestsDir = resolve(props.manifests ?? 'dist');
    this.asked = asked === undefined ? undefined : resolve(asked);
    this.isStaging = this.asked === resolve(props.staging ?? '.cdk8s-staging');
    refuseOneObjectTwice(this);
    this.folderPerChart = props.folderPerChart ?? true;
    (props.target ?? MeshTarget.newest()).applyTo(this);
  }

  /**
   * Validates the app, renders it, and writes it.
   *
   * @throws an error that lists everything that was found wrong, each with its construct path; nothing is written then.
   */
  public override synth(): void {
    const nodes = this.node.findAll();
    throwIfInvalid(nodes);
    const files = this.render(nodes);
    if (this.asked !== undefined && this.asked !== this.manifestsDir) {
      const isHeld = this.isStaging && files.size > 0 && isValidatedLater();
      const held = isHeld ? [heldFile(this.manifestsDir, files.keys())] : [];
      const index = { name: 'construct-metadata.json', content: constructIndex(nodes) };
      const beside = [index, ...held].map(({ name, content }): [string, string] => [name, content]);
      this.write(this.asked, new Map([...files, ...beside]));
      if (isHeld) return tell(`${shown(this.manifestsDir)}: to be written once the validations have passed`);
      if (!this.isStaging) return;
    }
    tell(summaryOf(this.manifestsDir, this.write(this.manifestsDir, files)));
    if (this.asked === this.manifestsDir) tell(deletedFirst(this.manifestsDir));
  }

  private write(folder: string, files: ReadonlyMap<string, string>): FolderChange {
    refuseForeignFolder(folder);
    return replaceFolder(folder, files, { isRecorded: folder === this.manifestsDir });
  }

  /** Renders all charts as one stream of YAML documents. */
  public override synthYaml(): string {
    const nodes = this.node.findAll();
    throwIfInvalid(nodes);
    return chartContents(nodes)
      .map(({ objects }) => documents(objects))
      .filter((text) => text !== '')
      .join('---\n');
  }

  private render(nodes: readonly IConstruct[]): Map<string, string> {
    const files = new Map<string, string>();
    const owners = new Map<string, string>();
    const put = (file: string, content: string, owner: Construct) => {
      const other = owners.get(file);
      if (other !== undefined) {
        throw new Error(
          `Both ${other} and ${owner.node.path} would write ${file}. Give one of them another id or path.`,
        );
      }
      owners.set(file, owner.node.path);
      files.set(file, content);
    };
    for (const { chart, objects } of chartContents(nodes)) {
      if (objects.length === 0) continue;
      const name = Names.toDnsLabel(chart, { includeHash: false });
      put(this.inFolder(chart, `${name}.yaml`), documents(objects), chart);
    }
    for (const node of nodes) {
      if (node instanceof OutputFile) put(this.inFolder(Chart.of(node), node.path), node.content, node);
    }
    return files;
  }

  private inFolder(chart: Chart, file: string): string {
    return this.folderPerChart ? join(Names.toDnsLabel(chart, { includeHash: false }), file) : file;
  }
}

function throwIfInvalid(nodes: readonly IConstruct[]): void {
  const problems: string[] = [];
  // The root last: what it says is about several constructs at once, and names them.
  for (const node of [...nodes.slice(1), ...nodes.slice(0, 1)]) {
    const path = node.node.path === '' ? '' : `[${printable(node.node.path)}] `;
    // Whoever validates lays it out in lines; the names in them may be anybody's.
    for (const problem of node.node.validate()) problems.push(safeOutput(`${path}${problem}`));
  }
  if (problems.length) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    const refusal = new Error(`Nothing was written, because of ${count}:\n  ${problems.join('\n  ')}`);
    // What is to be mended is in the constructs that the message names; frames of this library say nothing to anybody. The same goes for the
    // excerpt of this line, which Node leaves out where it is asked to.
    const line = ownLineNow();
    refusal.stack = `${refusal.name}: ${refusal.message}${line === undefined ? '' : `\n    at ${line}`}`;
    throw refusal; // node-do-not-add-exception-line
  }
}

/**
 * Which construct made which object, for reports. cdk8s keys this file by name alone, so that a Gateway and a VirtualService of
 * one name overwrite each other; `objects` is keyed by all that names an object.
 */
function constructIndex(nodes: readonly IConstruct[]): string {
  const resources: Record<string, { path: string }> = {};
  const objects = nodes
    .filter((node): node is ApiObject => ApiObject.isApiObject(node))
    .map((object) => {
      resources[object.name] = { path: object.node.path };
      const { apiVersion, kind, name } = object;
      return { apiVersion, kind, namespace: object.metadata.namespace ?? '', name, path: object.node.path };
    });
  return `${JSON.stringify({ version: '1.0.0', resources, objects })}\n`;
}

function documents(objects: readonly ApiObject[]): string {
  return objects.map((object) => toYaml(object.toJson())).join('---\n');
}

/** Said to whoever runs a synth: on standard error, since cdk8s-cli keeps what an app prints to itself. Nobody reads it in a test. */
function tell(text: string): void {
  if (process.stderr.isTTY || process.env.CDK8S_OUTDIR !== undefined) process.stderr.write(`${text}\n`);
}

function deletedFirst(folder: string): string {
  return `${shown(folder)} is what cdk8s-cli was told to write to: it deletes that folder before the app runs, so a synth that is refused leaves none. Write "output: .cdk8s-staging" in cdk8s.yaml.`;
}

/** A folder is put in place anew, so one that plainly holds more than manifests is never taken. */
function refuseForeignFolder(folder: string): void {
  const holdsApp = !relative(folder, process.cwd()).startsWith('..');
  const foreign = ['.git', 'package.json', 'node_modules'].find((name) => existsSync(join(folder, name)));
  if (!holdsApp && foreign === undefined) return;
  const reason = holdsApp ? 'it holds the app itself' : `it holds ${foreign}`;
  throw new Error(
    `Manifests can't go to ${folder}: ${reason}, and the folder of the manifests is replaced as a whole. Give them a folder of their own, such as "dist".`,
  );
}
