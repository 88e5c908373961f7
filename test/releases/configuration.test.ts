import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readConfiguration } from '../../src/check/configuration';

describe('releases in mesh-edge.yaml', () => {
  it('are those of every command', () => {
    const text = 'istioVersion: "1.30"\ngatewayApiVersion: v1.4.1/experimental\noutbound: REGISTRY_ONLY\n';
    expect(readConfiguration(text, 'mesh-edge.yaml').mesh).toEqual({
      istioVersion: '1.30',
      gatewayApiVersion: '1.4.1/experimental',
      outbound: 'REGISTRY_ONLY',
    });
  });

  it.each([
    ['istioVersion: 1.30', /istioVersion is 1\.3, .*write it in quotes/],
    ['istioVersion: "new"', /istioVersion is "new", which is none of its values/],
    ['istio: "1.30"', /there is no setting "istio"; there are suppress, outbound, rootNamespace, trustDomain, istioVersion/],
  ])('are refused as %s', (text, reason) => {
    expect(() => readConfiguration(text, 'mesh-edge.yaml')).toThrow(reason);
  }); // prettier-ignore

  it('give way to an option', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mesh-edge-config-'));
    writeFileSync(join(folder, 'mesh-edge.yaml'), 'istioVersion: "1.29"\n');
    writeFileSync(join(folder, 'ns.yaml'), 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n');
    const bin = resolve(__dirname, '../../bin/mesh-edge');
    const run = (...args: readonly string[]): string =>
      execFileSync(process.execPath, [bin, 'check', 'ns.yaml', ...args], { cwd: folder, encoding: 'utf8' });
    expect(run()).toContain('judged by Istio 1.29\n');
    expect(run('--istio-version', '1.31')).toContain('judged by Istio 1.31\n');
  });
});
