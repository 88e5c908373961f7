/**
 * The process that is the lab. It runs in process, mount and network namespaces of its own as their first process, so
 * that whatever ends it, the kernel ends all that it started and takes back every namespace, link and mount.
 *
 * Its parent keeps its standard input open; when that closes, or on SIGTERM or SIGINT, it ends. Its first line on
 * standard output says whether the lab is up: `{"ready":true}`, or `{"error":"..."}`.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Control } from './control';
import { startControlPlane, type StartDaemon } from './controlplane';
import { LAST_WORDS } from './ended';
import { SITES, startInternet } from './internet';
import { Istiod } from './istiod';
import { Kubelet } from './kubelet';
import { setUpNode } from './network';
import { addPodsOfTheNode, NetworkPolicies } from './networkpolicies';
import { Daemon, tail } from './process';
import { RootFs } from './rootfs';
import { Services } from './services';

/** What a lab is started with. */
export interface HostOptions {
  readonly folder: string;
  /** End when standard input does. */
  readonly attached: boolean;
}

const answer = (line: unknown) => fs.writeSync(1, `${JSON.stringify(line)}\n`);
const say = (line: string) => fs.writeSync(2, `${new Date().toISOString().slice(11, 23)} ${line}\n`);

function startDaemons(folder: string, fail: (message: string) => void): StartDaemon {
  return (name, command, env, restart) => {
    const log = path.join(folder, 'logs', `${name}.log`);
    return new Daemon(name, log, command, { env }).onUnexpectedEnd((how) => {
      const ended = `${name} ended (${how}). The end of its log:\n${tail(log)}`;
      if (restart === undefined) return fail(ended);
      say(`${ended}\n${name} is started again`);
      restart();
    });
  };
}

async function main({ folder, attached }: HostOptions): Promise<void> {
  let up = false;
  const fail = (message: string) => {
    say(message);
    fs.writeFileSync(path.join(folder, LAST_WORDS), message);
    if (!up) answer({ error: message });
    process.exit(1);
  };
  const leave = () => process.exit(0);
  process.on('SIGTERM', leave).on('SIGINT', leave);
  process.on('uncaughtException', (error) => fail(error.stack ?? error.message));
  process.on('unhandledRejection', (error) => fail((error as Error).stack ?? String(error)));
  if (attached) process.stdin.on('end', leave).on('error', leave).resume();

  const start = startDaemons(folder, fail);
  await setUpNode();
  await RootFs.mountLayers(path.join(folder, 'layers'));
  const [plane, { caBundle }] = await Promise.all([startControlPlane(folder, start), startInternet(folder, start)]);
  say('the control plane is ready');
  const services = new Services(plane.api, path.join(folder, 'dns'), SITES);
  fs.mkdirSync(path.join(folder, 'dns'), { recursive: true });
  await services.start(start);
  const istiod = await Istiod.install(plane, path.join(folder, 'istiod'), start);
  say('istiod is ready');
  await addPodsOfTheNode(plane.api);
  const policies = new NetworkPolicies(plane, folder, start);
  await policies.start();
  const kubelet = new Kubelet(plane.api, folder, caBundle, say);
  await kubelet.start();
  await new Control(plane, istiod, policies, kubelet, folder).listen(path.join(folder, 'control.sock'));
  up = true;
  say('the lab is ready');
  answer({ ready: true });
}

const options = JSON.parse(process.argv[2] ?? '{}') as HostOptions;
void main(options);
