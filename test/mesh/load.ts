import { CLIENT, GATEWAY, type Mesh } from './mesh';

/** What became of requests that were made all along while something went wrong. */
export interface Figures {
  /** Requests to hosts that are allowed. */
  readonly sent: number;
  readonly failed: number;
  /** The longest time, in milliseconds, in which every allowed request failed. */
  readonly longestOutageMs: number;
  /** Requests to a host that is not allowed. */
  readonly probes: number;
  /** Requests that a site saw and should not have: of a forbidden host, or not by way of the gateway. */
  readonly leaked: number;
}

export interface LoadOptions {
  readonly allowed: string;
  readonly forbidden: string;
  readonly gateway?: string;
  readonly during: () => Promise<void>;
}

/** How many requests of each kind are made at least when `during` is over. */
const AFTERWARDS = 20;
/** How long an outage is followed that does not end, in milliseconds. */
const FOLLOWED = 30_000;

/** Makes requests without a pause while `during` runs, for a while after, and until an outage has ended. */
export async function underLoad(mesh: Mesh, options: LoadOptions): Promise<Figures> {
  const { allowed, forbidden, gateway = GATEWAY, during } = options;
  const sitesBefore = mesh.lab.siteLog().length;
  const { address } = await mesh.lab.run('pod', { pod: gateway });
  let over = false;
  let [sent, failed, probes, longestOutageMs] = [0, 0, 0, 0];
  let [lastSent, lastProbe] = [0, 0];
  const get = async (url: string) => {
    const command = ['curl', '-s', '-o', '/dev/null', '--max-time', '2', '-w', '%{http_code}', url];
    return Number((await mesh.lab.run('exec', { pod: CLIENT, command })).stdout);
  };
  const send = async () => {
    let failingSince: number | undefined;
    const isOut = () => failingSince !== undefined && Date.now() - failingSince < FOLLOWED;
    while (!over || sent < lastSent || isOut()) {
      const start = Date.now();
      sent += 1;
      if ((await get(allowed)) === 200) {
        failingSince = undefined;
        continue;
      }
      failed += 1;
      failingSince ??= start;
      longestOutageMs = Math.max(longestOutageMs, Date.now() - failingSince);
    }
  };
  const probe = async () => {
    while (!over || probes < lastProbe) {
      probes += 1;
      await get(forbidden);
    }
  };
  const load = Promise.all([send(), probe()]);
  try {
    await during();
  } finally {
    [lastSent, lastProbe, over] = [sent + AFTERWARDS, probes + AFTERWARDS, true];
    await load;
  }
  const host = new URL(allowed).host;
  const gateways = [address, (await mesh.lab.run('pod', { pod: gateway })).address];
  const lines = mesh.lab.siteLog().slice(sitesBefore);
  const leaked = lines.filter((line) => line.host !== host || !gateways.includes(line.source)).length;
  return { sent, failed, longestOutageMs, probes, leaked };
}
