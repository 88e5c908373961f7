/** `npm run lab -- COMMAND`: the lab by hand. */
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { build, installPackages, labParts, oracleBinary, oraclePart } from './build';
import { Lab } from './lab';
import { readManifests } from './manifests';
import { tail } from './process';

const USAGE = `npm run lab -- COMMAND [--name NAME] [--istio VERSION]

  up                        start a lab and return when it is ready
  run                       start a lab that ends with this command (Ctrl-C)
  down                      end it
  apply PATH...             apply the objects of files and folders
  delete PATH...            delete them
  wait NAMESPACE/POD...     wait until Pods are ready
  settle                    wait until istiod is idle and all proxies have acknowledged
  curl NAMESPACE/POD ARGS   run curl as an application in a Pod
  exec NAMESPACE/POD ARGS   run any command there; POD "internet" is somebody outside
  logs NAMESPACE/POD [CONTAINER]   print a container's output (istio-proxy's, with its access log)
  logs PROCESS              print the end of a process' output: istiod, apiserver, dnsmasq ...
  get PATH                  print what the Kubernetes API has at a path
  build                     build what is not in the cache yet
  oracle                    build the routing oracle (test/oracle) and print its path`;

const say = (line: string) => process.stderr.write(`${line}\n`);

async function run([command, ...args]: readonly string[], name: string): Promise<number> {
  if (command === 'up') {
    await Lab.start({ name, attached: false, say });
    return 0;
  }
  if (command === 'run') {
    const lab = await Lab.start({ name, attached: true, say });
    say('ready; Ctrl-C ends it');
    throw new Error(`the lab has ended: ${await lab.ended()}`);
  }
  if (command === 'oracle') {
    process.stdout.write(`${await oracleBinary(say)}\n`);
    return 0;
  }
  if (command === 'build') {
    await installPackages(say);
    await build([...labParts(), oraclePart()], say);
    return 0;
  }
  const lab = await Lab.connect(name);
  switch (command) {
    case 'down':
      await lab.down();
      return 0;
    case 'apply':
      await lab.apply(readManifests(args));
      return 0;
    case 'delete':
      await lab.delete(readManifests(args));
      return 0;
    case 'wait':
      await Promise.all(args.map((pod) => lab.ready(pod)));
      return 0;
    case 'settle':
      await lab.settle();
      return 0;
    case 'curl':
    case 'exec': {
      const [pod = '', ...rest] = args;
      const { code, stdout, stderr } = await lab.run('exec', {
        pod,
        command: command === 'curl' ? ['curl', ...rest] : rest,
      });
      process.stdout.write(stdout);
      process.stderr.write(stderr);
      return code ?? 1;
    }
    case 'logs': {
      const [what = '', container = 'istio-proxy'] = args;
      const log = path.join(lab.folder, 'logs', `${what}.log`);
      process.stdout.write(what.includes('/') ? await lab.containerLog(what, container) : `${tail(log, 200)}\n`);
      return 0;
    }
    case 'get': {
      const reply = await lab.api.request('GET', args[0] ?? '/');
      process.stdout.write(typeof reply === 'string' ? reply : `${JSON.stringify(reply, undefined, 2)}\n`);
      return 0;
    }
    default:
      throw new Error(`there is no command "${command}"\n\n${USAGE}`);
  }
}

async function main(): Promise<void> {
  // What follows the command belongs to it, so that curl's own options need no quoting.
  const words = process.argv.slice(2);
  const options = { name: { type: 'string', default: 'lab' }, istio: { type: 'string' } } as const;
  const at = words.findIndex((word) => word === 'curl' || word === 'exec');
  const [ours, theirs] = at < 0 ? [words, []] : [words.slice(0, at), words.slice(at)];
  const { values, positionals } = parseArgs({ args: ours, options, allowPositionals: true });
  if (values.istio) process.env.MESH_EDGE_ISTIO = values.istio;
  const all = [...positionals, ...theirs];
  if (all.length === 0) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  process.exitCode = await run(all, values.name);
}

main().then(
  // Connections to the lab are kept open for reuse.
  () => process.exit(),
  (error: Error) => {
    say(`error: ${error.message}`);
    process.exit(2);
  },
);
