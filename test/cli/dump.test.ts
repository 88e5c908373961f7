import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dumpCommand } from '../../src/cli/dump';

describe('the command that fetches from a cluster', () => {
  const home = mkdtempSync(join(tmpdir(), 'dump-'));
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  /** A kubectl that serves these kinds, and writes down what it was asked for. */
  function asked(served: readonly string[]): readonly string[] {
    const log = join(home, 'log');
    writeFileSync(log, '');
    const kubectl = join(home, 'kubectl');
    const list = served.map((kind) => `echo ${kind}`).join('\n');
    writeFileSync(
      kubectl,
      `#!/bin/sh\nif [ "$1" = api-resources ]; then\n${list}\nelif [ "$*" = "get configmap -n istio-system -l istio.io/rev -o name" ]; then\nprintf 'configmap/istio\\nconfigmap/istio-1-29\\nconfigmap/istio-sidecar-injector\\nconfigmap/values\\n'\nelse echo "$@" >> ${log}; echo "kind: List"; fi\n`,
    );
    chmodSync(kubectl, 0o755);
    const env = { ...process.env, PATH: `${home}:${process.env.PATH ?? ''}` };
    execFileSync('sh', ['-c', dumpCommand('istio-system', 'envoy-gateway-system')], { env });
    return readFileSync(log, 'utf8').trim().split('\n');
  }

  it('asks for what the cluster serves of the kinds that are read, once, and for no Secret or other ConfigMap', () => {
    const [first, ...rest] = asked([
      'configmaps',
      'secrets',
      'services',
      'pods',
      'deployments.apps',
      'virtualservices.networking.istio.io',
      'gateways.gateway.networking.k8s.io',
      'certificates.cert-manager.io',
      'endpointslices.discovery.k8s.io',
      'ciliumendpoints.cilium.io',
      'ciliumclusterwidenetworkpolicies.cilium.io',
      'ipaddresses.networking.k8s.io',
      'networkpolicies.networking.k8s.io',
    ]);
    expect(first).toBe(
      'get ciliumclusterwidenetworkpolicies.cilium.io,deployments.apps,endpointslices.discovery.k8s.io,gateways.gateway.networking.k8s.io,networkpolicies.networking.k8s.io,pods,services,virtualservices.networking.istio.io -A -o yaml',
    );
    expect(rest).toEqual([
      'get configmap istio istio-1-29 istio-sidecar-injector -n istio-system --ignore-not-found -o yaml',
      'get configmap envoy-gateway-config -n envoy-gateway-system --ignore-not-found -o yaml',
    ]);
  });
});
