/** A long-lived oracle: Istio's own configuration and traffic simulation, asked by JSON lines. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { partFolder } from '../../lab/cache';
import { oraclePart } from '../../lab/build';

export interface OracleCall {
  readonly from: string;
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls: 'plaintext' | 'tls';
  readonly protocol: 'http' | 'tcp';
  readonly sni: string;
}

export interface OracleHop {
  readonly proxy: string;
  readonly listener?: string;
  readonly filterChain?: string;
  readonly routeConfig?: string;
  readonly virtualHost?: string;
  readonly route?: string;
  readonly cluster?: string;
  readonly clusterType?: string;
  readonly upstreamTls?: string;
  readonly upstreamSni?: string;
  /** The TLS sessions around the request as it leaves, the innermost first. */
  readonly layers?: readonly string[];
  readonly endpoints?: readonly string[];
  readonly tunnel?: string;
  readonly error?: string;
}

/** What istiod sends one proxy, as protobuf's JSON. */
export interface OracleConfig {
  readonly listeners: readonly object[] | null;
  readonly routes: readonly object[] | null;
  readonly clusters: readonly object[] | null;
  /** Of clusters that are told their endpoints. */
  readonly endpoints: readonly object[] | null;
}

export interface OracleReply {
  readonly error?: string;
  readonly invalid?: readonly string[];
  readonly results: readonly { readonly hops: readonly OracleHop[] }[] | null;
  readonly configs?: Readonly<Record<string, OracleConfig>>;
}

/** The oracle's binary: what MESH_ORACLE names, else the one that the lab has built from `test/oracle`. */
export function findOracle(): string | undefined {
  const candidates = [process.env.MESH_ORACLE, join(partFolder(oraclePart().id), 'mesh-oracle')];
  return candidates.find((path): path is string => path !== undefined && existsSync(path));
}

export class Oracle {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly waiting: ((reply: OracleReply) => void)[] = [];

  /**
   * @param ambient whether it is istiod of an ambient mesh
   * @param gatewayApi the release that its definitions of the Gateway API are said to be of, where it is not the pinned istiod's
   */
  public constructor(path: string, ambient = false, gatewayApi?: string) {
    const env = {
      ...process.env,
      ...(ambient ? { PILOT_ENABLE_AMBIENT: 'true' } : {}),
      ...(gatewayApi === undefined ? {} : { GATEWAY_API_BUNDLE: gatewayApi }),
    };
    this.child = spawn(path, [], { stdio: 'pipe', env });
    this.child.stderr.resume();
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.waiting.shift()?.(JSON.parse(line) as OracleReply);
    });
    this.child.on('exit', (code) => {
      for (const resolve of this.waiting.splice(0)) resolve({ error: `the oracle ended with ${code}`, results: null });
    });
  }

  /** @param show the proxies whose configuration the reply is to have */
  public ask(
    yaml: string,
    mesh: string,
    calls: readonly OracleCall[],
    show: readonly string[] = [],
  ): Promise<OracleReply> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.child.stdin.write(`${JSON.stringify({ yaml, mesh, calls, show })}\n`);
    });
  }

  public end(): void {
    this.child.stdin.end();
  }
}
